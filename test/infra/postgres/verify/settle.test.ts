import type { PaidOpening } from '../../../../domain/verify/otp-job.ts';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobId } from '../../../../domain/shared/ids.ts';
import type { ClosingAttempt } from '../../../../domain/job/store.ts';
import { opsCommands } from '../../../../infra/postgres/staff/ops-commands.ts';
import { deadlocksOf, openWorld, orderFor, sendCode, type World } from './world.ts';
import { jobs } from '../../../../domain/jobs.ts';
import { settles } from '../../../../infra/postgres/settles.ts';

/**
 * Everybody locks in one order: destination, verification, a number's and a project's money, prefix, job, attempt. Each test
 * holds a row that comes early, lets a statement of ours run up to it, and then takes one that comes late: where the
 * statement holds that already, Postgres finds a circle.
 */
let world: World;
let caller: Awaited<ReturnType<World['makeProject']>>;
let next = 0;
const freshPhone = () => `+99891${100 + next++}0000`;

beforeAll(async () => {
  world = await openWorld();
  caller = await world.makeProject();
});
afterAll(() => world.close());

const A_MOMENT_MS = 300;

async function meet(
  hold: [string, unknown[]],
  ours: () => Promise<unknown>,
  take: [string, unknown[]],
): Promise<void> {
  const before = await deadlocksOf(world);
  const other = new pg.Client({ connectionString: world.url });
  await other.connect();
  try {
    await other.query('begin');
    await other.query(...hold);
    const running = ours();
    running.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, A_MOMENT_MS));
    await other.query(...take);
    await other.query('commit');
    await running;
  } finally {
    await other.end();
  }
  expect(await deadlocksOf(world)).toBe(before);
}

async function openSms(
  jobId: JobId,
  phone: string,
  client: Partial<PaidOpening['scored']> = {},
): Promise<void> {
  const opened = await world.paid.open({
    jobId,
    n: 1,
    channel: 'sms',
    provider: 'twilio',
    projectId: caller.projectId,
    addressHash: world.hash('address', phone),
    scored: { prefix: phone.slice(0, -4), ip: null, device: null, ...client },
    isTrusted: false,
    isLater: false,
    askedBy: 'service',
    budget: { budgetMicros: 20_000_000, strangerBudgetMicros: 10_000_000 },
    reservedMicros: 350_000,
  });
  expect(opened).toEqual({ kind: 'accepted', opened: 'opened' });
}
const closing = (jobId: JobId, more: Partial<ClosingAttempt>): ClosingAttempt => ({
  jobId,
  n: 1,
  outcome: 'completed',
  reason: null,
  providerReference: 'SM1',
  costMicros: 350_000n,
  costCurrency: 'USD',
  latencyMs: 5,
  next: { runAt: new Date() },
  ...more,
});
const refusedByProvider = {
  outcome: 'rejected',
  reason: 'filtered',
  costMicros: null,
  costCurrency: null,
} as const;
const jobLock = 'select from job where id = $1 for update';

