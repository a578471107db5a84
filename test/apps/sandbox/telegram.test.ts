import { Api, Bot, TelegramApiError, webhookCallback } from 'node-telegram-bot-api';
import { describe, expect, test } from 'vitest';
import type { Sandbox, SandboxOptions } from '../../../apps/sandbox/start-sandbox.ts';
import { BOT_TOKEN, freshSandbox, receiver, temporaryDirectory } from './support.ts';
import { eventually } from '../../support/eventually.ts';

const CHAT = 4242;

function apiOf(sandbox: Sandbox, token = BOT_TOKEN): Api {
  return new Api(token, { apiRoot: sandbox.url, maxRetries: 0 });
}

/** Acts as a person would in the Telegram app. */
async function person({ url }: Sandbox, act: object, expected = 201): Promise<unknown> {
  const response = await fetch(`${url}/telegram/updates`, {
    method: 'POST',
    body: JSON.stringify({ chat_id: CHAT, ...act }),
  });
  expect(response.status).toBe(expected);
  return response.json();
}

describe('a person who writes before the bot has called', () => {
  test('is heard once it does, where the sandbox knows its token', async () => {
    const sandbox = await freshSandbox({ credentials: { telegramBotToken: BOT_TOKEN } });
    await person(sandbox, { text: '/start' });
    expect(await apiOf(sandbox).getUpdates({})).toMatchObject([{ message: { text: '/start' } }]);
  });

  test('is told that there is none, where it does not', async () => {
    await person(await freshSandbox(), { text: '/start' }, 404);
  });
});

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

