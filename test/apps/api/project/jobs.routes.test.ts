import request from 'supertest';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { jobRoutes } from '../../../../apps/api/project/jobs.routes.ts';
import { jobs } from '../../../../domain/jobs.ts';
import { jobReader } from '../../../../infra/postgres/job/queries.ts';
import { addressText } from '../../../../domain/shared/address.ts';
import { reasons } from '../../../../domain/reasons.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import {
  type Ground,
  makeKey,
  makeProject,
  openApi,
  openGround,
  type TestApi,
} from '../../../support/api.ts';

let ground: Ground;
let api: TestApi;
let mine: { key: string; projectId: string };
let theirs: { key: string; projectId: string };
let projects = 0;

beforeAll(async () => {
  ground = await openGround();
  api = openApi(ground, jobRoutes(jobReader(ground.orm.em, ground.hash, jobs)));
});
beforeEach(async () => {
  projects++;
  const [one, two] = [
    await makeProject(ground, `mine-${projects}`),
    await makeProject(ground, `theirs-${projects}`),
  ];
  mine = { key: one.key, projectId: one.project.id };
  theirs = { key: two.key, projectId: two.project.id };
});
afterAll(async () => {
  await api.close();
  await ground.close();
});

const get = (path: string, key = mine.key) => request(api.app).get(path).set('X-Api-Key', key);
const ids = (body: { data: { id: string }[] }) => body.data.map(({ id }) => id);

test('a job shows its attempts in order, with provider, reason, cost and delivery, and nothing of its payload', async () => {
  const id = await seedJob(mine.projectId, { state: 'completed', payload: { secret_of_payload: 'x' } });
  await seedAttempt(id, 1, {
    channel: 'telegram',
    provider: 'telegram',
    outcome: 'rejected',
    reason: 'blocked',
  });
  await seedAttempt(id, 2, { channel: 'sms', provider: 'twilio', outcome: 'completed', cost: 45_000 });
  const { body } = await get(`/jobs/${id}`).expect(200);
  expect(body).toMatchObject({
    id,
    kind: 'otp-send',
    state: 'completed',
    to: '+998•••••••67',
    channels: ['telegram', 'sms'],
  });
  expect(body.attempts).toMatchObject([
    { n: 1, channel: 'telegram', outcome: 'rejected', reason: 'blocked', cost_micros: null },
    {
      n: 2,
      channel: 'sms',
      provider: 'twilio',
      outcome: 'completed',
      cost_micros: '45000',
      cost_currency: 'USD',
      delivery: 'delivered',
    },
  ]);
  expect(JSON.stringify(body)).not.toContain('secret_of_payload');
});

test('a reason is told with its meaning, when it ends, and the next step; an unknown one as it is', async () => {
  const acceptedAt = new Date('2026-05-01T10:00:00Z');
  const id = await seedJob(mine.projectId, { state: 'rejected', acceptedAt });
  await ground.pool.query(`update job set reason = 'budget-spent' where id = $1`, [id]);
  await seedAttempt(id, 1, {
    channel: 'sms',
    provider: 'twilio',
    outcome: 'rejected',
    reason: 'provider-refused',
  });
  await seedAttempt(id, 2, {
    channel: 'sms',
    provider: 'twilio',
    outcome: 'rejected',
    reason: 'of-tomorrow',
  });
  const { body } = await get(`/jobs/${id}`).expect(200);
  expect(body).toMatchObject({
    reason: 'budget-spent',
    reason_detail: expect.stringContaining('2026-05-02 00:00 UTC'),
    next_step: expect.stringContaining('sms_daily_budget_micros'),
  });
  expect(body.attempts).toMatchObject([
    {
      reason: 'provider-refused',
      reason_detail: reasons['provider-refused'].meaning,
      next_step: reasons['provider-refused'].nextStep,
    },
    { reason: 'of-tomorrow', reason_detail: null, next_step: null },
  ]);
  const { body: list } = await get('/jobs?state=rejected').expect(200);
  expect(list.data).toMatchObject([{ reason: 'budget-spent', next_step: body.next_step }]);
});

