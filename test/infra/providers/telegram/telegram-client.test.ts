import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import type { TelegramMessage } from '../../../../domain/telegram/port.ts';
import { telegramClient } from '../../../../infra/providers/telegram/telegram-client.ts';
import { telegramSlots } from '../../../../infra/limits/telegram-slots.ts';
import { freshRedis } from '../../../support/servers.ts';
import { BOT_TOKEN, freshSandbox, receiver } from '../../../apps/sandbox/support.ts';
import { deadline } from '../support.ts';

/** Ten times Telegram's pace. */
const FAST = { messagesPerSecond: 290, chatGapMs: 100 };
const FAST_TELEGRAM = { per_second: 300, chat_gap_ms: 100 };
const CHAT = '123456789';
const message = (changes: Partial<TelegramMessage> = {}): TelegramMessage => ({
  chatId: CHAT,
  text: 'Salom, <b>Ali</b> & *Vali*',
  format: 'plain',
  urgent: false,
  ...changes,
});

/** One process of the bot; several of them share what the given Redis knows. */
function clientAt(apiRoot: string, redisUrl: string) {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: 1 });
  onTestFinished(() => redis.disconnect());
  return telegramClient({
    token: BOT_TOKEN,
    apiRoot,
    slots: telegramSlots({ token: BOT_TOKEN, redis, ...FAST }),
  });
}

test.each([
  { format: 'plain', text: 'Salom, <b>Ali</b> & *Vali*', shown: 'Salom, <b>Ali</b> & *Vali*', bold: false },
  { format: 'html', text: 'Salom, <b>Ali</b> &amp; *Vali*', shown: 'Salom, Ali & *Vali*', bold: true },
  { format: 'markdown', text: 'Salom, *Ali* & _Vali_\\!', shown: 'Salom, Ali & Vali!', bold: true },
] as const)('$format is shown as it is meant', async ({ format, text, shown, bold }) => {
  const sandbox = await freshSandbox();
  const client = clientAt(sandbox.url, await freshRedis());
  expect(await client.send(message({ format, text }), deadline())).toMatchObject({ kind: 'accepted' });
  const [received] = sandbox.inbox({ to: CHAT });
  expect(received?.text).toBe(shown);
  expect(JSON.stringify(received?.details).includes('"bold"')).toBe(bold);
});

test('buttons, silence and protection go out as they were asked for, and nothing else does', async () => {
  const api = await receiver();
  const client = clientAt(api.url, await freshRedis());
  const buttons = [
    [{ text: 'Site', url: 'https://navbat.uz' }],
    [
      { text: 'Ha', callback_data: 'yes' },
      { text: 'Yo‘q', callback_data: 'no' },
    ],
  ];
  await client.send(message({ buttons, silent: true, protect: true, copyText: 'AB12' }), deadline());
  await client.send(message({ chatId: '-1001' }), deadline());
  const [full, bare] = api.received.map(({ body }) => Object.fromEntries(new URLSearchParams(body)));
  expect(full).toMatchObject({
    disable_notification: 'true',
    protect_content: 'true',
    reply_markup: JSON.stringify({
      inline_keyboard: [[{ text: 'AB12', copy_text: { text: 'AB12' } }], ...buttons],
    }),
  });
  expect(bare).toEqual({ chat_id: '-1001', text: message().text });
});

test.each([
  { code: 'blocked', reply: { reason: 'bot-blocked', addressIsDead: true } },
  { code: 'deactivated', reply: { reason: 'user-deactivated', addressIsDead: true } },
  { code: 'kicked', reply: { reason: 'bot-kicked', addressIsDead: true } },
  { code: 'no-rights', reply: { reason: 'no-rights', addressIsDead: false } },
  { code: 'topic-closed', reply: { reason: 'topic-closed', addressIsDead: false } },
  { code: 'chat-not-found', reply: { reason: 'chat-not-found', addressIsDead: true } },
])('$code is final, and says so of the chat', async ({ code, reply }) => {
  const sandbox = await freshSandbox();
  sandbox.orderFaults({ channel: 'telegram', effect: 'reject', code });
  const client = clientAt(sandbox.url, await freshRedis());
  expect(await client.send(message(), deadline())).toMatchObject({ kind: 'refused', ...reply });
});