describe('updates', () => {
  test('a person’s /start, contact and pressed button reach a polling bot, which answers', async () => {
    const sandbox = await freshSandbox();
    const bot = new Bot(BOT_TOKEN, { apiRoot: sandbox.url, maxRetries: 0 });
    const seen: unknown[] = [];
    bot.command('start', async (ctx) => {
      seen.push(ctx.match);
      await ctx.api.sendMessage({
        chat_id: CHAT,
        text: 'Welcome',
        reply_markup: { inline_keyboard: [[{ text: 'Yes', callback_data: 'yes' }]] },
      });
    });
    bot.on('callback_query', async (ctx) => {
      seen.push(ctx.callbackQuery?.data);
      await ctx.api.answerCallbackQuery({ callback_query_id: ctx.callbackQuery?.id ?? '' });
    });
    bot.on('message', (ctx) => void seen.push(ctx.message?.contact));
    const polling = bot.startPolling(undefined, { timeout: 5, retry: false });
    await person(sandbox, { bot: 7000000001, text: '/start deep-link_1' });
    const welcome = await sandbox.waitForMessage({ to: String(CHAT) });
    await person(sandbox, { callback: { message_id: Number(welcome.provider_reference), data: 'yes' } });
    await person(sandbox, { contact: { phone_number: '+998901112233' } });
    await eventually(() => expect(seen).toHaveLength(3));
    expect(seen).toMatchObject(['deep-link_1', 'yes', { phone_number: '+998901112233', user_id: CHAT }]);
    bot.stop();
    await polling;
  });

  test('a poll waits for an update, and offset confirms what came before', async () => {
    const sandbox = await freshSandbox();
    const api = apiOf(sandbox);
    const waiting = api.getUpdates({ timeout: 10 });
    await eventually(() => person(sandbox, { bot: 7000000001, text: 'one' }));
    const [first] = await waiting;
    expect(first).toMatchObject({
      message: { text: 'one', from: { id: CHAT, is_bot: false }, chat: { id: CHAT } },
    });
    await person(sandbox, { text: 'two' });
    expect(await api.getUpdates({})).toHaveLength(2);
    const [second, ...rest] = await api.getUpdates({ offset: (first?.update_id ?? 0) + 1 });
    expect(second).toMatchObject({ update_id: (first?.update_id ?? 0) + 1, message: { text: 'two' } });
    expect(rest).toEqual([]);
    expect(await api.getUpdates({ offset: (second?.update_id ?? 0) + 1, timeout: 0 })).toEqual([]);
  });

  test('a second poll ends the first with 409', async () => {
    const sandbox = await freshSandbox();
    const first = apiOf(sandbox)
      .getUpdates({ timeout: 10 })
      .catch((thrown: unknown) => thrown);
    await eventually(async () => {
      await apiOf(sandbox).getUpdates({ timeout: 0 });
      await expect(Promise.race([first, Promise.resolve('still waiting')])).resolves.toMatchObject({
        errorCode: 409,
      });
    });
  });

  test('a webhook gets each update with its secret, again after an error, in order; polling is refused meanwhile', async () => {
    const sandbox = await freshSandbox();
    const api = apiOf(sandbox);
    const { url, received } = await receiver((_one, count) => (count === 1 ? 500 : 200));
    await api.setWebhook({ url: `${url}/hook`, secret_token: 'a_secret-1' });
    await expect(api.getUpdates({})).rejects.toMatchObject({ errorCode: 409 });
    await person(sandbox, { text: 'one' });
    await person(sandbox, { text: 'two' });
    await eventually(() => expect(received).toHaveLength(3));
    expect(
      received.map(({ body }) => (JSON.parse(body) as { message: { text: string } }).message.text),
    ).toEqual(['one', 'one', 'two']);
    expect(received.every(({ headers }) => headers['x-telegram-bot-api-secret-token'] === 'a_secret-1')).toBe(
      true,
    );
    await eventually(async () =>
      expect(await api.getWebhookInfo()).toMatchObject({
        url: `${url}/hook`,
        pending_update_count: 0,
        last_error_message: 'Wrong response from the webhook: 500',
      }),
    );
    await api.deleteWebhook();
    expect(await api.getUpdates({})).toEqual([]);
  });

  test('the official webhook callback takes what the sandbox posts', async () => {
    const bot = new Bot(BOT_TOKEN, { apiRoot: 'http://127.0.0.1:1', maxRetries: 0 });
    const texts: unknown[] = [];
    bot.on('message', (ctx) => void texts.push(ctx.message?.text));
    const callback = webhookCallback(bot, { secretToken: 'secret' });
    const sandbox = await freshSandbox();
    const { url, received } = await receiver();
    await apiOf(sandbox).setWebhook({ url, secret_token: 'secret' });
    await person(sandbox, { text: 'hello' });
    await eventually(() => expect(received).toHaveLength(1));
    const body = received[0]?.body ?? '';
    const secret = String(received[0]?.headers['x-telegram-bot-api-secret-token']);
    const posted = (header: string) =>
      callback(
        new Request(url, { method: 'POST', body, headers: { 'x-telegram-bot-api-secret-token': header } }),
      );
    expect((await posted(secret)).status).toBe(200);
    expect((await posted('guess')).status).toBe(401);
    expect(texts).toEqual(['hello']);
  });

  test('webhook, waiting updates and message ids outlive a restart', async () => {
    const directory = await temporaryDirectory();
    const first = await freshSandbox({ directory });
    await apiOf(first).sendMessage({ chat_id: CHAT, text: 'before' });
    await person(first, { text: 'still waiting' });
    await first.close();
    const second = await freshSandbox({ directory });
    const [update] = await apiOf(second).getUpdates({});
    expect(update).toMatchObject({ message: { text: 'still waiting' } });
    expect((await apiOf(second).sendMessage({ chat_id: CHAT, text: 'after' })).message_id).toBeGreaterThan(1);
    const { url, received } = await receiver();
    await apiOf(second).setWebhook({ url, drop_pending_updates: true });
    await second.close();
    const third = await freshSandbox({ directory });
    const { update_id } = (await person(third, { text: 'to the webhook' })) as { update_id: number };
    expect(update_id).toBeGreaterThan(update?.update_id ?? Infinity);
    await eventually(() => expect(received).toHaveLength(1));
  });
});

test('a group is unknown until it is made known', async () => {
  const sandbox = await freshSandbox();
  const api = apiOf(sandbox);
  const group = { chat_id: -100123, text: 'hello' };
  await expect(api.sendMessage(group)).rejects.toMatchObject({ description: 'Bad Request: chat not found' });
  await fetch(`${sandbox.url}/telegram/chats`, {
    method: 'PUT',
    body: JSON.stringify({ chat_id: -100123, title: 'Team' }),
  });
  expect(await api.sendMessage(group)).toMatchObject({ chat: { id: -100123, type: 'group', title: 'Team' } });
});

