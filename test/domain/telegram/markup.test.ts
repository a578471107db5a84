import { describe, expect, test } from 'vitest';
import { type FormattedText, parseText } from '../../../domain/telegram/markup.ts';

const plain = (source: string, mode?: string) => (parseText(source, mode) as FormattedText).text;
const types = (source: string, mode: string) =>
  (parseText(source, mode) as FormattedText).entities.map(({ type, offset, length }) => [
    type,
    offset,
    length,
  ]);
const problem = (source: string, mode: string) => (parseText(source, mode) as { problem?: string }).problem;

test('a text without a format is what it is, marks and all', () => {
  for (const source of ['<b>a</b>', '*a*', '[a](b)', '&lt;', '\\', ''])
    expect(parseText(source, undefined)).toEqual({ text: source, entities: [] });
});

test('a format that there is not is refused, and its name is read in any case', () => {
  expect(problem('a', 'bbcode')).toBe('unsupported parse_mode');
  expect(plain('<b>a</b>', 'HTML')).toBe('a');
  expect(plain('*a*', 'MarkdownV2')).toBe('a');
});

describe('HTML', () => {
  test('is read into its text and what lies over it, in UTF-16 units', () => {
    expect(types('<b>a</b><i>b</i>', 'html')).toEqual([
      ['bold', 0, 1],
      ['italic', 1, 1],
    ]);
    expect(types('🙂<b>a</b>', 'html')).toEqual([['bold', 2, 1]]);
    expect(types('<b>a<i>b</i></b>', 'html')).toEqual([
      ['bold', 0, 2],
      ['italic', 1, 1],
    ]);
    expect(types('<b></b>', 'html')).toEqual([]);
    expect(parseText('<a href="https://a.b/?c=d">x</a>', 'html')).toMatchObject({
      entities: [{ type: 'text_link', url: 'https://a.b/?c=d' }],
    });
  });

  test('has the signs that stand for others', () => {
    expect(plain('&lt;b&gt; &amp; &quot; &#65; &#x42;', 'html')).toBe('<b> & " A B');
    expect(plain('&nbsp; &#0; & &', 'html')).toBe('&nbsp; &#0; & &');
  });

  test.each([
    ['<b>a', /Can't find end tag.*"b"/],
    ['a</b>', /Unexpected end tag at byte offset 1/],
    ['<b>a</i>', /Unmatched end tag.*expected "<\/b>".*found "<\/i>"/],
    ['<h1>a</h1>', /Unsupported start tag "h1"/],
    // What begins with a tag that there is, is not that tag.
    ['<b1>a</b>', /Unsupported start tag "b1"/],
    ['<b/>a</b>', /Unsupported start tag "b\/"/],
    ['я<', /Unclosed start tag at byte offset 2/],
    ['<span>a</span>', /tg-spoiler/],
    ['<tg-emoji>a</tg-emoji>', /emoji identifier/],
  ])('refuses %j and says where', (source, says) => {
    expect(problem(source, 'html')).toMatch(says);
  });
});

describe('MarkdownV2', () => {
  test('is read into its text and what lies over it', () => {
    expect(types('*a* _b_ __c__ ~d~ ||e|| `f`', 'markdownv2').map(([type]) => type)).toEqual([
      'bold',
      'italic',
      'underline',
      'strikethrough',
      'spoiler',
      'code',
    ]);
    expect(parseText('[x](https://a\\.b/\\))', 'markdownv2')).toMatchObject({
      text: 'x',
      entities: [{ type: 'text_link', url: 'https://a.b/)' }],
    });
  });

  test('keeps marks that are escaped, or stand in code', () => {
    expect(parseText('\\*a\\*', 'markdownv2')).toEqual({ text: '*a*', entities: [] });
    expect(plain('`a.b!*`', 'markdownv2')).toBe('a.b!*');
  });

  test('refuses each reserved sign that stands alone', () => {
    for (const sign of ')>#+-=|{}.!') expect(problem(`a${sign}b`, 'markdownv2'), sign).toMatch(/reserved/);
  });

  test('takes every text of which each sign is escaped', () => {
    const signs = '_*[]()~`>#+-=|{}.!\\';
    const escaped = Array.from(signs, (sign) => `\\${sign}`).join('');
    expect(parseText(escaped, 'markdownv2')).toEqual({ text: signs, entities: [] });
  });

  test.each(['*a', '_a', '[a](b', '[a]', '*a _b* c_'])('refuses %j, which does not end', (source) => {
    expect(problem(source, 'markdownv2')).toMatch(/Can't find end of/);
  });

  test('reads a quotation and its folding end', () => {
    expect(plain('>a\n>b', 'markdownv2')).toBe('a\nb');
    expect(plain('**>a\n>b||', 'markdownv2')).toBe('a\nb');
  });
});

test('the older Markdown reserves nothing that stands alone', () => {
  expect(plain('a.b!-(c)', 'markdown')).toBe('a.b!-(c)');
  expect(types('*a* _b_', 'markdown')).toEqual([
    ['bold', 0, 1],
    ['italic', 2, 1],
  ]);
});

test('the longest text of marks that open and never close is refused in a moment', () => {
  const begun = process.cpuUsage();
  for (const mark of ['[', '<', '<a', '>[', '![']) {
    parseText(mark.repeat(16_384 / mark.length), 'markdownv2');
    parseText(mark.repeat(16_384 / mark.length), 'html');
  }
  parseText(`<${'a'.repeat(16_383)}`, 'html');
  // What grows with the square of the length takes seconds of the processor.
  expect(process.cpuUsage(begun).user).toBeLessThan(1_000_000);
});
