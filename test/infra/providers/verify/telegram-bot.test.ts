import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { telegramBot } from '../../../../infra/providers/verify/telegram-bot.ts';
import { replyToRefusal, telegramClient } from '../../../../infra/providers/message/telegram-client.ts';
import type { FaultRequest } from '../../../../apps/sandbox/faults.ts';
import { telegramSlots } from '../../../../infra/limits/telegram-slots.ts';
import { BOT_TOKEN, freshSandbox, receiver } from '../../../apps/sandbox/support.ts';
import { answering, closedPort, deadline, http, tap, titled } from '../support.ts';
import { CODE, messageTo } from './code-message.ts';

const CHAT = '123456789';
const message = messageTo({ chatId: CHAT });
/** This process alone, and no gap: what is tried here is one message after the other. */
const slots = () => telegramSlots({ token: BOT_TOKEN, messagesPerSecond: 1_000, chatGapMs: 0 });
const botAt = (apiRoot: string) => telegramBot(telegramClient({ token: BOT_TOKEN, apiRoot, slots: slots() }));
const refusedAs = (reason: string, addressIsDead: boolean) => ({ kind: 'refused', reason, addressIsDead });

test('a code reaches its chat as plain text', async () => {
  const sandbox = await freshSandbox({ credentials: { telegramBotToken: BOT_TOKEN } });
  const reply = await botAt(sandbox.url).send(
    { ...message, text: `<b> & ${message.text} navbat.uz` },
    deadline(),
  );
  const [received] = sandbox.inbox({ to: CHAT });
  expect(received).toMatchObject({ channel: 'telegram', text: `<b> & ${message.text} navbat.uz` });
  expect(reply).toMatchObject({ kind: 'accepted', cost: null });
  expect(reply.kind === 'accepted' && reply.reference).toMatch(/^\d+$/);
});

test('a code is kept from being forwarded, is copied by a button and shows no preview', async () => {
  const api = await receiver();
  await botAt(api.url).send(message, deadline());
  const form = new URLSearchParams(api.received[0]?.body);
  expect(Object.fromEntries(form)).toMatchObject({
    chat_id: CHAT,
    protect_content: 'true',
    reply_markup: JSON.stringify({
      inline_keyboard: [[{ text: message.code, copy_text: { text: message.code } }]],
    }),
    link_preview_options: '{"is_disabled":true}',
  });
});

const faults: readonly { fault: FaultRequest; reply: object }[] = [
  {
    fault: { effect: 'reject', channel: 'telegram', code: 'blocked' },
    reply: refusedAs('bot-blocked', true),
  },
  {
    fault: { effect: 'reject', channel: 'telegram', code: 'deactivated' },
    reply: refusedAs('user-deactivated', true),
  },
  {
    fault: { effect: 'reject', channel: 'telegram', code: 'cannot-initiate' },
    reply: refusedAs('bot-not-started', true),
  },
  {
    fault: { effect: 'reject', channel: 'telegram', code: 'chat-not-found' },
    reply: refusedAs('chat-not-found', true),
  },
  {
    fault: { effect: 'reject', channel: 'telegram', code: 'unauthorized' },
    reply: refusedAs('credentials', false),
  },
  { fault: { effect: 'rate-limit', retry_after_seconds: 7 }, reply: { kind: 'busy', retryAfterMs: 7_000 } },
  {
    fault: { effect: 'server-error', status: 500 },
    reply: { kind: 'faulted', reason: 'provider-internal' },
  },
  {
    fault: { effect: 'server-error', status: 502 },
    reply: { kind: 'faulted', reason: 'provider-unavailable' },
  },
  { fault: { effect: 'hang-before', hang_ms: 0 }, reply: { kind: 'unknown', reason: 'connection-lost' } },
  { fault: { effect: 'hang-after', hang_ms: 0 }, reply: { kind: 'unknown', reason: 'connection-lost' } },
];

