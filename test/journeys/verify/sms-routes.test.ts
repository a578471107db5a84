import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isFinal } from '../../../domain/job/job.ts';
import { type JobKind, jobs } from '../../../domain/jobs.ts';
import { type SmsProvider, smsProviderRules } from '../../../domain/verify/sms-provider.ts';
import { closeQueues, openQueues, producerRedis, type Queues } from '../../../infra/queue/queues.ts';
import { codeSentTo, type Navbat, startNavbat, type TestProject, until } from '../../support/navbat.ts';
import { passWait } from './pass-wait.ts';

let navbat: Navbat;
let queues: Queues<JobKind>;
/** As long as a job may take here on a busy machine. */
const ROUTE_MS = 120_000;
const WAIT_SECONDS = smsProviderRules.eskiz.confirmWithinSeconds;

beforeAll(async () => {
  navbat = await startNavbat({
    env: {
      ESKIZ_EMAIL: 'codes@example.com',
      ESKIZ_PASSWORD: randomUUID(),
      ESKIZ_FROM: '4546',
      PLAY_MOBILE_LOGIN: 'codes',
      PLAY_MOBILE_PASSWORD: randomUUID(),
      PLAY_MOBILE_FROM: '3700',
      SMS_ROUTES: JSON.stringify([
        {
          prefix: '+998',
          providers: [
            { provider: 'eskiz', price: '120 UZS' },
            { provider: 'play-mobile', price: '130 UZS' },
            { provider: 'twilio', price: '0.35 USD' },
          ],
        },
      ]),
    },
  });
  queues = openQueues(
    producerRedis(navbat.redisUrl, () => undefined),
    jobs,
  );
});
afterAll(async () => {
  await closeQueues(queues);
  await navbat.stop();
});

interface Attempt {
  readonly provider: string;
  readonly [field: string]: unknown;
}
interface Job {
  readonly state: string;
  readonly reason: string | null;
  readonly attempts: readonly Attempt[];
}

/** In a project of its own: what an aggregator says of a wording is remembered. In the listed order, whatever was measured. */
async function send(to: string): Promise<{ project: TestProject; id: string; jobId: string }> {
  const project = await navbat.createProject({ settings: { sms_route_by_measure: false } });
  const sent = await project.call('POST', '/otp/send', { to, channels: ['sms'] });
  expect(sent).toMatchObject({ status: 202, body: { channels: ['sms'] } });
  return { project, id: sent.body.id, jobId: sent.body.job_id };
}

type Sent = Awaited<ReturnType<typeof send>>;

const jobOf = async ({ project, id }: Sent): Promise<Job> =>
  (await project.call('GET', `/otp/${id}`)).body.jobs.at(-1);

const finished = (sent: Sent): Promise<Job> =>
  until(async () => {
    const job = await jobOf(sent);
    return isFinal(job.state as never) && job;
  }, ROUTE_MS);

/** The attempt is over, and its report is awaited. */
const closedAttempts = (sent: Sent, count: number): Promise<Job> =>
  until(async () => {
    const job = await jobOf(sent);
    return job.attempts.length === count && job.attempts.every(({ outcome }) => outcome !== null) && job;
  }, ROUTE_MS);

const order = (to: string, provider: SmsProvider, fault: object) =>
  navbat.sandbox.orderFaults({ channel: 'sms', provider, to, ...fault } as never);

const carriers = (to: string) =>
  navbat.sandbox.inbox({ to }).map(({ provider_reference }) => provider_reference);

const soum = (amount: number) => ({
  parts: 1,
  price_micros: String(amount * 1_000_000),
  price_currency: 'UZS',
});
const byEskiz = { provider: 'eskiz', channel: 'sms', chosen: 'listed' };
const byPlayMobile = { provider: 'play-mobile', channel: 'sms', chosen: 'failover' };
const byTwilio = { provider: 'twilio', channel: 'sms', chosen: 'failover' };
const unbilled = { parts: null, price_micros: null, cost_micros: null };
const delivered = { outcome: 'completed', delivery: 'delivered', provider_reference: expect.any(String) };
const dollars = { parts: 1, price_micros: '350000', price_currency: 'USD', cost_micros: '350000' };

