import { isFinal } from '../../../domain/job/job.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { channelRules } from '../../../domain/verify/channel.ts';
import { closeQueues, openQueues, producerRedis, type Queues } from '../../../infra/queue/queues.ts';
import { codeSentTo, type Navbat, startNavbat, type TestProject, until } from '../../support/navbat.ts';
import { passWait } from './pass-wait.ts';
import { type JobKind, jobs } from '../../../domain/jobs.ts';

let navbat: Navbat;
let project: TestProject;
let queues: Queues<JobKind>;
/** As long as a job may take here on a busy machine. */
const CHAIN_MS = 150_000;
/** Between two looks at the clock, on a machine that is busy. */
const CLOCK_MS_MAX = 5_000;
const PUSH_WAIT_SECONDS = channelRules.push.confirmWithinSeconds;

beforeAll(async () => {
  navbat = await startNavbat();
  project = await navbat.createProject();
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
  readonly channel: string;
  readonly [field: string]: unknown;
}

async function timeline(id: string) {
  const { body } = await project.call('GET', `/otp/${id}`);
  return body as {
    status: string;
    jobs: { id: string; state: string; reason: string | null; attempts: Attempt[] }[];
  };
}
const finished = (id: string) =>
  until(async () => {
    const { jobs } = await timeline(id);
    return jobs.every(({ state }) => isFinal(state)) && jobs.at(-1);
  }, CHAIN_MS);

async function passPushWait(jobId: string): Promise<void> {
  await passWait({ navbat, queues }, jobId, PUSH_WAIT_SECONDS);
  const queue = queues.of['otp-send'];
  await until(async () => !['delayed', 'waiting', 'active'].includes(await queue.getJobState(jobId)));
}

/** When the queue entry of a job that waits is due. */
async function sleepsUntil(jobId: string): Promise<Date> {
  const queue = queues.of['otp-send'];
  const score = await until(() => queues.redis.zscore(queue.toKey('delayed'), jobId));
  // BullMQ keeps the place among those of the same millisecond in the lowest twelve bits.
  return new Date(Math.floor(Number(score) / 0x1000));
}

async function recipient(phone: string, chatId: number) {
  const put = await project.call('PUT', '/recipients', {
    phone,
    telegram_chat_id: chatId,
    push_token: `token-of-${chatId}`,
  });
  expect(put.status, JSON.stringify(put.body)).toBeLessThan(300);
  return put.body.id as string;
}

/** Each has a number of its own, and mostly waits. */
describe.concurrent('a chain', () => {
  test(
    'push not confirmed → telegram refused → SMS delivered, each attempt with provider, reference, reason, cost and latency',
    async () => {
      const phone = '+998901234501';
      const id = await recipient(phone, 5_501);
      navbat.sandbox.orderFaults({ channel: 'telegram', to: '5501', effect: 'reject', code: 'blocked' });
      const sent = await project.call('POST', '/otp/send', { to: phone });
      expect(sent).toMatchObject({ status: 202, body: { channels: ['push', 'telegram', 'sms'] } });

      const due = await sleepsUntil(sent.body.job_id);
      const pushed = (await timeline(sent.body.id)).jobs[0]?.attempts[0];
      const sleepsMs = due.getTime() - Date.parse(String(pushed?.['closed_at']));
      // The worker reads its clock a moment before the row is written.
      expect(Math.abs(sleepsMs - PUSH_WAIT_SECONDS * 1_000)).toBeLessThan(CLOCK_MS_MAX);
      await passPushWait(sent.body.job_id);
      const job = await finished(sent.body.id);
      expect(job).toMatchObject({ state: 'completed', reason: 'confirmed-by-sms' });
      expect(job?.attempts).toMatchObject([
        {
          n: 1,
          channel: 'push',
          provider: 'fcm',
          outcome: 'completed',
          provider_reference: expect.any(String),
          cost_micros: null,
          delivery: null,
        },
        {
          n: 2,
          channel: 'telegram',
          provider: 'telegram-bot',
          outcome: 'rejected',
          reason: 'bot-blocked',
          provider_reference: null,
          cost_micros: null,
        },
        {
          n: 3,
          channel: 'sms',
          provider: 'twilio',
          outcome: 'completed',
          provider_reference: expect.stringMatching(/^SM/),
          cost_currency: 'USD',
          delivery: 'delivered',
        },
      ]);
      expect(Number(job?.attempts[2]?.['cost_micros'])).toBeGreaterThan(0);
      for (const attempt of job?.attempts ?? []) expect(attempt['latency_ms']).toBeGreaterThanOrEqual(0);

      // One code on every channel, and the chat that is blocked is not tried again.
      const codes = navbat.sandbox
        .inbox()
        .filter(({ to }) => to === phone || to === 'token-of-5501')
        .map(({ text }) => /\b\d{6}\b/.exec(text)?.[0]);
      expect(new Set(codes).size).toBe(1);
      expect((await project.call('GET', `/recipients/${id}`)).body.telegram_blocked_at).not.toBeNull();
    },
    CHAIN_MS + 10_000,
  );

  test(
    'approval in the middle stops the chain',
    async () => {
      const phone = '+998901234502';
      await recipient(phone, 5_502);
      const sent = await project.call('POST', '/otp/send', { to: phone });
      const code = await codeSentTo(navbat, 'token-of-5502');
      expect(await project.call('POST', '/otp/verify', { id: sent.body.id, code })).toMatchObject({
        status: 200,
      });
      expect(await timeline(sent.body.id)).toMatchObject({
        status: 'approved',
        jobs: [{ state: 'completed', reason: 'approved' }],
      });

      // Past the deadline of the push, where the chain would have moved on.
      await passPushWait(sent.body.job_id);
      expect(navbat.sandbox.inbox({ to: '5502' })).toEqual([]);
      expect(navbat.sandbox.inbox({ to: phone })).toEqual([]);
      expect((await timeline(sent.body.id)).jobs[0]?.attempts).toHaveLength(1);
    },
    CHAIN_MS,
  );

  test('a telegram chat is confirmed by its answer, and ends the chain', async () => {
    const phone = '+998901234503';
    await recipient(phone, 5_503);
    const sent = await project.call('POST', '/otp/send', { to: phone, channels: ['telegram', 'sms'] });
    expect(await finished(sent.body.id)).toMatchObject({
      reason: 'confirmed-by-telegram',
      attempts: [{ channel: 'telegram', outcome: 'completed' }],
    });
    expect(navbat.sandbox.inbox({ to: phone })).toEqual([]);
  });

  test('the Gateway’s callback confirms; an undelivered message moves on', async () => {
    const delivered = '+998901234504';
    const first = await project.call('POST', '/otp/send', {
      to: delivered,
      channels: ['telegram-gateway', 'sms'],
    });
    expect(await finished(first.body.id)).toMatchObject({
      reason: 'confirmed-by-telegram-gateway',
      attempts: [{ delivery: expect.stringMatching(/delivered|read/), cost_currency: 'USD' }],
    });

    const refused = '+998901234505';
    navbat.sandbox.orderFaults({
      channel: 'telegram-gateway',
      to: refused,
      effect: 'reject',
      code: 'PHONE_NUMBER_NOT_FOUND',
    });
    const second = await project.call('POST', '/otp/send', {
      to: refused,
      channels: ['telegram-gateway', 'sms'],
    });
    expect(await finished(second.body.id)).toMatchObject({
      reason: 'confirmed-by-sms',
      attempts: [{ outcome: 'rejected' }, { delivery: 'delivered' }],
    });
  });

  test('an SMS that its operator reports undelivered ends as rejected, with the reason', async () => {
    const phone = '+998901234506';
    navbat.sandbox.orderFaults({ channel: 'sms', to: phone, effect: 'undelivered', code: 30005 });
    const sent = await project.call('POST', '/otp/send', { to: phone });
    expect(await finished(sent.body.id)).toMatchObject({
      state: 'rejected',
      reason: 'delivery-failed',
      attempts: [{ outcome: 'completed', delivery: 'failed', delivery_reason: '30005' }],
    });
  });

  test('a passing fault is retried, and the last failure exhausts the job', async () => {
    const twice = '+998901234507';
    navbat.sandbox.orderFaults({ channel: 'sms', to: twice, effect: 'server-error', times: 2 });
    const healed = await project.call('POST', '/otp/send', { to: twice });
    const always = '+998901234508';
    navbat.sandbox.orderFaults({ channel: 'sms', to: always, effect: 'server-error' });
    const lost = await project.call('POST', '/otp/send', { to: always });
    expect(await finished(healed.body.id)).toMatchObject({
      state: 'completed',
      attempts: [{ outcome: 'failed' }, { outcome: 'failed' }, { outcome: 'completed' }],
    });
    expect(await finished(lost.body.id)).toMatchObject({
      state: 'failed',
      reason: 'provider-internal',
      attempts: [{ n: 1 }, { n: 2 }, { n: 3 }],
    });
    // What never left counts neither against the budget nor as a code that nobody verified.
    const { rows } = await navbat.db.query(
      `select (select count(*)::int from attempt a where a.job_id = v.job_id and a.cost_micros > 0) paid from verification v where v.id = any($1) order by v.id`,
      [[healed.body.id, lost.body.id]],
    );
    expect(rows).toEqual([{ paid: 1 }, { paid: 0 }]);
  });

  test('a provider that asks to wait is obeyed and costs no try', async () => {
    const phone = '+998901234509';
    navbat.sandbox.orderFaults({
      channel: 'sms',
      to: phone,
      effect: 'rate-limit',
      retry_after_seconds: 2,
      times: 1,
    });
    const sent = await project.call('POST', '/otp/send', { to: phone });
    const job = await finished(sent.body.id);
    expect(job).toMatchObject({
      state: 'completed',
      attempts: [{ outcome: 'snoozed' }, { outcome: 'completed' }],
    });
    const [first, second] = job?.attempts ?? [];
    expect(
      Date.parse(String(second?.['opened_at'])) - Date.parse(String(first?.['closed_at'])),
    ).toBeGreaterThanOrEqual(1_980);
  });

  test('callbacks with a wrong signature change nothing', async () => {
    const phone = '+998901234510';
    navbat.sandbox.orderFaults({ channel: 'sms', to: phone, effect: 'never-delivered' });
    const sent = await project.call('POST', '/otp/send', { to: phone });
    await codeSentTo(navbat, phone);
    const body = new URLSearchParams({
      MessageSid: 'SM1',
      MessageStatus: 'delivered',
      To: phone,
      From: '+1',
      AccountSid: 'AC1',
      ApiVersion: '2010-04-01',
    });
    const reply = await fetch(`${navbat.apiUrl}/callbacks/twilio/${sent.body.job_id}/1`, {
      method: 'POST',
      body,
      headers: { 'X-Twilio-Signature': 'AAAA' },
    });
    expect(reply.status).toBe(403);
    expect((await timeline(sent.body.id)).jobs[0]?.attempts).not.toMatchObject([{ delivery: 'delivered' }]);
  });
});
