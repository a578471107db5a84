import { expect, test } from 'vitest';
import { type Explanation, momentsOf } from '../../../../domain/identity/approval/explain.ts';

const at = (second: number) => new Date(Date.UTC(2026, 0, 15, 10, 0, second));
const attempt = {
  n: 1,
  channel: 'sms',
  provider: 'twilio',
  outcome: 'completed',
  reason: null,
  delivery: 'delivered',
  reference: 'SM1',
  parts: 2,
  priceMicros: '190500000',
  priceCurrency: 'UZS',
  chosen: 'trial',
  openedAt: at(2),
  closedAt: at(3),
  deliveryAt: at(6),
};
const approval = {
  challengeId: 'c',
  deviceId: 'd',
  result: 'approved',
  statement: '{}',
  signature: 's',
  publicKey: {},
  signatureHolds: true,
  at: at(5),
};
const timeline: Explanation = {
  id: 'v',
  verification: {
    project: 'shop',
    purpose: 'login',
    mode: 'live',
    state: 'approved',
    to: '+998•••••••67',
    channels: ['sms'],
    payment: null,
    client: null,
    checksUsed: 2,
    createdAt: at(0),
    expiresAt: at(59),
    closedAt: at(5),
  },
  sends: [
    {
      jobId: 'j',
      requestId: null,
      state: 'rejected',
      reason: 'no-channel',
      block: null,
      acceptedAt: at(1),
      finishedAt: at(4),
      attempts: [attempt],
    },
  ],
  challenges: [
    {
      id: 'c',
      jobId: 'j',
      state: 'approved',
      isSomebodys: true,
      pushed: 'sent',
      createdAt: at(2),
      fetchedAt: at(3),
    },
  ],
  approvals: [approval],
  events: [
    {
      id: 'e',
      type: 'verification.approved',
      happenedAt: at(5),
      deliveries: [{ url: 'https://a.example', n: 1, outcome: 'failed', statusCode: 500, at: at(7) }],
    },
  ],
};

test('a timeline is told in the order of time, the answer before what followed from it', () => {
  const moments = momentsOf(timeline);
  expect(moments.map((moment) => moment.at)).toEqual(
    moments.map((moment) => moment.at).toSorted((a, b) => a.getTime() - b.getTime()),
  );
  expect(moments.filter((moment) => moment.at.getTime() === at(5).getTime()).map(({ what }) => what)).toEqual(
    ['answer', 'closed', 'event'],
  );
});

test('each thing that happened is told once, in words', () => {
  expect(momentsOf(timeline).map(({ what, words }) => `${what}: ${words}`)).toEqual([
    'request: -',
    'attempt 1: sms by twilio: begun, trial',
    'challenge: c: push sent',
    'attempt 1: sms by twilio: completed, 2 parts, 190.5 UZS, reference SM1',
    'challenge: c: seen in the app',
    'job: rejected, no-channel',
    'answer: c: approved on device d, the signature holds',
    'closed: approved, after 2 checks',
    'event: verification.approved',
    'attempt 1: sms by twilio: delivered',
    'callback: verification.approved to https://a.example, try 1: failed, 500',
  ]);
});

test('a block is told with each factor that made it up, when it was decided', () => {
  const block = {
    at: at(2),
    reason: 'risk-blocked',
    until: at(59),
    factors: [
      { factor: 'ip', sent: 52, verified: 1, risk: 1 },
      { factor: 'device', sent: 9, verified: 0, risk: 0.5 },
    ],
  };
  const told = momentsOf({ ...timeline, sends: timeline.sends.map((send) => ({ ...send, block })) });
  expect(told.filter(({ what }) => what === 'block')).toEqual([
    {
      at: at(2),
      what: 'block',
      words: `risk-blocked until ${at(59).toISOString()}: ip 52 sent, 1 verified, risk 1; device 9 sent, 0 verified, risk 0.5`,
    },
  ]);
});

test('a signature that does not hold can not be overlooked', () => {
  const forged = momentsOf({ ...timeline, approvals: [{ ...approval, signatureHolds: false }] });
  expect(forged.find(({ what }) => what === 'answer')?.words).toContain('DOES NOT HOLD');
});

test('of an attempt only what is known is told, and a reference can not move the cursor', () => {
  const bare = { ...attempt, parts: 1, priceMicros: null, chosen: null, reference: '\u001B[2Jx' };
  const [send] = timeline.sends;
  const words = momentsOf({ ...timeline, sends: send ? [{ ...send, attempts: [bare] }] : [] })
    .filter(({ what }) => what === 'attempt 1')
    .map(({ words: said }) => said);
  expect(words).toEqual([
    'sms by twilio: begun',
    'sms by twilio: completed, 1 part, reference [2Jx',
    'sms by twilio: delivered',
  ]);
});

test('what retention took away, or has not happened, is not told', () => {
  const rest = momentsOf({ ...timeline, verification: null, sends: [], challenges: [], events: [] });
  expect(rest).toHaveLength(1);
  const open = { ...attempt, closedAt: null, deliveryAt: null };
  const begun = momentsOf({
    ...timeline,
    sends: timeline.sends.map((send) => ({ ...send, finishedAt: null, attempts: [open] })),
  });
  expect(begun.filter(({ what }) => what === 'attempt 1')).toHaveLength(1);
  expect(begun.some(({ what }) => what === 'job')).toBe(false);
});
