import { expect, onTestFinished, test } from 'vitest';
import { channelRules } from '../../../domain/verify/channel.ts';
import { openWorld, orderFor, sendCode } from '../../infra/postgres/verify/world.ts';
import { gated, workshop } from '../workshop.ts';

/** Of a queue entry. */
const LOCK_MS = 5_000;
const never = new AbortController().signal;
const unknown = { outcome: 'unknown', reason: 'worker-lost' };
const completed = { outcome: 'completed', reason: null };

test('opened and not closed: the next wake-up closes it as unknown and opens the next number', async () => {
  const { accept, store, worker, attemptsOf, jobOf, sandbox, clock } = await workshop();
  const [id] = await accept(1);
  if (!id) throw new Error('none accepted');
  expect(await store.open({ jobId: id, n: 1, channel: 'sms', provider: 'twilio' })).toBe('opened');
  clock.aheadMs = LOCK_MS; // A killed worker's queue entry comes back when its lock has run out.

  expect(await worker()(id, never)).toMatchObject({ kind: 'waiting' });
  expect(await attemptsOf(id)).toEqual([
    { n: 1, ...unknown },
    { n: 2, ...completed },
  ]);
  expect((await jobOf(id))?.attempts).toBe(2);
  expect(sandbox.inbox()).toHaveLength(1);
});

test('closed and not acknowledged: the queue entry that comes back finds the row finished and sends nothing', async () => {
  const { accept, worker, store, attemptsOf, jobOf, sandbox } = await workshop();
  const [id] = await accept(1);
  if (!id) throw new Error('none accepted');
  await worker()(id, never);
  await store.finish(id, 'completed', 'confirmed-by-sms');

  expect(await worker()(id, never)).toEqual({
    kind: 'finished',
    state: 'completed',
    reason: 'confirmed-by-sms',
  });
  expect(await attemptsOf(id)).toEqual([{ n: 1, ...completed }]);
  expect(await jobOf(id)).toMatchObject({ state: 'completed', attempts: 1 });
  expect(sandbox.inbox()).toHaveLength(1);
});

test('the answer to a close is lost: it is repeated, and one message stays one message', async () => {
  const { accept, store, worker, attemptsOf, sandbox } = await workshop();
  const [id] = await accept(1);
  if (!id) throw new Error('none accepted');
  let lost = 0;
  const losing = worker({
    store: {
      close: async (closing) => {
        const closed = await store.close(closing);
        if (lost++ === 0) throw new Error('Connection terminated unexpectedly');
        return closed;
      },
    },
  });

  expect(await losing(id, never)).toMatchObject({ kind: 'waiting' });
  expect(lost).toBe(2);
  expect(await attemptsOf(id)).toEqual([{ n: 1, ...completed }]);
  expect(sandbox.inbox()).toHaveLength(1);
});

test("a frozen worker that goes on closes nobody else's attempt, and sends nothing more", async () => {
  const { accept, sms, worker, attemptsOf, sandbox, clock } = await workshop();
  const [id] = await accept(1);
  if (!id) throw new Error('none accepted');
  const [frozen, other] = [gated(sms), gated(sms)];
  const frozenWake = worker({ channel: frozen })(id, never);
  await frozen.arrived;
  clock.aheadMs = LOCK_MS;
  const otherWake = worker({ channel: other })(id, never);
  await other.arrived;

  frozen.open();
  expect(await frozenWake).toMatchObject({ kind: 'waiting' });
  expect(await attemptsOf(id)).toEqual([
    { n: 1, ...unknown },
    { n: 2, outcome: null, reason: null },
  ]);
  other.open();
  await otherWake;
  expect(await attemptsOf(id)).toEqual([
    { n: 1, ...unknown },
    { n: 2, ...completed },
  ]);
  expect(sandbox.inbox()).toHaveLength(2);
});

test('a queue entry that a wiped Redis gave twice leaves the attempt of a living worker alone', async () => {
  const { accept, sms, worker, attemptsOf, sandbox, clock } = await workshop();
  const [id] = await accept(1);
  if (!id) throw new Error('none accepted');
  const living = gated(sms);
  const livingWake = worker({ channel: living })(id, never);
  await living.arrived;
  clock.aheadMs = LOCK_MS / 2;
  expect(await worker()(id, never)).toMatchObject({ kind: 'waiting' });
  living.open();
  await livingWake;
  expect(await attemptsOf(id)).toEqual([{ n: 1, ...completed }]);
  expect(sandbox.inbox()).toHaveLength(1);
});

