import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobId } from '../../../../domain/shared/ids.ts';
import type { SendReply } from '../../../../domain/job/reply.ts';
import { openWorld, orderFor, sendCode, type World } from './world.ts';

let world: World;
let caller: Awaited<ReturnType<World['makeProject']>>;
let next = 0;
/** Each has a prefix of its own, or what is never verified would block the others. */
const freshPhone = () => `+99890${100 + next++}0000`;

beforeAll(async () => {
  world = await openWorld();
  caller = await world.makeProject();
});
afterAll(() => world.close());

const taken: SendReply = { kind: 'accepted', reference: 'SM1', cost: null };
const report = (
  jobId: JobId,
  attempt: number,
  status: 'sent' | 'delivered' | 'failed' | 'expired',
  more: { provider?: string; refunded?: boolean } = {},
) =>
  world.deliveries.record({
    jobId,
    attempt,
    provider: more.provider ?? 'twilio',
    reference: `reference-${attempt}`,
    report: { status, reason: null, at: new Date(), refunded: more.refunded ?? false },
  });
const attemptsOf = async (jobId: JobId) =>
  (await world.pool.query('select * from attempt where job_id = $1 order by n', [jobId])).rows;

describe('a report that overtakes its own answer is acted upon at once', () => {
  test('a delivery completes the job', async () => {
    const { jobId } = await sendCode(world, orderFor(caller, freshPhone()));
    const wake = world.wake({
      sms: async () => {
        await report(jobId, 1, 'delivered');
        return taken;
      },
    });
    expect(await wake(jobId)).toEqual({ kind: 'finished', state: 'completed', reason: 'confirmed-by-sms' });
  });

  test('one that comes while the job is put to sleep is seen when its queue entry is woken', async () => {
    const { jobId } = await sendCode(world, orderFor(caller, freshPhone()));
    const wake = world.wake({ sms: async () => taken });
    expect(await wake(jobId)).toMatchObject({ kind: 'waiting' });
    expect(await report(jobId, 1, 'delivered')).toBe('wake');
    // The sleeper read its row before the report and writes after it.
    await world.store.postpone(jobId, 1, new Date(Date.now() + 60_000));
    expect(await wake(jobId)).toMatchObject({ kind: 'finished', state: 'completed' });
  });
});

describe('what a provider reports late', () => {
  const gateway = { provider: 'telegram-gateway' };
  /** Sent by the Gateway, which then says nothing in its time. */
  const silentGateway = async () => {
    const { jobId } = await sendCode(
      world,
      orderFor(caller, freshPhone(), { channels: ['telegram-gateway', 'sms'] }),
    );
    await world.wake({ 'telegram-gateway': async () => taken })(jobId);
    await world.pool.query(`update attempt set closed_at = closed_at - interval '1 min' where job_id = $1`, [
      jobId,
    ]);
    await world.pool.query('update job set run_at = now() where id = $1', [jobId]);
    return jobId;
  };

  test('of an earlier message that arrived after all ends the chain at once', async () => {
    const jobId = await silentGateway();
    expect(
      await world.wake({ 'telegram-gateway': async () => taken, sms: async () => taken })(jobId),
    ).toMatchObject({
      kind: 'waiting',
    });
    expect(await report(jobId, 1, 'failed', gateway)).toBe('recorded');
    expect(await report(jobId, 1, 'delivered', gateway)).toBe('recorded');
    expect((await attemptsOf(jobId)).map(({ delivery }) => delivery)).toEqual(['failed', null]);

    const other = await silentGateway();
    await world.wake({ 'telegram-gateway': async () => taken, sms: async () => taken })(other);
    expect(await report(other, 1, 'delivered', gateway)).toBe('wake');
    expect(await world.wake({ sms: async () => taken })(other)).toMatchObject({
      state: 'completed',
      reason: 'confirmed-by-telegram-gateway',
    });
  });

  test('while the next message is under way is seen when that one is sent', async () => {
    const jobId = await silentGateway();
    const sms = async () => {
      await report(jobId, 1, 'delivered', gateway);
      return taken;
    };
    expect(await world.wake({ 'telegram-gateway': async () => taken, sms })(jobId)).toMatchObject({
      state: 'completed',
      reason: 'confirmed-by-telegram-gateway',
    });
  });

  test('gives an attempt whose answer was lost its reference', async () => {
    const { jobId } = await sendCode(world, orderFor(caller, freshPhone()));
    await world.wake({ sms: async () => ({ kind: 'unknown', reason: 'timeout' }) })(jobId);
    expect(await attemptsOf(jobId)).toMatchObject([{ outcome: 'unknown', provider_reference: null }]);
    await report(jobId, 1, 'sent');
    expect(await attemptsOf(jobId)).toMatchObject([{ delivery: 'sent', provider_reference: 'reference-1' }]);
  });

  test('as refunded costs nothing, and goes back to the budget once', async () => {
    const payer = await world.makeProject();
    const spent = async () =>
      Number(
        (
          await world.pool.query('select spent_micros from paid_spend where project_id = $1', [
            payer.projectId,
          ])
        ).rows[0]?.spent_micros,
      );
    const send = async () => {
      const { jobId } = await sendCode(
        world,
        orderFor(payer, freshPhone(), { channels: ['telegram-gateway'] }),
      );
      await world.wake({ 'telegram-gateway': async () => taken })(jobId);
      return jobId;
    };
    const [kept, returned] = [await send(), await send()];
    const price = (await spent()) / 2;
    expect(price).toBeGreaterThan(0);
    for (let time = 1; time <= 2; time++)
      await report(returned, 1, 'expired', { ...gateway, refunded: true });
    expect(await spent()).toBe(price);
    expect(await attemptsOf(returned)).toMatchObject([{ delivery: 'expired', cost_micros: '0' }]);
    expect(await attemptsOf(kept)).toMatchObject([{ cost_micros: String(price) }]);
  });
});

