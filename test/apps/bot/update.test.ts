import { describe, expect, test } from 'vitest';
import { readUpdate } from '../../../apps/bot/update.ts';

const from = { id: 7, is_bot: false, language_code: 'ru-RU' };
const chat = { id: 7, type: 'private' };
const group = { id: -100, type: 'supergroup' };
const message = (more: object) => readUpdate({ update_id: 1, message: { from, chat, ...more } });
const by = { telegramId: 7, locale: 'ru' };

describe('what a person writes', () => {
  test.each([
    ['/start', { kind: 'start', payload: null }],
    ['/start ref-1_A', { kind: 'start', payload: 'ref-1_A' }],
    [`/start ${'a'.repeat(65)}`, { kind: 'start', payload: null }],
    ["/start a'b", { kind: 'start', payload: null }],
    ['/START@navbat_bot x', { kind: 'start', payload: 'x' }],
    ['/help', { kind: 'help' }],
    ['/stop', { kind: 'stop' }],
    ['/settings', { kind: 'settings', page: 1 }],
    ['/settings_3', { kind: 'settings', page: 3 }],
    ['/settings_0', { kind: 'settings', page: 1 }],
    ['/stop_2', { kind: 'text', text: '/stop_2' }],
    ['/unlock', { kind: 'unlock' }],
    ['/language', { kind: 'language', choice: null, queryId: null }],
    ['/language UZ', { kind: 'language', choice: 'uz', queryId: null }],
    // Codes come in it, and the bot does not speak it.
    ['/language kk', { kind: 'language', choice: null, queryId: null }],
    ['/language de', { kind: 'language', choice: null, queryId: null }],
    ['/other', { kind: 'text', text: '/other' }],
    ['123 456', { kind: 'text', text: '123 456' }],
  ])('%j', (text, action) => {
    expect(message({ text })?.what).toEqual({ ...action, by });
  });

  test('is theirs in their own language, where we speak it', () => {
    for (const [language_code, locale] of [
      ['uz', 'uz'],
      ['en-GB', 'en'],
      ['kk', 'kk'],
      ['uz-Cyrl', 'uz-Cyrl'],
      ['de', null],
      [undefined, null],
    ] as const)
      expect(message({ from: { ...from, language_code }, text: 'x' })?.what?.by.locale).toBe(locale);
  });

  test('in a group, as another or as a bot is no action of theirs: others would read along', () => {
    for (const more of [{ chat: group }, { chat: { ...chat, id: 8 } }, { from: { ...from, is_bot: true } }])
      expect(message({ ...more, text: '/start' })?.what).toBeNull();
  });
});

test('a contact is the sender’s own only where Telegram says so', () => {
  const own = (contact: object) => message({ contact: { phone_number: '998901234567', ...contact } })?.what;
  expect(own({ user_id: 7 })).toMatchObject({ kind: 'contact', phone: '998901234567', isOwn: true });
  for (const contact of [{ user_id: 8 }, {}]) expect(own(contact)).toMatchObject({ isOwn: false });
});

describe('a button', () => {
  const press = (more: object) =>
    readUpdate({
      update_id: 1,
      callback_query: { id: 'q', from, message: { chat, message_id: 5 }, ...more },
    });

  test('of ours chooses the language', () => {
    expect(press({ data: 'language:uz' })?.what).toEqual({
      kind: 'language',
      choice: 'uz',
      queryId: 'q',
      by,
    });
  });

  test('of a project is told with where it was and who pressed it', () => {
    expect(press({ data: 'yes' })?.news).toEqual({
      kind: 'pressed',
      press: { queryId: 'q', userId: 7, under: { chatId: 7, messageId: 5, data: 'yes' } },
    });
  });

  test('with what Postgres does not take is one without data: its wait ends, and it holds up no other update', () => {
    for (const data of ['a\0b', '\ud800'])
      expect(press({ data })?.news).toMatchObject({ press: { queryId: 'q', under: null } });
  });

  test('under no message that is named has its wait ended all the same', () => {
    expect(press({ message: undefined, data: 'yes' })?.news).toMatchObject({
      press: { queryId: 'q', under: null },
    });
  });
});

describe('a chat', () => {
  const member = (of: object, status: string, more: object = {}) =>
    readUpdate({ update_id: 1, my_chat_member: { chat: of, new_chat_member: { status, ...more } } })?.news;

  test('that removed or blocked the bot is closed, each for its own reason', () => {
    expect(member(chat, 'kicked')).toMatchObject({ fact: { kind: 'left', because: 'bot-blocked' } });
    for (const status of ['kicked', 'left'])
      expect(member(group, status)).toMatchObject({ fact: { because: 'bot-kicked' } });
    expect(member(group, 'restricted', { is_member: false })).toMatchObject({ fact: { kind: 'left' } });
    expect(member(group, 'administrator')).toMatchObject({ fact: { kind: 'reached' } });
  });

  test('that became a supergroup is told from either side alike', () => {
    const moved = { kind: 'moved', from: -1, to: -100 };
    expect(message({ chat: { id: -1, type: 'group' }, migrate_to_chat_id: -100 })?.news).toEqual(moved);
    expect(message({ chat: group, migrate_from_chat_id: -1 })?.news).toEqual(moved);
  });
});

test('what is no update is none, and what is not for us says nothing', () => {
  for (const update of [null, 'x', {}, { update_id: 'x' }, []]) expect(readUpdate(update)).toBeNull();
  expect(readUpdate({ update_id: 1, poll: {} })).toEqual({
    updateId: 1,
    chatId: null,
    what: null,
    news: null,
  });
  expect(readUpdate({ update_id: 1, message: { text: 'x' } })).toMatchObject({ what: null, news: null });
});