test("another project's job, or none, is a 404", async () => {
  const id = await seedJob(theirs.projectId);
  await get(`/jobs/${id}`).expect(404);
  await get(`/jobs/${uuidv7()}`).expect(404);
  await get('/jobs/nonsense').expect(400);
  await get(`/jobs/${id}`, theirs.key).expect(200);
});

test('a test key reads the jobs of test keys, and no live key does', async () => {
  const { key } = await makeKey(ground, mine.projectId as ProjectId, { mode: 'test' });
  const phone = '+998901234569';
  const live = await seedJob(mine.projectId, { phone });
  const tested = await seedJob(mine.projectId, { phone, mode: 'test' });
  await get(`/jobs/${live}`, key).expect(404);
  await get(`/jobs/${tested}`).expect(404);
  await get(`/jobs/${tested}`, key).expect(200);
  for (const query of ['', `?recipient=${encodeURIComponent(phone)}`]) {
    expect(ids((await get(`/jobs${query}`, key).expect(200)).body)).toEqual([tested]);
    expect(ids((await get(`/jobs${query}`).expect(200)).body)).toEqual([live]);
  }
});

describe('the list', () => {
  test('pages through every job of the project once, newest first, while new ones arrive', async () => {
    const seeded: string[] = [];
    const startedMs = Date.now();
    for (let n = 0; n < 7; n++)
      seeded.unshift(await seedJob(mine.projectId, { acceptedAt: new Date(startedMs + n) }));
    await seedJob(theirs.projectId);
    const first = (await get('/jobs?limit=3').expect(200)).body;
    await seedJob(mine.projectId, { acceptedAt: new Date(startedMs + 10) });
    const second = (await get(`/jobs?limit=3&cursor=${first.next_cursor}`).expect(200)).body;
    const third = (await get(`/jobs?limit=3&cursor=${second.next_cursor}`).expect(200)).body;
    expect([...ids(first), ...ids(second), ...ids(third)]).toEqual(seeded);
    expect(third.next_cursor).toBeNull();
  });

  test('narrows by kind, state and time, the end excluded', async () => {
    const at = (time: string) => ({ acceptedAt: new Date(time) });
    const early = await seedJob(mine.projectId, { ...at('2026-05-01T10:00:00Z'), state: 'completed' });
    const late = await seedJob(mine.projectId, { ...at('2026-05-01T11:00:00Z'), state: 'failed' });
    expect(ids((await get('/jobs?state=failed').expect(200)).body)).toEqual([late]);
    expect(ids((await get('/jobs?kind=otp-send').expect(200)).body)).toEqual([late, early]);
    await get('/jobs?kind=nonsense').expect(400);
    const span = '/jobs?from=2026-05-01T10:00:00Z&to=2026-05-01T11:00:00Z';
    expect(ids((await get(span).expect(200)).body)).toEqual([early]);
    await get('/jobs?from=0000-01-01T00:00:00Z').expect(400);
    await get('/jobs?from=1970-01-01T00:00:00Z&to=9999-12-31T23:59:59Z').expect(200);
    expect(ids((await get('/jobs?from=2026-05-01T16:00:00%2B05:00').expect(200)).body)).toEqual([late]);
  });

  test('finds the few that failed, or are at work, without reading all that is completed', async () => {
    await ground.pool.query(
      `insert into job (id, kind, project_id, subject_id, state, payload, labels, run_at, deadline_at, accepted_at, finished_at)
       select uuidv7(), 'otp-send', $1, gen_random_uuid(), 'completed', '{}', $2, now(), now(), now(), now() from generate_series(1, 20000)`,
      [mine.projectId, { project: 'mine', channels: '', to: '' }],
    );
    const old = { acceptedAt: new Date('2026-05-01T10:00:00Z') };
    const rejected = await seedJob(mine.projectId, { ...old, state: 'rejected' });
    const running = await seedJob(mine.projectId, { ...old, state: 'running' });
    await ground.owner.query('analyze job');
    const read = async () => {
      await ground.pool.query('select pg_stat_clear_snapshot()');
      const { rows } = await ground.pool.query<{ rows: string }>(
        `select coalesce(sum(idx_tup_read), 0) + (select seq_tup_read from pg_stat_user_tables where relname = 'job') as rows
           from pg_stat_user_indexes where relname = 'job'`,
      );
      return Number(rows[0]?.rows);
    };
    const before = await read();
    expect(ids((await get('/jobs?state=rejected').expect(200)).body)).toEqual([rejected]);
    expect(ids((await get('/jobs?state=running').expect(200)).body)).toEqual([running]);
    // Each connection tells what it read when it is next used, a second later at the soonest.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await Promise.all(Array.from({ length: 20 }, () => get(`/jobs/${rejected}`)));
    expect((await read()) - before).toBeLessThan(1_000);
  });

  test('narrows by the phone or the recipient that it was for, within the project', async () => {
    const phone = '+998901234567';
    const job = await seedJob(mine.projectId, { phone });
    await seedJob(mine.projectId, { phone: '+998901234568' });
    await seedJob(theirs.projectId, { phone });
    expect(ids((await get('/jobs?recipient=%2B998901234567').expect(200)).body)).toEqual([job]);
    expect(ids((await get('/jobs?recipient=+998901234567').expect(200)).body)).toEqual([job]);
    const recipient = await seedRecipient(mine.projectId, phone);
    expect(ids((await get(`/jobs?recipient=${recipient}`).expect(200)).body)).toEqual([job]);
    expect((await get(`/jobs?recipient=${recipient}`, theirs.key).expect(200)).body.data).toEqual([]);
    await get('/jobs?recipient=nobody').expect(400);
  });
});

