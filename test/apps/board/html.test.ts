import { expect, test } from 'vitest';
import { html } from '../../../apps/board/html.ts';

const hostile = `<script>alert("1")</script>&'`;

test('whatever a provider, a project or a request wrote can not become a tag or leave its attribute', () => {
  const { text } = html`<p title="${hostile}">${hostile}</p>`;
  expect(text).toBe(
    '<p title="&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;">&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;</p>',
  );
});

test('markup of our own is not escaped again, in lists too, and nothing leaves no trace', () => {
  const list = ['a', '<b>'].map((of) => html`<i>${of}</i>`);
  expect(html`${list}`.text).toBe('<i>a</i><i>&lt;b&gt;</i>');
  expect(html`a${null}${undefined}${false}${0}${''}b`.text).toBe('a0b');
});
