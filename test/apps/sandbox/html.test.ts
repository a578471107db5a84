import { expect, test } from 'vitest';
import { html } from '../../../apps/sandbox/html.ts';

test('what somebody wrote can not become a tag or leave its attribute', () => {
  const hostile = `"><script>'&`;
  expect(html`<a href="${hostile}">${hostile}</a>`.markup).toBe(
    '<a href="&quot;&gt;&lt;script&gt;&#39;&amp;">&quot;&gt;&lt;script&gt;&#39;&amp;</a>',
  );
});

test('markup of our own is not escaped again, and nothing leaves no trace', () => {
  const item = html`<b>${'<'}</b>`;
  expect(html`${[item, item]}${undefined}${false}${0}`.markup).toBe('<b>&lt;</b><b>&lt;</b>0');
});