async function seedJob(
  projectId: string,
  more: { state?: string; payload?: object; phone?: string; acceptedAt?: Date; mode?: 'test' } = {},
): Promise<string> {
  const acceptedAt = more.acceptedAt ?? new Date();
  const id = uuidv7({ msecs: acceptedAt.getTime() });
  const finished = more.state === undefined || more.state === 'running' ? null : acceptedAt;
  await ground.pool.query(
    `insert into job (id, kind, project_id, subject_id, address_hash, state, payload, labels, run_at, deadline_at, accepted_at, finished_at, mode)
     values ($1, 'otp-send', $2, gen_random_uuid(), $3, $4, $5, $6, $7, $7, $7, $8, $9)`,
    [
      id,
      projectId,
      more.phone ? ground.hash('address', addressText({ phone: more.phone }, more.mode ?? 'live')) : null,
      more.state ?? 'queued',
      more.payload ?? {},
      { project: 'mine', channels: 'telegram,sms', to: '+998•••••••67' },
      acceptedAt,
      finished,
      more.mode ?? 'live',
    ],
  );
  return id;
}

async function seedAttempt(
  jobId: string,
  n: number,
  more: { channel: string; provider: string; outcome: string; reason?: string; cost?: number },
): Promise<void> {
  await ground.pool.query(
    `insert into attempt (job_id, n, project_id, channel, provider, opened_at, closed_at, outcome, reason, cost_micros, cost_currency, delivery)
     values ($1, $2, $3, $4, $5, now(), now(), $6, $7, $8, $9, $10)`,
    [
      jobId,
      n,
      mine.projectId,
      more.channel,
      more.provider,
      more.outcome,
      more.reason,
      more.cost,
      more.cost && 'USD',
      more.cost && 'delivered',
    ],
  );
}

async function seedRecipient(projectId: string, phone: string): Promise<string> {
  const { rows } = await ground.pool.query(
    `insert into recipient (id, project_id, phone, address_hash, created_at, updated_at)
     values (gen_random_uuid(), $1, $2, $3, now(), now()) returning id`,
    [projectId, phone, ground.hash('address', phone)],
  );
  return rows[0].id;
}
