import { afterAll, beforeAll, expect, test } from 'vitest';
import { hotPool } from '../../../../infra/postgres/engine/hot-pool.ts';
import { reconcilerQueries } from '../../../../infra/postgres/job/reconciler.ts';
import { reconciler } from '../../../../workers/engine/reconciler.ts';
import { openGround } from '../world.ts';
import { jobs } from '../../../../domain/jobs.ts';
import { settles } from '../../../../infra/postgres/settles.ts';
import { retentions } from '../../../../infra/postgres/retentions.ts';

const DAY_MS = 86_400_000;
const OLD_JOBS = 12_000;
let world: Awaited<ReturnType<typeof openGround>>;
let caller: Awaited<ReturnType<(typeof world)['makeProject']>>;

beforeAll(async () => {
  world = await openGround();
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
  await world.owner.query('vacuum analyze job, verification, request, destination');
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