test.each(titled(faults))('Telegram answering $what', async (given) => {
  const sandbox = await freshSandbox();
  sandbox.orderFaults({ channel: 'telegram', ...given.fault });
  expect(await botAt(sandbox.url).send(message, deadline())).toMatchObject(given.reply);
  expect(sandbox.calls(), 'nothing is repeated').toHaveLength(1);
});

test.each(['hang-before', 'hang-after'] as const)(
  'a %s is unknown at the deadline, and no sooner',
  async (effect) => {
    const sandbox = await freshSandbox();
    sandbox.orderFaults({ channel: 'telegram', effect });
    const startedAt = performance.now();
    expect(await botAt(sandbox.url).send(message, deadline(200))).toMatchObject({
      kind: 'unknown',
      reason: 'timeout',
    });
    expect(performance.now() - startedAt).toBeGreaterThan(150);
  },
);

test('a wrong token is credentials, and the chat lives on', async () => {
  const sandbox = await freshSandbox({ credentials: { telegramBotToken: '7000000001:another' } });
  expect(await botAt(sandbox.url).send(message, deadline())).toMatchObject(refusedAs('credentials', false));
});

test('nobody listening is a fault of the network, since nothing has left', async () => {
  const bot = botAt(`http://127.0.0.1:${await closedPort()}`);
  expect(await bot.send(message, deadline())).toMatchObject({ kind: 'faulted', reason: 'network' });
});

test('a deadline that has passed sends nothing', async () => {
  const sandbox = await freshSandbox();
  expect(await botAt(sandbox.url).send(message, AbortSignal.abort())).toMatchObject({
    kind: 'unknown',
    reason: 'timeout',
  });
  expect(sandbox.calls()).toEqual([]);
});

const unreadable = { kind: 'unknown', reason: 'answer-unreadable' };
test.each([
  { what: 'no JSON', answer: http('200 OK', 'sent'), reply: unreadable },
  { what: 'JSON without a message', answer: http('200 OK', '{"ok":true,"result":{}}'), reply: unreadable },
  { what: 'a refusal without a code', answer: http('200 OK', '{"ok":false}'), reply: unreadable },
  {
    what: 'a 502 page',
    answer: http('502 Bad', '<html>'),
    reply: { kind: 'faulted', reason: 'provider-unavailable' },
  },
])('an answer that is $what is $reply.reply $reply.reason', async ({ answer, reply }) => {
  expect(await botAt(await answering(answer)).send(message, deadline())).toMatchObject(reply);
});

test('a wait that is not named lasts a second', () => {
  const refusal = { errorCode: 429, description: 'Too Many Requests', retryAfter: undefined };
  expect(replyToRefusal(refusal)).toMatchObject({ kind: 'busy', retryAfterMs: 1_000 });
});

test('the deadline cuts the connection of a message that hangs', async () => {
  const sandbox = await freshSandbox();
  sandbox.orderFaults({ channel: 'telegram', effect: 'hang-before' });
  const wire = await tap(sandbox.port);
  const sending = botAt(wire.url).send(message, deadline(200));
  await expect.poll(wire.connectionsOpen).toBe(1);
  await sending;
  await expect.poll(wire.connectionsOpen).toBe(0);
});

test('ten messages in a row need no more than two connections', async () => {
  const sandbox = await freshSandbox();
  const wire = await tap(sandbox.port);
  const bot = botAt(wire.url);
  for (let n = 1; n <= 10; n++) await bot.send({ ...message, attempt: n }, deadline());
  expect(sandbox.inbox()).toHaveLength(10);
  expect(wire.connections()).toBeLessThanOrEqual(2);
});

test('no error holds the code, the chat or the token, which stands in the address of every request', async () => {
  const bot = botAt('nonsense://nowhere');
  const error = await bot.send(message, deadline()).then(
    (reply) => expect.unreachable(inspect(reply)),
    (thrown: unknown) => inspect(thrown, { depth: 9, showHidden: true }),
  );
  expect(error).toContain('telegram-bot: unexpected');
  for (const secret of [CODE, CHAT, BOT_TOKEN]) expect(error).not.toContain(secret);
});