/** Each has a number of its own. */
describe.concurrent('an SMS', () => {
  test('goes by the first provider of the route, at its price in soʻm, which the budget counts in dollars', async () => {
    const to = '+998901230001';
    const sent = await send(to);
    expect(await finished(sent)).toMatchObject({
      state: 'completed',
      reason: 'confirmed-by-sms',
      attempts: [{ ...byEskiz, ...delivered, ...soum(120), cost_micros: '10000', cost_currency: 'USD' }],
    });
    const code = await codeSentTo(navbat, to);
    expect(await sent.project.call('POST', '/otp/verify', { id: sent.id, code })).toMatchObject({
      status: 200,
    });
  });

  test.each([
    { to: '+998901230002', code: 'text-not-moderated', reason: 'text-not-moderated' },
    { to: '+998901230003', code: 'balance-empty', reason: 'balance-empty' },
  ])('that Eskiz and Play Mobile refuse for $code goes by Twilio', async ({ to, code, reason }) => {
    order(to, 'eskiz', { effect: 'reject', code });
    order(to, 'play-mobile', { effect: 'reject', code });
    expect(await finished(await send(to))).toMatchObject({
      reason: 'confirmed-by-sms',
      attempts: [
        { ...byEskiz, outcome: 'rejected', reason, ...unbilled },
        { ...byPlayMobile, outcome: 'rejected', reason, ...unbilled },
        { ...byTwilio, ...delivered, ...dollars },
      ],
    });
    expect(carriers(to)).toHaveLength(1);
  });

  test('that is reported as undelivered goes by the next provider at once', async () => {
    const to = '+998901230004';
    order(to, 'eskiz', { effect: 'undelivered', code: 'UNDELIV' });
    order(to, 'play-mobile', { effect: 'undelivered', code: 'NotDelivered' });
    expect(await finished(await send(to))).toMatchObject({
      reason: 'confirmed-by-sms',
      attempts: [
        { ...byEskiz, outcome: 'completed', delivery: 'failed', delivery_reason: 'UNDELIV', ...soum(120) },
        { ...byPlayMobile, outcome: 'completed', delivery: 'failed', ...soum(130) },
        { ...byTwilio, ...delivered, ...dollars },
      ],
    });
  });

  test(
    'of which nothing is reported goes by the next provider at its deadline',
    async () => {
      const to = '+998901230005';
      order(to, 'eskiz', { effect: 'never-delivered' });
      order(to, 'play-mobile', { effect: 'never-delivered' });
      const sent = await send(to);
      const first = await closedAttempts(sent, 1);
      expect(first).toMatchObject({
        state: 'running',
        attempts: [{ ...byEskiz, outcome: 'completed' }],
      });

      await passWait({ navbat, queues }, sent.jobId, WAIT_SECONDS);
      expect(await closedAttempts(sent, 2)).toMatchObject({
        attempts: [byEskiz, byPlayMobile],
      });
      await passWait({ navbat, queues }, sent.jobId, WAIT_SECONDS);
      expect(await finished(sent)).toMatchObject({
        reason: 'confirmed-by-sms',
        attempts: [byEskiz, byPlayMobile, { ...byTwilio, ...delivered }],
      });
    },
    ROUTE_MS,
  );

  test(
    'that timed out after it was taken is not sent twice by that provider: the next one is tried at its deadline',
    async () => {
      const to = '+998901230006';
      // Longer than an attempt may take; then it is taken, and neither delivered nor reported.
      order(to, 'eskiz', { effect: 'lossy', share: 1, delay_ms: 12_000 });
      const sent = await send(to);
      expect(await closedAttempts(sent, 1)).toMatchObject({
        state: 'retrying',
        attempts: [{ ...byEskiz, outcome: 'unknown', reason: 'timeout', ...soum(120) }],
      });
      await passWait({ navbat, queues }, sent.jobId, WAIT_SECONDS);
      expect(await finished(sent)).toMatchObject({
        reason: 'confirmed-by-sms',
        attempts: [byEskiz, { ...byPlayMobile, ...delivered, ...soum(130) }],
      });
      // It is noted when it is answered, to nobody.
      await until(async () => navbat.sandbox.calls({ to, provider: 'eskiz' }).length > 0, ROUTE_MS);
      expect(navbat.sandbox.calls({ to, provider: 'eskiz' })).toHaveLength(1);
    },
    ROUTE_MS,
  );

  test('that timed out and arrived all the same ends the chain by its report', async () => {
    const to = '+998901230007';
    order(to, 'eskiz', { effect: 'hang-after', hang_ms: 12_000 });
    expect(await finished(await send(to))).toMatchObject({
      reason: 'confirmed-by-sms',
      attempts: [
        { ...byEskiz, outcome: 'unknown', delivery: 'delivered', provider_reference: expect.any(String) },
      ],
    });
    expect(carriers(to)).toHaveLength(1);
  });
});

test('50 sends that meet an expired token go by Eskiz after one login', async () => {
  const logins = () =>
    navbat.sandbox.calls({}).filter(({ provider, method }) => provider === 'eskiz' && method === 'auth/login')
      .length;
  const numbers = Array.from({ length: 50 }, (_, n) => `+99890124${String(n).padStart(4, '0')}`);
  const before = logins();
  navbat.sandbox.orderFaults({
    channel: 'sms',
    provider: 'eskiz',
    effect: 'reject',
    code: 'token-expired',
    times: 1,
  });
  const sends = await Promise.all(numbers.map(send));
  const jobs = await Promise.all(sends.map(finished));
  expect(jobs.map(({ attempts }) => attempts.map(({ provider, outcome }) => [provider, outcome]))).toEqual(
    numbers.map(() => [['eskiz', 'completed']]),
  );
  expect(logins() - before).toBe(1);
  for (const number of numbers) expect(carriers(number)).toHaveLength(1);
});
