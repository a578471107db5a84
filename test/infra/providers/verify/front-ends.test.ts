import { expect, test } from 'vitest';
import type { SendReply } from '../../../../domain/job/reply.ts';
import { fcmClient } from '../../../../infra/providers/push/fcm-client.ts';
import { fcmPush } from '../../../../infra/providers/verify/fcm-push.ts';
import { telegramBot } from '../../../../infra/providers/verify/telegram-bot.ts';
import { telegramClient } from '../../../../infra/providers/telegram/telegram-client.ts';
import { telegramGateway } from '../../../../infra/providers/verify/telegram-gateway.ts';
import { twilioSms } from '../../../../infra/providers/verify/twilio-sms.ts';
import { telegramSlots } from '../../../../infra/limits/telegram-slots.ts';
import {
  ACCOUNT,
  AUTH_TOKEN,
  BOT_TOKEN,
  freshSandbox,
  GATEWAY_TOKEN,
  SENDER,
} from '../../../apps/sandbox/support.ts';
import { deadline } from '../support.ts';
import { messageTo } from './code-message.ts';

/** The four providers by their own packages, all led to one sandbox. */
const providers = {
  sms: (apiUrl: string) =>
    twilioSms({
      accountSid: ACCOUNT,
      authToken: AUTH_TOKEN,
      from: SENDER,
      apiUrl,
      statusCallbackUrl: () => 'https://navbat.example/callbacks',
    }),
  'telegram-gateway': (url: string) =>
    telegramGateway({
      token: GATEWAY_TOKEN,
      url: `${url}/gateway`,
      callbackUrl: () => 'https://navbat.example/callbacks',
    }),
  telegram: (apiRoot: string) =>
    telegramBot(
      telegramClient({
        token: BOT_TOKEN,
        apiRoot,
        slots: telegramSlots({ token: BOT_TOKEN, messagesPerSecond: 1_000, chatGapMs: 0 }),
      }),
    ),
  push: (sandboxUrl: string) => fcmPush(fcmClient({ sandboxUrl })),
};
type Name = keyof typeof providers;
const names = Object.keys(providers) as Name[];
const paid: ReadonlySet<Name> = new Set(['sms', 'telegram-gateway']);
const message = messageTo({ phone: '+998901234567', chatId: '123456789', pushToken: 'a-token-of-a-phone' });

const bodies = {
  'an HTML page': { headers: { 'content-type': 'text/html' }, body: '<html><h1>Sorry</h1></html>' },
  'an empty body': { headers: {}, body: '' },
  'cut JSON': { headers: { 'content-type': 'application/json' }, body: '{"ok":fal' },
  null: { headers: { 'content-type': 'application/json' }, body: 'null' },
  "somebody else's JSON": {
    headers: { 'content-type': 'application/json' },
    body: '{"error":null,"message":"upstream"}',
  },
  'a page that is longer than we read': {
    headers: { 'content-type': 'text/html' },
    body: 'x'.repeat(100_000),
  },
};

const unavailable = { kind: 'faulted', reason: 'provider-unavailable' };
const refused = (reason: string) => ({ kind: 'refused', reason, addressIsDead: false });
const unreadable = { kind: 'unknown', reason: 'answer-unreadable' };
const statuses: readonly { status: number; reply: object; paid?: object }[] = [
  { status: 200, reply: unreadable },
  { status: 204, reply: unreadable },
  { status: 302, reply: unavailable },
  { status: 307, reply: unavailable },
  { status: 400, reply: refused('provider-refused') },
  { status: 401, reply: refused('credentials') },
  { status: 403, reply: refused('credentials') },
  { status: 404, reply: refused('provider-refused') },
  { status: 408, reply: unavailable },
  { status: 425, reply: unavailable },
  { status: 429, reply: { kind: 'busy' } },
  { status: 500, reply: { kind: 'faulted', reason: 'provider-internal' } },
  { status: 502, reply: unavailable },
  { status: 503, reply: unavailable },
  { status: 504, reply: unavailable, paid: { kind: 'unknown', reason: 'timeout' } },
];

test.each(names)('%s: the status decides where the body says nothing', async (channel) => {
  const sandbox = await freshSandbox();
  for (const { status, reply, paid: ofPaid } of statuses) {
    for (const [what, { headers, body }] of Object.entries(bodies)) {
      // 204 has no body by definition, and a server may not send one.
      if (status === 204 && body !== '') continue;
      sandbox.orderFaults({ channel, effect: 'answer', status, headers, body, times: 1 });
      // A client of its own, since a 429 freezes the bot.
      const given = await providers[channel](sandbox.url).send(message, deadline());
      expect(given, `${status} with ${what}`).toMatchObject(paid.has(channel) && ofPaid ? ofPaid : reply);
    }
  }
  expect(sandbox.inbox(), 'nothing was taken').toEqual([]);
});

const inTenMinutes = () => new Date(Date.now() + 600_000).toUTCString();
const waitOf = (reply: SendReply) => ('retryAfterMs' in reply ? (reply.retryAfterMs ?? 0) : 0);

test.each(names.flatMap((channel) => [408, 425, 429, 500, 502, 503].map((status) => ({ channel, status }))))(
  '$channel: Retry-After of a $status is obeyed, as seconds and as a date',
  async ({ channel, status }) => {
    const sandbox = await freshSandbox();
    for (const retryAfter of ['600', inTenMinutes()]) {
      const headers = { 'content-type': 'text/html', 'retry-after': retryAfter };
      sandbox.orderFaults({ channel, effect: 'answer', status, headers, body: '<html>', times: 1 });
      const reply = await providers[channel](sandbox.url).send(message, deadline());
      expect(reply.kind).toBe(status === 429 ? 'busy' : 'faulted');
      expect(waitOf(reply)).toBeGreaterThan(595_000);
      expect(waitOf(reply)).toBeLessThanOrEqual(601_000);
    }
  },
);

test.each(names)(
  '%s: a message that was taken and answered unreadably is unknown, never failed',
  async (channel) => {
    const sandbox = await freshSandbox();
    for (const { headers, body } of Object.values(bodies)) {
      sandbox.orderFaults({ channel, effect: 'answer', status: 200, headers, body, taken: true, times: 1 });
      expect(await providers[channel](sandbox.url).send(message, deadline())).toMatchObject(unreadable);
    }
  },
);
