import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { telegramBot } from '../../../../infra/providers/verify/telegram-bot.ts';
import { replyToRefusal, telegramClient } from '../../../../infra/providers/telegram/telegram-client.ts';
import type { FaultRequest } from '../../../../apps/sandbox/faults.ts';
import { telegramSlots } from '../../../../infra/limits/telegram-slots.ts';
import { BOT_TOKEN, freshSandbox, receiver } from '../../../apps/sandbox/support.ts';
import { answering, deadline, http, titled } from '../support.ts';
import { channelGuarantees, serverFaults } from './channel-guarantees.ts';
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
  {
    fault: { effect: 'server-error', status: 502 },
    reply: { kind: 'faulted', reason: 'provider-unavailable' },
  },
  ...serverFaults,
];

channelGuarantees('telegram', botAt, message);

test.each(titled(faults))('Telegram answering $what', async (given) => {
  const sandbox = await freshSandbox();
  sandbox.orderFaults({ channel: 'telegram', ...given.fault });
  expect(await botAt(sandbox.url).send(message, deadline())).toMatchObject(given.reply);
  expect(sandbox.calls(), 'nothing is repeated').toHaveLength(1);
});

test('a wrong token is credentials, and the chat lives on', async () => {
  const sandbox = await freshSandbox({ credentials: { telegramBotToken: '7000000001:another' } });
  expect(await botAt(sandbox.url).send(message, deadline())).toMatchObject(refusedAs('credentials', false));
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

test('a wait that is no number lasts a second too, and a group that moved to no number was refused', async () => {
  const refusalWith = (errorCode: number, parameters: object) =>
    answering(
      http(
        `${errorCode} No`,
        JSON.stringify({ ok: false, error_code: errorCode, description: 'No', parameters }),
      ),
    );
  const waiting = await refusalWith(429, { retry_after: 'x' });
  expect(await botAt(waiting).send(message, deadline())).toEqual({
    kind: 'busy',
    because: 'provider-busy',
    retryAfterMs: 1_000,
  });
  const moved = await refusalWith(400, { migrate_to_chat_id: 'x\0' });
  expect(await botAt(moved).send(message, deadline())).toMatchObject({ kind: 'refused' });
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