test('a text that Telegram can’t parse is final, and the chat lives on', async () => {
  const sandbox = await freshSandbox();
  const client = clientAt(sandbox.url, await freshRedis());
  expect(await client.send(message({ format: 'html', text: '<b>open' }), deadline())).toMatchObject({
    kind: 'refused',
    reason: 'markup-invalid',
    addressIsDead: false,
  });
});

test('a message to a group that became a supergroup goes to the new id, once, and the move is told of', async () => {
  const sandbox = await freshSandbox();
  const known = { bot: 7_000_000_001, chat_id: -55, title: 'Class 7', migrate_to_chat_id: -100_55 };
  const put = await fetch(`${sandbox.url}/telegram/chats`, { method: 'PUT', body: JSON.stringify(known) });
  expect(put.status).toBe(200);
  const moves: string[][] = [];
  const client = telegramClient({
    token: BOT_TOKEN,
    apiRoot: sandbox.url,
    slots: telegramSlots({ token: BOT_TOKEN, ...FAST }),
    onMoved: async (...move) => void moves.push(move),
  });
  expect(await client.send(message({ chatId: '-55' }), deadline())).toMatchObject({ kind: 'accepted' });
  expect(moves).toEqual([['-55', '-10055']]);
  expect(sandbox.inbox().map(({ to }) => to)).toEqual(['-10055']);
});

test('a 429 keeps every process of the bot from sending, codes too, until its wait is over', async () => {
  const sandbox = await freshSandbox({ telegramPace: FAST_TELEGRAM });
  const redisUrl = await freshRedis();
  const [one, other] = [clientAt(sandbox.url, redisUrl), clientAt(sandbox.url, redisUrl)];
  sandbox.orderFaults({ channel: 'telegram', effect: 'rate-limit', retry_after_seconds: 7, times: 1 });
  expect(await one.send(message(), deadline())).toMatchObject({
    kind: 'busy',
    because: 'provider-busy',
    retryAfterMs: 7_000,
  });
  for (const reply of [
    await other.send(message({ chatId: '2' }), deadline()),
    await other.send(message({ chatId: '3', urgent: true }), deadline()),
  ]) {
    // Nobody was asked: no word of Telegram's to this message.
    expect(reply).toMatchObject({ kind: 'busy', because: 'own-pace' });
    expect(reply.kind === 'busy' && reply.retryAfterMs).toBeGreaterThan(6_000);
  }
  expect(sandbox.calls()).toHaveLength(1);
});

test('two processes with hundreds of messages keep Telegram’s pace, and a code passes them', async () => {
  const sandbox = await freshSandbox({ telegramPace: FAST_TELEGRAM });
  const redisUrl = await freshRedis();
  const [one, other] = [clientAt(sandbox.url, redisUrl), clientAt(sandbox.url, redisUrl)];
  const broadcast = Promise.all(
    Array.from({ length: 600 }, (_, n) =>
      (n % 2 ? one : other).send(message({ chatId: String(1_000 + n) }), deadline()),
    ),
  );
  await expect.poll(() => sandbox.telegramPace().accepted).toBeGreaterThan(50);
  const code = await other.send(message({ chatId: '7', urgent: true }), deadline());
  expect(code.kind).toBe('accepted');
  expect(sandbox.telegramPace().accepted, 'before most of the others').toBeLessThan(500);
  const replies = await broadcast;
  expect(Map.groupBy(replies, ({ kind }) => kind).get('accepted')).toHaveLength(600);
  expect(sandbox.telegramPace()).toMatchObject({
    accepted: 601,
    bot_breaches: 0,
    chat_breaches: 0,
    early: 0,
  });
});

test('a deadline that comes before its turn sends nothing, and costs no attempt', async () => {
  const sandbox = await freshSandbox();
  const slow = telegramClient({
    token: BOT_TOKEN,
    apiRoot: sandbox.url,
    slots: telegramSlots({ token: BOT_TOKEN, messagesPerSecond: 1, chatGapMs: 0 }),
  });
  await slow.send(message(), deadline());
  expect(await slow.send(message(), deadline(50))).toMatchObject({
    kind: 'busy',
    because: 'own-pace',
    retryAfterMs: 0,
  });
  expect(sandbox.calls()).toHaveLength(1);
});