describe('a report that names its message and no attempt', () => {
  type Status = 'sent' | 'delivered' | 'failed';
  const reportOf = (reference: string, status: Status) => ({
    reference,
    report: { status, reason: null, at: new Date(), refunded: false },
  });
  const listed = async (reference: string, status: Status, provider = 'play-mobile') =>
    (await world.deliveries.recordListed(provider, [reportOf(reference, status)]))[0];
  /** A code whose one SMS went by Play Mobile, under this id of ours. */
  const sentAs = async (reference: string) => {
    const { jobId } = await sendCode(world, orderFor(caller, freshPhone()));
    await world.wake({ sms: async () => ({ ...taken, reference }) })(jobId);
    await world.owner.query(`update attempt set provider = 'play-mobile' where job_id = $1`, [jobId]);
    return jobId;
  };

  test('is recorded as one that names the attempt: forward only, and it wakes the job', async () => {
    const jobId = await sentAs('message-1');
    expect(await listed('message-1', 'sent')).toEqual({ kind: 'recorded' });
    expect(await listed('message-1', 'delivered')).toEqual({ kind: 'wake', jobId });
    expect(await listed('message-1', 'sent')).toMatchObject({ kind: 'recorded' });
    expect(await attemptsOf(jobId)).toMatchObject([
      { delivery: 'delivered', provider_reference: 'message-1' },
    ]);
  });

  test('reaches its own attempt alone', async () => {
    const [one, two] = [await sentAs('message-2'), await sentAs('message-3')];
    await listed('message-2', 'failed');
    expect(await attemptsOf(one)).toMatchObject([{ delivery: 'failed' }]);
    expect(await attemptsOf(two)).toMatchObject([{ delivery: null }]);
  });

  test('of an unknown message, or in the name of another provider, changes nothing', async () => {
    const jobId = await sentAs('message-4');
    expect(await listed('message-5', 'delivered')).toEqual({ kind: 'unknown-attempt' });
    expect(await listed('message-4', 'delivered', 'twilio')).toEqual({ kind: 'unknown-attempt' });
    await world.owner.query(`update attempt set provider = 'twilio' where job_id = $1`, [jobId]);
    expect(await listed('message-4', 'delivered')).toEqual({ kind: 'unknown-attempt' });
    expect(await attemptsOf(jobId)).toMatchObject([{ delivery: null }]);
  });

  test('that can’t be recorded is told in its place, and loses none behind it', async () => {
    const [one, two] = [await sentAs('message-6'), await sentAs('message-7')];
    const list = ['message-6', 'poison\0', 'message-7'].map((reference) => reportOf(reference, 'delivered'));
    expect(await world.deliveries.recordListed('play-mobile', list)).toEqual([
      { kind: 'wake', jobId: one },
      { kind: 'failed', error: expect.objectContaining({ code: '22021' }) },
      { kind: 'wake', jobId: two },
    ]);
  });

  test('stands in a list that is given up after three in a row that failed: it is not the reports', async () => {
    const jobId = await sentAs('message-8');
    const list = ['1\0', '2\0', '3\0', 'message-8'].map((reference) => reportOf(reference, 'delivered'));
    const recorded = await world.deliveries.recordListed('play-mobile', list);
    expect(recorded.map(({ kind }) => kind)).toEqual(['failed', 'failed', 'failed', 'failed']);
    expect(await attemptsOf(jobId)).toMatchObject([{ delivery: null }]);
    expect(await listed('message-8', 'delivered')).toEqual({ kind: 'wake', jobId });
  });

  test('is found by an index, however many attempts there are', async () => {
    const client = await world.pool.connect();
    try {
      await client.query('set enable_seqscan = off');
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(
        `explain select job_id, n from attempt where provider = 'play-mobile' and provider_reference = 'x'`,
      );
      expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('attempt_play_mobile_message');
    } finally {
      client.release(true);
    }
  });
});
