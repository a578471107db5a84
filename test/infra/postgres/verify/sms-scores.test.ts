import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { ProjectId } from '../../../../domain/shared/ids.ts';
import { orderRoute, TRIAL_MATURE_MS } from '../../../../domain/verify/sms-choice.ts';
import {
  countTrials,
  selectOthers,
  selectOwn,
  selectTrials,
  smsScores,
} from '../../../../infra/postgres/verify/sms-scores.ts';
import { openWorld } from './world.ts';

const world = await openWorld();
afterAll(() => world.close());
const { pool, owner } = world;
const { projectId } = await world.makeProject();
const { projectId: otherId } = await world.makeProject();
const OPERATORS = ['', '+998', '+99890', '+99893'];
const unknown = ProjectId.parse('019bcdef-0000-7000-8000-000000000000');
const openedAt = new Date('2026-01-15T10:00:00Z');
const after = (ms: number) => new Date(openedAt.getTime() + ms);
const matureAt = after(TRIAL_MATURE_MS);
const count = (now = matureAt) => countTrials(pool, OPERATORS, now);
const readScores = async () =>
  (await pool.query('select operator, provider, sent, arrived from sms_score order by 1, 2')).rows;

beforeEach(() =>
  owner.query(`
    truncate job, attempt, verification, sms_score cascade;
    update sms_score_mark set opened_at = '-infinity', job_id = '00000000-0000-0000-0000-000000000000', n = 0`),
);

interface Trial {
  project?: string;
  phone?: string;
  provider?: string;
  chosen?: string;
  outcome?: string | null;
  mode?: string;
  askedBy?: string;
  known?: boolean;
  openedAt?: Date;
  /** The code was right so long after the message. */
  typedAfterMs?: number | null;
  /** Something else was sent so long after it. */
  nextAfterMs?: number;
}

/** One verification whose first SMS was so; `times` of the same. */
async function sent(trial: Trial = {}, times = 1): Promise<void> {
  const { phone = '+998901234567', provider = 'eskiz', chosen = 'trial', outcome = 'completed' } = trial;
  const {
    mode = 'live',
    askedBy = 'service',
    known = false,
    typedAfterMs = 20_000,
    nextAfterMs = null,
  } = trial;
  await pool.query(insertSent, [
    trial.project ?? projectId,
    times,
    phone,
    provider,
    chosen,
    outcome,
    mode,
    askedBy,
    known,
    trial.openedAt ?? openedAt,
    typedAfterMs,
    nextAfterMs,
  ]);
}

const insertSent = `
with verified as (
  insert into verification (id, project_id, address_hash, phone, purpose, mode, state, code_kid, code_length, checks_max, check_by_to,
    channels, locale, asked_by, asked_known, job_id, ttl_seconds, created_at, sent_at, expires_at, closed_at)
  select uuidv7(), $1, sha256(gen_random_uuid()::text::bytea), $3, 'verify', $7, case when $11::int is null then 'expired' else 'approved' end,
    'k1', 6, 5, false, '{sms}', 'uz', $8, $9, uuidv7(), 300, $10, $10, $10::timestamptz + interval '5 minutes',
    $10::timestamptz + coalesce($11::int, 300000) * interval '1 millisecond'
  from generate_series(1, $2::int) returning id, job_id),
sends as (
  insert into job (id, kind, project_id, subject_id, payload, labels, run_at, deadline_at, accepted_at)
  select job_id, 'otp-send', $1, id, '{}', '{}', $10, $10, $10 from verified returning id, subject_id),
resends as (
  insert into job (id, kind, project_id, subject_id, payload, labels, run_at, deadline_at, accepted_at)
  select uuidv7(), 'otp-send', $1, id, '{}', '{}', $10, $10, $10 from verified where $12::int is not null returning id),
opened as (
  insert into attempt (job_id, n, project_id, channel, provider, opened_at, outcome, chosen)
  select id, 1, $1, 'sms', $4, $10::timestamptz, $6, $5 from sends)
insert into attempt (job_id, n, project_id, channel, provider, opened_at, outcome, chosen)
select id, 1, $1, 'sms', 'play-mobile', $10::timestamptz + $12::int * interval '1 millisecond', 'completed', 'resend' from resends`;

