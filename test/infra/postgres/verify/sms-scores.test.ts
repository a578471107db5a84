import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { TRIAL_MATURE_MS } from '../../../../domain/verify/sms-choice.ts';
import { countTrials, selectTrials, smsScores } from '../../../../infra/postgres/verify/sms-scores.ts';
import { openWorld } from './world.ts';

const world = await openWorld();
afterAll(() => world.close());
const { pool } = world;
const { projectId } = await world.makeProject();
const OPERATORS = ['', '+998', '+99890', '+99893'];
const openedAt = new Date('2026-01-15T10:00:00Z');
const after = (ms: number) => new Date(openedAt.getTime() + ms);
const matureAt = after(TRIAL_MATURE_MS);
const count = (now = matureAt) => countTrials(pool, OPERATORS, now);
const readScores = async () =>
  (await pool.query('select operator, provider, sent, arrived from sms_score order by 1, 2')).rows;

beforeEach(() =>
  pool.query(`
    truncate job, attempt, verification, sms_score cascade;
    update sms_score_mark set opened_at = '-infinity', job_id = '00000000-0000-0000-0000-000000000000', n = 0`),
);

interface Trial {
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
    projectId,
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
  const scores = await smsScores(pool, () => matureAt).of('+99890');
  expect(scores.get('eskiz')).toEqual(scores.get('play-mobile'));
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
  expect((await of('+99893')).get('eskiz')).toEqual({ sent: 20, arrived: 15, at: matureAt });
  await pool.query('delete from sms_score');
  expect((await of('+99890')).get('eskiz')).toMatchObject({ sent: 80, arrived: 60 });
});

test('half a million attempts are not read to find the trials among them', async () => {
  await sent({ chosen: 'listed' });
  await pool.query(
    `insert into attempt (job_id, n, project_id, channel, provider, opened_at, outcome, chosen)
     select uuidv7(), 1, $1, 'sms', 'eskiz', $2::timestamptz + i * interval '1 millisecond', 'completed', case when i % 20 = 0 then 'trial' else 'listed' end
     from generate_series(1, 500000) i`,
    [projectId, openedAt],
  );
  await pool.query('vacuum analyze attempt');
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
