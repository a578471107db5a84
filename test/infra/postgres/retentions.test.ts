import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobId } from '../../../domain/shared/ids.ts';
import { otpSend } from '../../../domain/verify/job.ts';
import { hotPool } from '../../../infra/postgres/engine/hot-pool.ts';
import { reconcilerQueries } from '../../../infra/postgres/job/reconciler.ts';
import { reconciler } from '../../../workers/engine/reconciler.ts';
import { openWorld, orderFor, sendCode, type World } from './verify/world.ts';
import { jobs } from '../../../domain/jobs.ts';
import { settles } from '../../../infra/postgres/settles.ts';
import { retentions } from '../../../infra/postgres/retentions.ts';

const DAY_MS = 86_400_000;
const OLD_JOBS = 12_000;
let world: World;
let caller: Awaited<ReturnType<World['makeProject']>>;

beforeAll(async () => {
  world = await openWorld();
  caller = await world.makeProject();
});
afterAll(() => world.close());

test('retention keeps up with whatever is due: a full round is followed by the next at once, and usage stays', async () => {
  await world.pool.query(
    `insert into job (id, kind, project_id, subject_id, payload, labels, state, attempts, run_at, deadline_at, accepted_at, finished_at)
     select gen_random_uuid(), 'otp-send', $1, gen_random_uuid(), '{}', '{}', 'completed', 1, $2, $2, $2, $2 from generate_series(1, $3::int)`,
    [caller.projectId, new Date(Date.now() - 40 * DAY_MS), OLD_JOBS],
  );
  await world.pool.query(
    `insert into attempt (job_id, n, project_id, channel, provider, opened_at, closed_at, outcome, cost_micros)
     select id, 1, project_id, 'sms', 'twilio', accepted_at, accepted_at, 'completed', 10 from job`,
  );
  const none = async () => undefined;
  const ports = {
    ...world.reconciler,
    retire: (at: Date) => world.reconciler.retire(at, { jobDays: 30, phoneDays: 7 }),
    reissue: async () => 0,
    redisRun: async () => 'run',
    mark: async () => 'reconciled run',
    setMark: none,
    applyPauses: none,
  };
  const { tick } = reconciler(ports, () => new Date());
  const retired = [];
  for (let ticks = 0; ticks < 4; ticks++) retired.push((await tick()).retired);
  expect(retired).toEqual([5_000, 5_000, 2_000, 0]);
  expect((await world.pool.query('select attempts, cost_micros from usage_day')).rows).toEqual([
    { attempts: String(OLD_JOBS), cost_micros: String(OLD_JOBS * 10) },
  ]);
});

test('a job past its deadline is left to its worker until its attempt must be over', async () => {
  const { jobId } = await sendCode(world, orderFor(caller, '+998951000000'));
  await world.store.open({ jobId, n: 1, channel: 'sms', provider: 'twilio' });
  const stateAfter = async (ms: number) => {
    await world.pool.query('update job set deadline_at = $2 where id = $1', [
      jobId,
      new Date(Date.now() - ms),
    ]);
    await world.reconciler.expire(new Date());
    return (await world.pool.query<{ state: string }>('select state from job where id = $1', [jobId])).rows[0]
      ?.state;
  };
  expect(await stateAfter(otpSend.attemptTimeoutMs + 1_000)).toBe('running');
  expect(await stateAfter(60_000)).toBe('expired');
  expect((await world.jobs.read(jobId as JobId))?.past).toMatchObject([
    { outcome: 'unknown', reason: 'worker-lost' },
  ]);
});

test('erasing a recipient reads its own verifications only', async () => {
  const { rows } = await world.pool.query<{ indexdef: string }>(
    `select indexdef from pg_indexes where tablename = 'verification' and indexdef like '%(recipient_id)%'`,
  );
  expect(rows).toHaveLength(1);
});

