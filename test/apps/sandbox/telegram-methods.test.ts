import { TelegramApiError } from 'node-telegram-bot-api';
import { describe, expect, test } from 'vitest';
import { BOT_TOKEN, CHAT, apiOf, freshSandbox } from './support.ts';

describe('the official client', () => {
  test('sends a message and sees it as a Message of a private chat', async () => {
    const sandbox = await freshSandbox();
    const api = apiOf(sandbox);
    const sent = await api.sendMessage({
      chat_id: CHAT,
      text: '<b>Kod</b>: <code>123456</code> &lt;',
      parse_mode: 'HTML',
    });
    expect(sent).toMatchObject({
      message_id: 1,
      text: 'Kod: 123456 <',
      chat: { id: CHAT, type: 'private' },
      from: { id: 7000000001, is_bot: true },
      entities: [
        { type: 'bold', offset: 0, length: 3 },
        { type: 'code', offset: 5, length: 6 },
      ],
    });
    expect(await api.getMe()).toMatchObject({
      id: 7000000001,
      is_bot: true,
      username: 'sandbox_7000000001_bot',
    });
    expect(sandbox.inbox({ to: String(CHAT) })).toMatchObject([
      { channel: 'telegram', text: 'Kod: 123456 <', from: '7000000001' },
    ]);
  });

  test.each([
    {
      why: 'an empty text',
      change: { text: ' ' },
      code: 400,
      description: 'Bad Request: message text is empty',
    },
    {
      why: '4097 characters',
      change: { text: 'x'.repeat(4097) },
      code: 400,
      description: 'Bad Request: message is too long',
    },
    {
      why: 'a chat never seen',
      change: { chat_id: -100123 },
      code: 400,
      description: 'Bad Request: chat not found',
    },
    {
      why: 'a tag that is none',
      change: { text: '<blink>x</blink>', parse_mode: 'HTML' as const },
      code: 400,
      description: 'Bad Request: can\'t parse entities: Unsupported start tag "blink" at byte offset 0',
    },
    {
      why: 'a tag left open',
      change: { text: '<b>x', parse_mode: 'HTML' as const },
      code: 400,
      description: 'Bad Request: can\'t parse entities: Can\'t find end tag corresponding to start tag "b"',
    },
    {
      why: 'a reserved character',
      change: { text: 'Done.', parse_mode: 'MarkdownV2' as const },
      code: 400,
      description:
        "Bad Request: can't parse entities: Character '.' is reserved and must be escaped with the preceding '\\'",
    },
  ])('throws $code for $why', async ({ change, code, description }) => {
    const sandbox = await freshSandbox();
    const error = await apiOf(sandbox)
      .sendMessage({ chat_id: CHAT, text: 'hello', ...change })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TelegramApiError);
    expect(error).toMatchObject({ errorCode: code, description });
    expect(sandbox.inbox()).toEqual([]);
  });

  test('4096 characters and MarkdownV2 are accepted', async () => {
    const api = apiOf(await freshSandbox());
    expect((await api.sendMessage({ chat_id: CHAT, text: 'x'.repeat(4096) })).text).toHaveLength(4096);
    expect(
      await api.sendMessage({
        chat_id: CHAT,
        text: '*Kod* _a_ __b__ ~c~ ||d|| `e.f` [g](https://example.com/a\\)b) 1\\.',
        parse_mode: 'MarkdownV2',
      }),
    ).toMatchObject({
      text: 'Kod a b c d e.f g 1.',
      entities: [
        { type: 'bold', offset: 0, length: 3 },
        { type: 'italic', offset: 4, length: 1 },
        { type: 'underline', offset: 6, length: 1 },
        { type: 'strikethrough', offset: 8, length: 1 },
        { type: 'spoiler', offset: 10, length: 1 },
        { type: 'code', offset: 12, length: 3 },
        { type: 'text_link', offset: 16, length: 1, url: 'https://example.com/a)b' },
      ],
    });
  });

  test('edits and deletes what it sent, and is told when there is nothing to change', async () => {
    const sandbox = await freshSandbox();
    const api = apiOf(sandbox);
    const { message_id } = await api.sendMessage({ chat_id: CHAT, text: 'old' });
    const edit = { chat_id: CHAT, message_id, text: 'new' };
    expect(await api.editMessageText(edit)).toMatchObject({ text: 'new', message_id });
    await expect(api.editMessageText(edit)).rejects.toMatchObject({
      errorCode: 400,
      description: expect.stringContaining('message is not modified'),
    });
    expect(await api.deleteMessage({ chat_id: CHAT, message_id })).toBe(true);
    await expect(api.deleteMessage({ chat_id: CHAT, message_id })).rejects.toMatchObject({
      description: 'Bad Request: message to delete not found',
    });
    expect(sandbox.inbox()).toMatchObject([{ text: 'new', status: 'deleted' }]);
  });

  test('is refused with 401 for a wrong token and 404 for a method that is none', async () => {
    const sandbox = await freshSandbox({ credentials: { telegramBotToken: BOT_TOKEN } });
    await expect(apiOf(sandbox, '7000000001:wrong').getMe()).rejects.toMatchObject({
      errorCode: 401,
      description: 'Unauthorized',
    });
    await expect(apiOf(sandbox, 'nonsense').getMe()).rejects.toMatchObject({ errorCode: 401 });
    const unknown = await fetch(`${sandbox.url}/bot${BOT_TOKEN}/sendHologram`);
    expect([unknown.status, await unknown.json()]).toEqual([
      404,
      { ok: false, error_code: 404, description: 'Not Found: method not found' },
    ]);
  });

  test('keeps its commands and takes a multipart call', async () => {
    const sandbox = await freshSandbox();
    const api = apiOf(sandbox);
    expect(await api.setMyCommands({ commands: [{ command: 'start', description: 'Begin' }] })).toBe(true);
    expect(await api.getMyCommands()).toEqual([{ command: 'start', description: 'Begin' }]);
    const form = new FormData();
    form.set('chat_id', String(CHAT));
    form.set('text', 'from a form');
    const response = await fetch(`${sandbox.url}/bot${BOT_TOKEN}/sendMessage`, {
      method: 'POST',
      body: form,
    });
    expect(await response.json()).toMatchObject({ ok: true, result: { text: 'from a form' } });
  });
});