describe('a trial counts', () => {
  test('once, when it is two minutes old', async () => {
    await sent({}, 3);
    await count(new Date(matureAt.getTime() - 1));
    expect(await readScores()).toEqual([]);
    await count();
    await count();
    expect(await readScores()).toEqual([{ operator: '+99890', provider: 'eskiz', sent: 3, arrived: 3 }]);
  });

  test('as arrived where its code was right before anything else was sent, and within two minutes', async () => {
    await sent({ typedAfterMs: 40_000, nextAfterMs: 40_001 });
    await sent({ typedAfterMs: 40_000, nextAfterMs: 39_999 });
    await sent({ typedAfterMs: TRIAL_MATURE_MS });
    await sent({ typedAfterMs: TRIAL_MATURE_MS + 1 });
    await sent({ typedAfterMs: null });
    await count(after(600_000));
    expect(await readScores()).toMatchObject([{ sent: 5, arrived: 2 }]);
  });

  test('for the longest prefix of its number, by provider', async () => {
    await sent({ provider: 'play-mobile' });
    await sent({ phone: '+998711234567' });
    await sent({ phone: '+77011234567', provider: 'twilio', outcome: 'unknown' });
    await count();
    expect(await readScores()).toEqual([
      { operator: '', provider: 'twilio', sent: 1, arrived: 1 },
      { operator: '+998', provider: 'eskiz', sent: 1, arrived: 1 },
      { operator: '+99890', provider: 'play-mobile', sent: 1, arrived: 1 },
    ]);
  });

  test('for nothing where it is no trial, was refused, is of a test key, or of a stranger', async () => {
    await sent({ chosen: 'listed' });
    await sent({ chosen: 'failover' });
    for (const outcome of ['rejected', 'failed', 'snoozed', null]) await sent({ outcome });
    await sent({ mode: 'test' });
    await sent({ askedBy: 'stranger', typedAfterMs: null }, 50);
    await count();
    expect(await readScores()).toEqual([]);
    await sent({ askedBy: 'stranger', known: true, openedAt: after(1_000) });
    await count(after(1_000 + TRIAL_MATURE_MS));
    expect(await readScores()).toMatchObject([{ sent: 1, arrived: 1 }]);
  });
});

test('what strangers pump makes no provider look lossy', async () => {
  await sent({ provider: 'eskiz' }, 30);
  await sent({ provider: 'play-mobile' }, 30);
  await sent({ provider: 'eskiz', askedBy: 'stranger', typedAfterMs: null }, 500);
  await count();
  const { own } = await smsScores(pool, () => matureAt).of(projectId, '+99890');
  expect(own.get('eskiz')).toEqual(own.get('play-mobile'));
});

test('what one worker counts, no other one counts at once or afterwards', async () => {
  await sent({}, 30);
  const other = await pool.connect();
  await other.query('begin; select from sms_score_mark for update');
  expect(await count()).toEqual({ more: false });
  expect(await readScores()).toEqual([]);
  await other.query('rollback');
  other.release();
  await Promise.all([count(), count(), count()]);
  expect(await readScores()).toMatchObject([{ sent: 30, arrived: 30 }]);
});

test('a round is bounded, and those that were opened at one moment are all counted', async () => {
  await sent({ typedAfterMs: null }, 1_001);
  expect(await count()).toEqual({ more: true });
  const marked = async () => (await pool.query('select opened_at, job_id from sms_score_mark')).rows[0];
  const before = await marked();
  expect(await count()).toEqual({ more: false });
  expect(await marked()).not.toEqual(before);
});

test('what is counted is read by every operator as far as it needs it, from memory for some seconds', async () => {
  await sent({}, 60);
  await sent({ typedAfterMs: null }, 20);
  await count();
  const { of } = smsScores(pool, () => matureAt);
  expect((await of(projectId, '+99893')).own.get('eskiz')).toEqual({ sent: 20, arrived: 15, at: matureAt });
  await pool.query('delete from sms_score');
  expect((await of(projectId, '+99890')).own.get('eskiz')).toMatchObject({ sent: 80, arrived: 60 });
});

test('each project has its own counts, and tells another one at most seven of them', async () => {
  await sent({ typedAfterMs: null }, 80);
  await sent({ project: otherId }, 4);
  await count();
  const { of } = smsScores(pool, () => matureAt);
  const { own, others } = await of(otherId, '+99893');
  expect(own.get('eskiz')).toEqual({ sent: 4, arrived: 4, at: matureAt });
  expect(others.map((counts) => counts.get('eskiz'))).toEqual([{ sent: 7, arrived: 0, at: matureAt }]);
  expect((await of(projectId, '+99890')).others).toHaveLength(1);
  expect((await of(unknown, '+99890')).others).toHaveLength(2);
});

