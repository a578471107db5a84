import { expect, test } from 'vitest';
import { TelegramSend } from '../../../../domain/message/broadcast/broadcast.ts';

const faultOf = (body: object) =>
  TelegramSend.safeParse({ to: { chat_id: 1 }, text: 'salom', ...body }).error?.issues.map(
    ({ path, message }) => `${path.join('/')}: ${message}`,
  );

test.each([
  ['4 096 letters', { text: 'a'.repeat(4_096) }],
  ['2 048 emoji', { text: '😀'.repeat(2_048) }],
  ['4 096 letters between tags', { text: `<b>${'a'.repeat(4_096)}</b>`, format: 'html' }],
  ['4 096 ampersands as entities', { text: '&amp;'.repeat(3_000), format: 'html' }],
  ['4 096 escaped dots', { text: '\\.'.repeat(4_096), format: 'markdown' }],
  ['a broken tag in plain text', { text: '1 < 2 & <b>' }],
  ['a quotation that folds', { text: '**>one\n>two||', format: 'markdown' }],
  ['a custom emoji', { text: '![👍](tg://emoji?id=5368324170671202286)', format: 'markdown' }],
  ['a spoiler', { text: '<span class="tg-spoiler">x</span>', format: 'html' }],
  ['64 bytes of callback_data', { buttons: [[{ text: 'Ha', callback_data: 'я'.repeat(32) }]] }],
])('%s is taken', (_what, body) => {
  expect(faultOf(body)).toBeUndefined();
});

test.each([
  ['4 097 letters', { text: 'a'.repeat(4_097) }, 'not 4097'],
  ['2 049 emoji, which are two units each', { text: '😀'.repeat(2_049) }, 'not 4098'],
  ['4 097 letters between tags', { text: `<b>${'a'.repeat(4_097)}</b>`, format: 'html' }, 'not 4097'],
  ['an unclosed tag', { text: '<b>salom', format: 'html' }, 'end tag'],
  ['a tag of another HTML', { text: '<p>salom</p>', format: 'html' }, 'Unsupported start tag "p"'],
  ['tags that cross', { text: '<b><i>x</b></i>', format: 'html' }, 'expected "</i>"'],
  ['a span without its class', { text: '<span>x</span>', format: 'html' }, 'tg-spoiler'],
  ['a dot that is not escaped', { text: 'salom.', format: 'markdown' }, `Character '.' is reserved`],
  ['a star without its end', { text: '*salom', format: 'markdown' }, "Can't find end of bold"],
  ['tags around nothing', { text: '<b> </b>', format: 'html' }, 'shows something'],
  [
    '65 bytes in 33 characters',
    { buttons: [[{ text: 'Ha', callback_data: `${'я'.repeat(32)}!` }]] },
    '64 bytes',
  ],
])('%s is refused, with the field and what to do', (_what, body, words) => {
  expect(faultOf(body)).toEqual([expect.stringContaining(words)]);
});