describe('two that lock the same rows never wait for each other in a circle', () => {
  test('a callback and the close of its attempt', async () => {
    const phone = freshPhone();
    const { jobId } = await sendCode(world, orderFor(caller, phone));
    await openSms(jobId, phone);
    await meet([jobLock, [jobId]], () => world.store.close(closing(jobId, {})), [
      'update attempt set delivery = $2 where job_id = $1',
      [jobId, 'delivered'],
    ]);
  });

  test('a close that gives back and an opening', async () => {
    const phone = freshPhone();
    const { jobId } = await sendCode(world, orderFor(caller, phone));
    await openSms(jobId, phone);
    await meet(
      ['select from paid_spend where project_id = $1 for update', [caller.projectId]],
      () => world.store.close(closing(jobId, refusedByProvider)),
      ['select from prefix_score where project_id = $1 for update', [caller.projectId]],
    );
  });

  test('an approval and the opening of an SMS', async () => {
    const phone = freshPhone();
    const { id, jobId, code } = await sendCode(world, orderFor(caller, phone));
    await openSms(jobId, phone);
    await meet(
      [
        'select from prefix_score where project_id = $1 and prefix = $2 for update',
        [caller.projectId, phone.slice(0, -4)],
      ],
      () =>
        world.checks.check({
          projectId: caller.projectId,
          mode: 'live',
          of: { id, purpose: null, by: 'service' },
          code,
        }),
      [jobLock, [jobId]],
    );
  });

  /** Locked in this order by everybody: `+99…`, `device …`, `ip …`. */
  const scoreLock = (name: string): [string, unknown[]] => [
    'select from prefix_score where project_id = $1 and prefix = $2 for update',
    [caller.projectId, name],
  ];
  async function sentByClient(phone: string) {
    const client = { ip: '84.54.72.1', device_id: 'shared' };
    const made = await sendCode(world, orderFor(caller, phone, { client }));
    const { rows } = await world.pool.query<{ ip: string; device: string }>(
      'select scored_ip ip, scored_device device from verification where id = $1',
      [made.id],
    );
    const [names] = rows;
    if (!names) throw new Error('no such verification');
    await openSms(made.jobId, phone, names);
    return { ...made, names };
  }

  test('an approval and an opening that share an address and a device', async () => {
    const { id, code, names } = await sentByClient(freshPhone());
    const of = { id, purpose: null, by: 'service' } as const;
    await meet(
      scoreLock(names.device),
      () => world.checks.check({ projectId: caller.projectId, mode: 'live', of, code }),
      scoreLock(names.ip),
    );
  });

  test('a close that gives back and an opening that share an address and a device', async () => {
    const { jobId, names } = await sentByClient(freshPhone());
    await meet(
      scoreLock(names.device),
      () => world.store.close(closing(jobId, refusedByProvider)),
      scoreLock(names.ip),
    );
  });

  test('an opening and an approval that share an address and a device', async () => {
    const phone = freshPhone();
    const { names } = await sentByClient(phone);
    const other = freshPhone();
    const { jobId } = await sendCode(world, orderFor(caller, other));
    await meet(scoreLock(names.device), () => openSms(jobId, other, names), scoreLock(names.ip));
  });

  test('a cancellation by staff and an approval', async () => {
    const { id, jobId } = await sendCode(world, orderFor(caller, freshPhone()));
    const by = { id: randomUUID(), email: `${randomUUID()}@navbat.example`, role: 'operator' } as const;
    await world.pool.query(
      `insert into staff (id, email, role, password_hash, created_at) values ($1, $2, $3, 'none', now())`,
      [by.id, by.email, by.role],
    );
    const quiet = async () => undefined;
    const desk = { reissue: quiet, promote: quiet, remove: quiet, pause: quiet, resume: quiet };
    await meet(
      ['select from verification where id = $1 for update', [id]],
      () =>
        opsCommands(world.pool, { jobs, settles }, desk, () => undefined).job(
          'cancel',
          jobId,
          by,
          new Date(),
        ),
      [jobLock, [jobId]],
    );
    const { rows } = await world.pool.query('select state from verification where id = $1', [id]);
    expect(rows).toEqual([{ state: 'cancelled' }]);
  });

  test('an approval and a job that expires, with an attempt and without', async () => {
    for (const attempts of [0, 1]) {
      const phone = freshPhone();
      const { id, jobId } = await sendCode(world, orderFor(caller, phone));
      if (attempts > 0) await openSms(jobId, phone);
      await meet(
        ['select from verification where id = $1 for update', [id]],
        () =>
          attempts > 0
            ? world.store.close(closing(jobId, { next: { state: 'expired', reason: 'deadline' } }))
            : world.store.finish(jobId, 'expired', 'deadline'),
        [jobLock, [jobId]],
      );
      const { rows } = await world.pool.query('select state from verification where id = $1', [id]);
      expect(rows).toEqual([{ state: 'expired' }]);
    }
  });
});