test('a payload that cannot be read is rejected', async () => {
  const { accept, worker, jobOf, pool, sandbox } = await workshop();
  const [id] = await accept(1);
  if (!id) throw new Error('none accepted');
  await pool.query(`update job set payload = '{"verification_id": 7}' where id = $1`, [id]);
  expect(await worker()(id, never)).toMatchObject({ state: 'rejected', reason: 'payload-unreadable' });
  expect(await jobOf(id)).toEqual({ state: 'rejected', reason: 'payload-unreadable', attempts: 0 });
  expect(sandbox.calls()).toEqual([]);
});

test('a job past its deadline expires without a call to anyone, by its worker or by the reconciler', async () => {
  const { accept, worker, newReconciler, jobOf, clock, sandbox } = await workshop();
  const [woken, reconciled] = await accept(2);
  if (!woken || !reconciled) throw new Error('none accepted');
  clock.aheadMs = 301_000;
  expect(await worker()(woken, never)).toMatchObject({ state: 'expired', reason: 'deadline' });
  clock.aheadMs = 360_000;
  expect(await newReconciler().tick()).toMatchObject({ expired: 1 });
  for (const id of [woken, reconciled])
    expect(await jobOf(id)).toEqual({ state: 'expired', reason: 'deadline', attempts: 0 });
  expect(sandbox.calls()).toEqual([]);
});

test('the last failure writes failed, after as many attempts as the chain allows', async () => {
  const { accept, worker, jobOf, attemptsOf, clock, sandbox } = await workshop();
  const [id] = await accept(1);
  if (!id) throw new Error('none accepted');
  sandbox.orderFaults({ channel: 'sms', effect: 'server-error' });
  const wake = worker();
  for (const failure of [1, 2]) {
    expect(await wake(id, never), `failure ${failure}`).toMatchObject({
      kind: 'waiting',
      failed: 'provider-internal',
    });
    clock.aheadMs += 10_000;
  }
  expect(await wake(id, never)).toMatchObject({ kind: 'finished', state: 'failed' });
  expect(await jobOf(id)).toMatchObject({ state: 'failed', attempts: 3 });
  expect((await attemptsOf(id)).map(({ n, outcome }) => [n, outcome])).toEqual([
    [1, 'failed'],
    [2, 'failed'],
    [3, 'failed'],
  ]);
});

test('the pause before the next try ends with the row’s time: staff that say "run now" are heard', async () => {
  const { accept, worker, sms, pool, now, attemptsOf, sandbox } = await workshop();
  const [id] = await accept(1);
  if (!id) throw new Error('none accepted');
  const faulted = { kind: 'faulted', reason: 'provider-unavailable' } as const;
  const failing = worker({ channel: { ...sms, send: () => Promise.resolve(faulted) } });
  expect(await failing(id, never)).toMatchObject({ kind: 'waiting', failed: 'provider-unavailable' });

  // As the command writes it.
  await pool.query('update job set run_at = least(run_at, $2) where id = $1', [id, now()]);
  await worker()(id, never);
  expect(await attemptsOf(id)).toEqual([
    { n: 1, outcome: 'failed', reason: faulted.reason },
    { n: 2, ...completed },
  ]);
  expect(sandbox.inbox()).toHaveLength(1);
});

test('a provider that asked for a minute is not asked again sooner because a later channel is refused', async () => {
  const world = await openWorld();
  onTestFinished(() => world.close());
  const { telegramGateway, sms } = {
    telegramGateway: channelRules['telegram-gateway'].reservedMicros,
    sms: channelRules.sms.reservedMicros,
  };
  const caller = await world.makeProject({ sms_daily_budget_micros: 10 * sms });
  const { jobId } = await sendCode(
    world,
    orderFor(caller, '+998953000000', { channels: ['telegram-gateway', 'sms'] }),
  );
  await world.pool.query(
    `update project set settings = settings || jsonb_build_object('sms_daily_budget_micros', $2::bigint) where id = $1`,
    [caller.projectId, telegramGateway],
  );
  let asked = 0;
  const wake = world.wake({
    'telegram-gateway': async () => {
      asked += 1;
      return { kind: 'busy', because: 'provider-busy', retryAfterMs: 60_000 };
    },
    sms: () => Promise.reject(new Error('its budget is spent')),
  });
  const woken = [await wake(jobId), await wake(jobId)];
  expect(asked).toBe(1);
  for (const each of woken) {
    if (each.kind !== 'waiting') throw new Error(JSON.stringify(each));
    expect(each.until.getTime() - Date.now()).toBeGreaterThan(50_000);
  }
});
