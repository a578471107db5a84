import { expect, test } from 'vitest';
import { providerWords } from '../../../domain/job/provider-words.ts';

test.each([
  ['Bad Request: message is too long', 'Bad Request: message is too long'],
  [
    `Bad Request: can't parse entities: Unsupported start tag "p" at byte offset 4012`,
    `Bad Request: can't parse entities: Unsupported start tag "p" at byte offset 4012`,
  ],
  ['Twilio 21211: Invalid number +998 90 123-45-67', 'Twilio 21211: Invalid number [number]'],
  ['Your code 7477 2301 is wrong', 'Your code [number] is wrong'],
  ['see https://user:pass@host/x?key=1 for more', 'see [link] for more'],
  ['write to ali@navbat.uz', 'write to [e-mail]'],
  ['token 7000000001:AAabcdefghijklmnopqrstuvwxyz0123456 bad', 'token [token] bad'],
  ['one\r\ntwo\u2028three\u0000\u202Efour', 'one two three four'],
  ['  \n ', undefined],
])('%j is shown as %j', (said, shown) => {
  expect(providerWords(said)).toBe(shown);
});

test('a novel is cut to 200 characters, none of them in half', () => {
  const shown = providerWords('😀 a '.repeat(10_000)) ?? '';
  expect(Array.from(shown).length).toBeLessThanOrEqual(200);
  expect(shown.isWellFormed()).toBe(true);
  expect(shown.endsWith('…')).toBe(true);
});