describe('the pace', () => {
  const START = Date.parse('2026-01-15T10:00:00.000Z');

  /** A sandbox whose clock is set by hand. */
  async function paced(telegramPace: SandboxOptions['telegramPace'] = {}) {
    let nowMs = START;
    const sandbox = await freshSandbox({ telegramPace, clock: () => new Date(nowMs) });
    const api = apiOf(sandbox);
    const send = (chat_id: number) => api.sendMessage({ chat_id, text: 'hi' });
    return { sandbox, send, at: (ms: number) => (nowMs = START + ms) };
  }
  const tooMany = (retryAfter: number) => ({
    errorCode: 429,
    retryAfter,
    description: `Too Many Requests: retry after ${retryAfter}`,
  });

  test('is one message a second to a chat, and a refusal of that chat alone', async () => {
    const { sandbox, send, at } = await paced();
    await send(1);
    at(999);
    await expect(send(1)).rejects.toMatchObject(tooMany(1));
    await send(2);
    at(1_000);
    await send(1);
    expect(sandbox.telegramPace()).toMatchObject({
      accepted: 3,
      chat_breaches: 1,
      bot_breaches: 0,
      early: 0,
    });
    expect(sandbox.calls().map(({ fault, status }) => [fault, status])).toContainEqual(['pace', 429]);
  });

  test('is 30 in any second, not in one by the clock', async () => {
    const { sandbox, send, at } = await paced();
    at(900);
    for (let chat = 1; chat <= 30; chat += 1) await send(chat);
    at(1_899);
    await expect(send(31)).rejects.toMatchObject(tooMany(1));
    at(2_899);
    await send(31);
    expect(sandbox.telegramPace()).toMatchObject({ accepted: 31, bot_breaches: 1, disobeyed: 0 });
  });

  test('closes the bot until its wait is over, and counts who does not obey', async () => {
    const { sandbox, send, at } = await paced({ per_second: 1, chat_gap_ms: 0 });
    await send(1);
    at(500);
    await expect(send(2)).rejects.toMatchObject(tooMany(1));
    at(600);
    await expect(send(3)).rejects.toMatchObject(tooMany(1));
    at(601);
    await expect(send(4)).rejects.toMatchObject(tooMany(1));
    at(1_500);
    await send(5);
    expect(sandbox.telegramPace()).toMatchObject({ bot_breaches: 1, early: 2, disobeyed: 1 });
  });

  test('refuses a share of the calls by chance, the same ones for the same seed', async () => {
    const run = async (seed: number) => {
      const { sandbox, send, at } = await paced({ busy_share: 0.2, retry_after_seconds: 2, seed });
      const refused: number[] = [];
      for (let chat = 1; chat <= 100; chat += 1) {
        at(chat * 3_000);
        await send(chat).catch(() => refused.push(chat));
      }
      expect(sandbox.telegramPace().busy).toBe(refused.length);
      return refused;
    };
    const first = await run(7);
    expect(first.length).toBeGreaterThan(8);
    expect(first.length).toBeLessThan(35);
    expect(await run(7)).toEqual(first);
    expect(await run(8)).not.toEqual(first);
  });

  test('is set, read and ended over HTTP', async () => {
    const sandbox = await freshSandbox();
    const pace = async (method: string, body?: object) => {
      const answer = await fetch(`${sandbox.url}/telegram/pace`, {
        method,
        ...(body && { body: JSON.stringify(body) }),
      });
      return { status: answer.status, report: await answer.json() };
    };
    expect((await pace('GET')).report).toMatchObject({ pace: null });
    expect((await pace('PUT', { per_second: 0 })).status).toBe(400);
    expect((await pace('PUT')).report).toMatchObject({ pace: { per_second: 30, chat_gap_ms: 1_000 } });
    const api = apiOf(sandbox);
    await api.sendMessage({ chat_id: CHAT, text: 'hi' });
    await expect(api.sendMessage({ chat_id: CHAT, text: 'hi' })).rejects.toMatchObject({ errorCode: 429 });
    expect((await pace('GET')).report).toMatchObject({ accepted: 1, chat_breaches: 1 });
    await pace('DELETE');
    await api.sendMessage({ chat_id: CHAT, text: 'hi' });
  });
});