describe('what no limit looks at any more leaves, and what one does stays', () => {
  const days = (count: number) => new Date(Date.now() - count * DAY_MS);
  const retire = () => world.reconciler.retire(new Date(), { jobDays: 30, phoneDays: 7 });
  const left = async (sql: string) =>
    (await world.pool.query<{ key: string }>(sql)).rows.map(({ key }) => key);

  test('destinations without a lock, numbers, prefixes and days of spending', async () => {
    await world.pool.query('truncate destination, paid_destination, prefix_score, paid_spend');
    await world.pool.query(
      `insert into destination (project_id, address_hash, locked_at, updated_at)
       values ($1, 'idle', null, $2), ($1, 'lifted', $2, $2), ($1, 'locked', $3, $2), ($1, 'in use', null, $3)`,
      [caller.projectId, days(3), days(0)],
    );
    await world.pool.query(
      `insert into destination (project_id, address_hash, totp_failures, updated_at)
       values ($1, 'guessed at', 1, $2), ($1, 'long ago', 1, $3)`,
      [caller.projectId, days(360), days(370)],
    );
    await world.pool.query(
      `insert into paid_destination (address_hash, locked_at) values ('idle', $1), ('in use', $2)`,
      [days(3), days(0)],
    );
    await world.pool.query(
      `insert into prefix_score (project_id, prefix, sent, at) values ($1, 'idle', 100, $2), ($1, 'in use', 1, $3)`,
      [caller.projectId, days(3), days(0)],
    );
    await world.pool.query('insert into paid_spend (project_id, day) values ($1, $2), ($1, $3)', [
      caller.projectId,
      days(42),
      days(38),
    ]);
    await retire();
    expect(await left(`select convert_from(address_hash, 'utf8') key from destination order by 1`)).toEqual([
      'guessed at',
      'in use',
      'locked',
    ]);
    expect(await left(`select convert_from(address_hash, 'utf8') key from paid_destination`)).toEqual([
      'in use',
    ]);
    expect(await left('select prefix key from prefix_score')).toEqual(['in use']);
    expect(await left('select day::text key from paid_spend')).toEqual([days(38).toISOString().slice(0, 10)]);
  });

  test('the client and metadata of a verification that never had a phone', async () => {
    const { id } = await sendCode(
      world,
      orderFor(caller, '+998952000000', { client: { ip: '192.0.2.1' }, metadata: { order: '17' } }),
    );
    const close = (count: number) =>
      world.pool.query(
        `update verification set phone = null, state = 'approved', closed_at = $2 where id = $1`,
        [id, days(count)],
      );
    const kept = async () =>
      (await world.pool.query('select client, metadata from verification where id = $1', [id])).rows[0];
    await close(6);
    await retire();
    expect(await kept()).toEqual({ client: { ip: '192.0.2.1' }, metadata: { order: '17' } });
    await close(8);
    await retire();
    expect(await kept()).toEqual({ client: null, metadata: null });
  });
});

test('a round of retention reads no table as a whole', async () => {
  const { rows } = await world.pool.query<{ id: string }>(`select id from project limit 1`);
  const long = new Date(Date.now() - 40 * DAY_MS);
  await world.pool.query(
    `insert into job (id, kind, project_id, subject_id, payload, labels, state, run_at, deadline_at, accepted_at, finished_at)
     select gen_random_uuid(), 'otp-send', $1, gen_random_uuid(), '{}', '{}', 'completed', $2, $2, $2, $2 from generate_series(1, 40000)`,
    [rows[0]?.id, long],
  );
  await world.pool.query(
    `insert into verification (id, project_id, address_hash, phone, purpose, mode, state, code_kid, code_length, checks_max, check_by_to,
       channels, locale, job_id, ttl_seconds, created_at, sent_at, expires_at, closed_at)
     select gen_random_uuid(), $1, sha256(n::text::bytea), '+998900000000', 'verify', 'live', 'approved', 'k1', 6, 5, false, '{sms}', 'uz',
       gen_random_uuid(), 300, $2, $2, $2, $2 from generate_series(1, 40000) n`,
    [rows[0]?.id, long],
  );
  await world.pool.query(
    `insert into request (project_id, key, body_hash, answer, at) select $1, n::text, '', '{}', $2 from generate_series(1, 40000) n`,
    [rows[0]?.id, long],
  );
  await world.pool.query(
    `insert into destination (project_id, address_hash, updated_at) select $1, sha256(n::text::bytea), now() from generate_series(1, 40000) n`,
    [rows[0]?.id],
  );
  await world.pool.query('vacuum analyze job, verification, request, destination');
  const one = hotPool(world.url, 1);
  const wholeReads = async () => {
    await one.query('select pg_stat_force_next_flush()');
    const found = await one.query<{ table: string; reads: string }>(
      `select relname as table, seq_scan reads from pg_stat_user_tables where relname in ('job', 'verification', 'request', 'destination', 'prefix_score') order by 1`,
    );
    return found.rows;
  };
  const before = await wholeReads();
  expect(
    await reconcilerQueries(one, { jobs, settles, retentions }).retire(new Date(), {
      jobDays: 30,
      phoneDays: 7,
    }),
  ).toMatchObject({
    more: true,
  });
  expect(await wholeReads()).toEqual(before);
  await one.end();
});
