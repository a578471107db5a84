import { isFinal } from '../../../domain/job/job.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FaultRequest } from '../../../apps/sandbox/faults.ts';
import { codeSentTo, type Navbat, startNavbat, type TestProject, until } from '../../support/navbat.ts';

const struck = { channel: 'sms', provider: 'play-mobile' } as const;
let navbat: Navbat;
let project: TestProject;
let next = 0;

beforeAll(async () => {
  navbat = await startNavbat({
    env: {
      PLAY_MOBILE_LOGIN: 'navbat',
      PLAY_MOBILE_PASSWORD: 'password-of-play-mobile',
      PLAY_MOBILE_FROM: '3700',
      SMS_ROUTES: JSON.stringify([
        { prefix: '+998', providers: [{ provider: 'play-mobile', price: '95 UZS' }] },
      ]),
    },
  });
  project = await navbat.createProject({ settings: { sends_per_hour: 100 } });
});
afterAll(() => navbat.stop());

/** A code sent by Play Mobile, which behaves as ordered. */
async function send(order?: FaultRequest) {
  const to = `+99890${700 + next++}0000`;
  if (order) navbat.sandbox.orderFaults({ ...order, ...struck, to });
  const { status, body } = await project.call('POST', '/otp/send', { to, channels: ['sms'] });
  expect(status, JSON.stringify(body)).toBe(202);
  const job = async () => (await project.call('GET', `/jobs/${body.job_id}`)).body;
  const ended = () =>
    until(async () => {
      const found = await job();
      return isFinal(found.state) && found;
    });
  return { to, id: body.id as string, job, ended };
}

test('a code that goes by Play Mobile is confirmed by its report, and billed by part in soʻm', async () => {
  const { to, id, ended } = await send();
  expect(await ended()).toMatchObject({
    state: 'completed',
    reason: 'confirmed-by-sms',
    attempts: [
      {
        provider: 'play-mobile',
        provider_reference: expect.stringMatching(/^[0-9a-f]{20}$/),
        delivery: 'delivered',
        parts: 1,
        price_micros: '95000000',
        price_currency: 'UZS',
      },
    ],
  });
  const code = await codeSentTo(navbat, to);
  expect((await project.call('POST', '/otp/verify', { id, code })).body).toMatchObject({
    status: 'approved',
  });
});

test('an answer that was lost is found again by its report: nothing is sent twice', async () => {
  const { to, ended } = await send({ effect: 'hang-after', hang_ms: 0 });
  expect(await ended()).toMatchObject({
    state: 'completed',
    reason: 'confirmed-by-sms',
    attempts: [{ outcome: 'unknown', delivery: 'delivered' }],
  });
  expect(navbat.sandbox.inbox({ to })).toHaveLength(1);
});

test('a forged report confirms nothing', async () => {
  const { to, job } = await send({ effect: 'reports', forged: true });
  await codeSentTo(navbat, to);
  // Both of its reports have been refused by then.
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await job()).toMatchObject({ state: 'running', attempts: [{ delivery: null }] });
});

test('reports that come twice and in the wrong order end as the message did', async () => {
  const { ended } = await send({ effect: 'reports', report_times: 2, reversed: true });
  expect(await ended()).toMatchObject({ state: 'completed', attempts: [{ delivery: 'delivered' }] });
});

test('what was not delivered ends the job with the broker’s word', async () => {
  const { ended } = await send({ effect: 'undelivered', code: 'Rejected' });
  expect(await ended()).toMatchObject({
    reason: 'delivery-failed',
    attempts: [{ delivery: 'failed', delivery_reason: 'Rejected' }],
  });
});

test.each([
  'balance-empty',
  'credentials',
  // The last of all: no text of this wording is sent by it for a while.
  'text-not-moderated',
] as const)('%s is a reason of its own on the attempt', async (reason) => {
  const { ended } = await send({ effect: 'reject', code: reason });
  expect(await ended()).toMatchObject({ attempts: [{ provider: 'play-mobile', reason }] });
});
