import { expect, test } from 'vitest';
import { chatOfUpdate } from '../../../domain/telegram/update.ts';

test('an update is about the chat that it names, whatever kind it is of', () => {
  const chat = { id: -100 };
  const from = { id: 7 };
  for (const kind of [
    'message',
    'edited_message',
    'channel_post',
    'my_chat_member',
    'chat_member',
    'of_tomorrow',
  ])
    expect(chatOfUpdate({ update_id: 1, [kind]: { chat, from, more: 1 } }), kind).toBe(-100);
});

test('a button is about the chat of the message under which it is, and not about who pressed it', () => {
  expect(chatOfUpdate({ callback_query: { from: { id: 7 }, message: { chat: { id: -100 } } } })).toBe(-100);
  expect(chatOfUpdate({ callback_query: { from: { id: 7 }, inline_message_id: 'x' } })).toBe(7);
});

test('an update without a chat is about its person, whose private chat has their id', () => {
  expect(chatOfUpdate({ update_id: 1, inline_query: { from: { id: 7 } } })).toBe(7);
});

test('what names neither, in whatever shape it comes, is about no chat', () => {
  for (const update of [
    null,
    undefined,
    'x',
    1,
    [],
    {},
    { update_id: 1 },
    { message: null },
    { message: { chat: { id: 'x' } } },
    { message: { chat: { id: 1.5 } } },
    { poll: { id: '1' } },
  ])
    expect(chatOfUpdate(update), JSON.stringify(update)).toBeNull();
});