test('what one project types moves no send of another one, whatever it counts', async () => {
  await sent({ typedAfterMs: null }, 100);
  await sent({ provider: 'play-mobile' }, 100);
  await count();
  const { of } = smsScores(pool, () => matureAt);
  const firstOf = async (project: ProjectId, operator: string) =>
    orderRoute({
      route: [
        { provider: 'eskiz', priceMicros: 9_000 },
        { provider: 'play-mobile', priceMicros: 10_200 },
        { provider: 'twilio', priceMicros: 300_000 },
      ],
      scores: await of(project, operator),
      usedBefore: new Set(),
      measures: true,
      draw: 0.9,
      now: matureAt,
    })[0];
  expect(await firstOf(projectId, '+99890')).toMatchObject({ provider: 'play-mobile', chosen: 'measured' });
  for (const operator of OPERATORS)
    expect(await firstOf(otherId, operator)).toMatchObject({ provider: 'eskiz', chosen: 'listed' });
});

test('with a thousand projects at 24 operators, those that know most are found in one walk, and the own rows by their key', async () => {
  await pool.query(`insert into project (id, slug, settings, created_at)
    select uuidv7(), 'scores-' || i, settings, created_at from generate_series(1, 1000) i, (select settings, created_at from project limit 1) p`);
  // By the owner: the pool of the processes gives a statement 15 s.
  await owner.query(
    `insert into sms_score select p.id, '+9989' || o, provider, 1 + 30 * random(), 1, $1
     from project p, generate_series(1, 24) o, unnest('{eskiz,play-mobile,twilio}'::text[]) provider where p.slug like 'scores-%'`,
    [openedAt],
  );
  await owner.query('analyze sms_score');
  const { rows } = await pool.query(selectOthers, [matureAt, 21_600, 7, 50]);
  expect(new Set(rows.map((row) => row.projectId)).size).toBe(50);
  expect(rows).toHaveLength(50 * 24 * 3);
  const planOf = async (sql: string, values: readonly unknown[]) =>
    (
      await pool.query<{ 'QUERY PLAN': string }>(`explain (analyze, timing off) ${sql}`, [...values])
    ).rows.map((row) => row['QUERY PLAN']);
  const others = await planOf(selectOthers, [matureAt, 21_600, 7, 50]);
  const own = await planOf(selectOwn, [rows[0].projectId, 600]);
  process.stdout.write(`${[...others, ...own].filter((line) => /Scan|Time/.test(line)).join('\n')}\n`);
  expect(others.filter((line) => line.includes('Seq Scan'))).toHaveLength(1);
  expect(own.join('\n')).toContain('sms_score_pkey');
});

test('half a million attempts are not read to find the trials among them', async () => {
  await sent({ chosen: 'listed' });
  // By the owner: the pool of the processes gives a statement 15 s.
  await owner.query(
    `insert into attempt (job_id, n, project_id, channel, provider, opened_at, outcome, chosen)
     select uuidv7(), 1, $1, 'sms', 'eskiz', $2::timestamptz + i * interval '1 millisecond', 'completed', case when i % 20 = 0 then 'trial' else 'listed' end
     from generate_series(1, 500000) i`,
    [projectId, openedAt],
  );
  await owner.query('vacuum analyze attempt');
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`explain analyze ${selectTrials}`, [
    after(300_000).toISOString(),
    '00000000-0000-0000-0000-000000000000',
    0,
    after(3_600_000),
    1_000,
    OPERATORS,
    TRIAL_MATURE_MS,
  ]);
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  expect(plan).toContain('attempt_trial');
  expect(plan).not.toMatch(/Seq Scan on attempt/);
});

test('a score that nobody has added to for two days leaves', async () => {
  await sent();
  await count();
  const keep = { jobDays: 90, phoneDays: 30 };
  const hours = (many: number) => new Date(matureAt.getTime() + many * 3_600_000);
  await world.reconciler.retire(hours(47), keep);
  expect(await readScores()).toHaveLength(1);
  await world.reconciler.retire(hours(49), keep);
  expect(await readScores()).toEqual([]);
});
