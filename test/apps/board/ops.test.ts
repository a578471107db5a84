import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { v7 as uuidv7 } from 'uuid';
import { RETRY_RUN_MAX } from '../../../domain/staff/command.ts';
import { openBoard, type OpenBoard, type SessionOwner } from './open-board.ts';
import { seedJob, type SeedJob, seedProject } from './seed.ts';

const PHONE = '+998901234567';
const OTHER_PHONE = '+998977654321';
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

let board: OpenBoard;
let operator: SessionOwner;
let viewer: SessionOwner;
let shop: string;
let taxi: string;
beforeAll(async () => {
  board = await openBoard();
  operator = await board.session('operator');
  viewer = await board.session('viewer');
});
afterAll(() => board.close());
beforeEach(async () => {
  await board.pool.query('truncate project, job, attempt, verification, recipient, outbox, queue cascade');
  await board.queues.redis.flushdb();
  shop = await seedProject(board.pool, 'shop');
  taxi = await seedProject(board.pool, 'taxi');
});

const ago = (milliseconds: number) => new Date(board.time.now.getTime() - milliseconds);
const seed = (job: Partial<SeedJob> = {}, project: 'shop' | 'taxi' = 'shop') =>
  seedJob(board.pool, project === 'shop' ? shop : taxi, board.addressHash(job.phone ?? PHONE), {
    project,
    at: ago(1_000),
    ...job,
  });
const ids = (list: { data: { id: string }[] }) => list.data.map(({ id }) => id);
const statesOf = async () => {
  const { rows } = await board.pool.query<{ state: string; n: number }>(
    'select state, count(*)::int n from job group by state',
  );
  return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
};

describe('the overview', () => {
  test('counts what is not finished in full, whatever its age, and the rest of its window', async () => {
    await seed({ at: ago(400 * HOUR_MS) });
    await seed({ state: 'running' });
    await seed({ state: 'completed', verification: 'approved' }, 'taxi');
    await seed({ state: 'rejected', at: ago(2 * HOUR_MS) }, 'taxi');

    const overview = await viewer.json('/ops');
    expect(overview.unfinished).toEqual([
      { kind: 'otp-send', project: 'shop', state: 'queued', jobs: 1 },
      { kind: 'otp-send', project: 'shop', state: 'running', jobs: 1 },
    ]);
    expect(overview.accepted.counts).toEqual([
      { kind: 'otp-send', project: 'shop', state: 'running', jobs: 1 },
      { kind: 'otp-send', project: 'taxi', state: 'completed', jobs: 1 },
    ]);
    expect((await viewer.json('/ops?hours=6')).accepted.counts).toContainEqual({
      kind: 'otp-send',
      project: 'taxi',
      state: 'rejected',
      jobs: 1,
    });
  });

  test('gives the age of the oldest job that is due and not opened', async () => {
    await seed({ at: ago(90_000) });
    await seed({ at: ago(10_000) });
    await seed({ at: ago(500_000), state: 'running' });
    await seed({ at: ago(500_000), runAt: new Date(board.time.now.getTime() + MINUTE_MS) });
    expect((await viewer.json('/ops')).waiting).toEqual([
      { kind: 'otp-send', jobs: 2, oldest_due_at: ago(90_000).toISOString(), oldest_age_seconds: 90 },
    ]);
  });

  test('is a page for people and JSON for programs, under one path', async () => {
    await seed();
    const page = await viewer.get('/ops').set('Accept', 'text/html');
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.text).toContain('shop');
    expect((await viewer.get('/ops?format=json')).headers['content-type']).toContain('application/json');
    expect((await viewer.get('/ops').set('Accept', 'application/json')).body.unfinished).toHaveLength(1);
  });
});

describe('a locked recipient', () => {
  const path = () => `/ops/recipients/${board.addressHash(PHONE).toString('hex')}`;
  const lock = (at: Date) =>
    board.pool.query(
      `insert into destination (address_hash, project_id, failed_checks, locked_at, updated_at)
       select $1, id, 100, $2, $2 from project on conflict (address_hash, project_id) do update set locked_at = $2`,
      [board.addressHash(PHONE), at],
    );

  test('shows where and since when, and is opened by nobody of the staff', async () => {
    await lock(ago(HOUR_MS));
    const at = ago(HOUR_MS).toISOString();
    const locks = [
      { project: 'shop', locked_at: at, failed_checks: 100 },
      { project: 'taxi', locked_at: at, failed_checks: 100 },
    ];
    expect((await viewer.json(path())).locks).toEqual(locks);
    expect((await operator.get(path()).set('Accept', 'text/html')).text).not.toContain('/unlock"');
    expect((await operator.post(`${path()}/unlock`, { project: 'shop' })).status).toBe(403);
    expect((await viewer.json(path())).locks).toEqual(locks);
  });

  test('is no more locked after a day', async () => {
    await lock(ago(24 * HOUR_MS));
    expect((await viewer.json(path())).locks).toEqual([]);
  });
});

describe('search', () => {
  const search = async (q: string) => (await viewer.post('/ops/search', { q })).headers['location'];

  test('finds a job by its id and by the id of what it serves', async () => {
    const { id, verificationId } = await seed();
    expect(await search(id)).toBe(`/ops/jobs/${id}`);
    expect(await search(verificationId)).toBe(`/ops/jobs/${id}`);
  });

  test('finds a recipient by number however it is written, and by id, and no link or log line carries the number', async () => {
    const { id } = await seed();
    await seed({ phone: OTHER_PHONE });
    const recipientId = uuidv7();
    const hash = board.addressHash(PHONE);
    await board.pool.query(
      'insert into recipient (id, project_id, phone, address_hash, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)',
      [recipientId, shop, PHONE, hash, board.time.now],
    );
    const address = `/ops/recipients/${hash.toString('hex')}`;
    for (const q of [PHONE, '+998 90 123-45-67', recipientId]) expect(await search(q)).toBe(address);
    expect(ids(await viewer.json(`/ops/jobs?recipient=${encodeURIComponent(PHONE)}`))).toEqual([id]);
    expect(ids(await viewer.json(`/ops/jobs?recipient=${recipientId}`))).toEqual([id]);
    expect(
      (await viewer.get(`/ops/recipients?recipient=${encodeURIComponent(PHONE)}`)).headers['location'],
    ).toBe(address);
    expect(board.log.join('')).not.toContain('901234567');
  });

  test('finds an error in the reason of a job or of an attempt, as text and not as a pattern', async () => {
    const byJob = await seed({ state: 'rejected', reason: '100%_sure' });
    const byAttempt = await seed({
      state: 'failed',
      reason: 'other',
      attempts: [{ channel: 'sms', provider: 'twilio', outcome: 'failed', reason: 'not 100%_SURE' }],
    });
    await seed({ state: 'rejected', reason: '100 or sure' });
    expect(await search('100%_sure')).toBe('/ops/jobs?text=100%25_sure&hours=168');
    expect(ids(await viewer.json('/ops/jobs?text=100%25_sure'))).toEqual(
      [byAttempt.id, byJob.id].toSorted().toReversed(),
    );
  });

  test('narrows by kind, state, project, reason and time', async () => {
    const { id } = await seed({ state: 'rejected', reason: 'landline' });
    await seed({ state: 'rejected', reason: 'landline' }, 'taxi');
    await seed({ state: 'rejected', reason: 'filtered' });
    await seed({ state: 'failed', reason: 'landline' });
    await seed({ state: 'rejected', reason: 'landline', at: ago(25 * HOUR_MS) });
    expect(
      ids(await viewer.json('/ops/jobs?kind=otp-send&state=rejected&project=shop&reason=landline')),
    ).toEqual([id]);
  });

  test.each([
    '/ops/jobs?state=happy',
    '/ops/jobs?kind=tea',
    '/ops/jobs?hours=2',
    '/ops/jobs?cursor=nonsense',
    '/ops/jobs?text=%00',
    '/ops/jobs?text=a&text=b',
    '/ops/jobs?recipient=nobody',
    '/ops/jobs?limit=100000',
  ])('%s is refused and named', async (path) => {
    const answer = await viewer.get(path).set('Accept', 'application/json');
    expect([answer.status, answer.headers['content-type']]).toEqual([
      400,
      'application/problem+json; charset=utf-8',
    ]);
  });
});

describe('lists', () => {
  test('are paged without losing or repeating a line', async () => {
    const all: string[] = [];
    for (let n = 0; n < 13; n++) all.push((await seed({ at: ago(n * 1_000) })).id);
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = await viewer.json(`/ops/jobs?limit=5&cursor=${cursor}`);
      seen.push(...ids(page));
      cursor = page.next_cursor;
    } while (cursor);
    expect(seen).toEqual(all);
  });

  test('of the audit are paged too', async () => {
    const seen: string[] = [];
    let cursor = '';
    for (let n = 0; n < 3; n++) await operator.post('/ops/queues/otp-send/pause', { why: 'a test' });
    do {
      const page = await operator.json(`/ops/audit?limit=2&action=queue.pause&cursor=${cursor}`);
      seen.push(...ids(page));
      cursor = page.next_cursor;
    } while (cursor);
    expect(seen).toEqual(seen.toSorted((a, b) => Number(b) - Number(a)));
    expect(new Set(seen).size).toBe(3);
  });
});

describe("a job's page", () => {
  test('shows its attempts with provider, reference, reason, cost and latency, and what it serves', async () => {
    const { id, verificationId } = await seed({
      state: 'rejected',
      reason: 'number-unreachable',
      attempts: [
        { channel: 'telegram', provider: 'telegram-bot', outcome: 'rejected', reason: 'bot-blocked' },
        {
          channel: 'sms',
          provider: 'twilio',
          outcome: 'rejected',
          reason: 'number-unreachable',
          reference: 'SM1',
          delivery: 'failed',
          deliveryReason: '30003',
        },
      ],
    });
    const job = await viewer.json(`/ops/jobs/${id}`);
    expect(job).toMatchObject({
      id,
      state: 'rejected',
      reason: 'number-unreachable',
      labels: { to: '+998•••••••67' },
    });
    expect(
      job.attempt_lines.map(({ n, provider, reason }: Record<string, unknown>) => [n, provider, reason]),
    ).toEqual([
      [1, 'telegram-bot', 'bot-blocked'],
      [2, 'twilio', 'number-unreachable'],
    ]);
    expect(job.attempt_lines[1]).toMatchObject({
      provider_reference: 'SM1',
      cost_micros: '52000',
      cost_currency: 'USD',
      latency_ms: 270,
      delivery: 'failed',
      delivery_reason: '30003',
    });
    expect(job.verification).toMatchObject({
      id: verificationId,
      state: 'live',
      checks_used: 0,
      checks_max: 5,
    });
    const page = await viewer.get(`/ops/jobs/${id}`).set('Accept', 'text/html');
    for (const shown of ['bot-blocked', 'SM1', '0.0520 USD', '270 ms']) expect(page.text).toContain(shown);
  });

  test('offers a command only where it fits the job and the role', async () => {
    const { id: failed } = await seed({ state: 'rejected' });
    const { id: waiting } = await seed();
    const actions = async (owner: SessionOwner, id: string) =>
      [...(await owner.get(`/ops/jobs/${id}`)).text.matchAll(/action="\/ops\/jobs\/[^/]+\/(\w+)"/g)].map(
        ([, action]) => action,
      );
    expect(await actions(operator, failed)).toEqual(['retry']);
    expect(await actions(operator, waiting)).toEqual(['promote', 'cancel']);
    expect(await actions(viewer, waiting)).toEqual([]);
  });

  test('carries out retry and cancel, and says why it does not', async () => {
    const { id } = await seed({ state: 'rejected' });
    const retried = await operator.post(`/ops/jobs/${id}/retry`);
    expect([retried.status, retried.headers['location']]).toEqual([303, `/ops/jobs/${id}?notice=retried`]);
    expect((await operator.get(retried.headers['location'] ?? '')).text).toContain('accepted again');
    const again = await operator.postJson(`/ops/jobs/${id}/retry`, {});
    expect([again.status, again.body.type]).toEqual([409, 'urn:navbat:problem:not-retriable']);
    expect((await operator.postJson(`/ops/jobs/${id}/cancel`, {})).body).toEqual({ done: true, told: true });
    expect(await statesOf()).toEqual({ cancelled: 1 });
  });

  test('of nobody is 404', async () => {
    for (const id of [uuidv7(), 'nonsense']) expect((await viewer.get(`/ops/jobs/${id}`)).status).toBe(404);
  });
});

test("a recipient's timeline holds jobs, attempts and verifications of every project, newest first, and only theirs", async () => {
  await seed({
    at: ago(100_000),
    state: 'completed',
    reason: 'confirmed-by-sms',
    verification: 'approved',
    attempts: [
      { channel: 'push', provider: 'fcm', outcome: 'rejected', reason: 'token-unregistered' },
      { channel: 'sms', provider: 'twilio', outcome: 'completed', delivery: 'delivered' },
    ],
  });
  await seed({ at: ago(5_000) }, 'taxi');
  await seed({ phone: OTHER_PHONE });
  const timeline = await viewer.json(`/ops/recipients/${board.addressHash(PHONE).toString('hex')}`);
  const told = timeline.data.map(({ kind, event }: Record<string, string>) => `${kind} ${event}`);
  expect(told).toHaveLength(9);
  expect(told.slice(0, 2).toSorted()).toEqual(['job accepted', 'verification created']);
  expect(told.slice(2, 7)).toEqual([
    'verification closed',
    'attempt delivery',
    'job finished',
    'attempt closed',
    'attempt closed',
  ]);
  const times = timeline.data.map(({ at }: Record<string, string>) => at);
  expect(times).toEqual(times.toSorted().toReversed());
});

test('failures are grouped by reason, of jobs and of attempts, within their window', async () => {
  const failed = { channel: 'sms', provider: 'twilio', outcome: 'failed', reason: 'network' } as const;
  for (const project of ['shop', 'taxi', 'taxi'] as const)
    await seed({ state: 'failed', reason: 'network', attempts: [failed, failed] }, project);
  await seed({
    state: 'completed',
    verification: 'approved',
    attempts: [failed, { ...failed, outcome: 'completed', reason: null }],
  });
  await seed({ state: 'rejected', reason: 'old', at: ago(30 * HOUR_MS) });
  const { jobs, attempts } = await viewer.json('/ops/failures?hours=24');
  expect(jobs).toMatchObject([
    { kind: 'otp-send', state: 'failed', reason: 'network', jobs: 3, projects: 2 },
  ]);
  expect(attempts).toMatchObject([
    { channel: 'sms', provider: 'twilio', outcome: 'failed', reason: 'network', attempts: 7, jobs: 4 },
  ]);
  expect((await viewer.json('/ops/failures?hours=72')).jobs).toHaveLength(2);
  expect((await viewer.json('/ops/failures?hours=24&project=shop')).jobs).toMatchObject([{ jobs: 1 }]);
});

describe('retry of a filtered set', () => {
  const seedFailures = async () => {
    for (let n = 0; n < 3; n++) await seed({ state: 'failed', reason: 'network' });
    await seed({ state: 'failed', reason: 'network', verification: 'expired' });
    await seed({ state: 'failed', reason: 'network' }, 'taxi');
    await seed({ state: 'rejected', reason: 'landline' });
    await seed({ state: 'completed', verification: 'approved' });
    board.time.now = new Date(board.time.now.getTime() + 10);
  };

  test('counts first and changes nothing', async () => {
    await seedFailures();
    const before = await statesOf();
    const dry = await operator.json('/ops/retry?project=shop&reason=network&hours=1');
    expect(dry).toMatchObject({
      dry_run: true,
      matching: 4,
      retriable: 3,
      retried: 0,
      by_reason: [{ state: 'failed', reason: 'network', jobs: 4, retriable: 3 }],
    });
    expect(
      (await operator.postJson('/ops/retry', { project: 'shop', reason: 'network', hours: 1 })).body,
    ).toMatchObject({ dry_run: true, retriable: 3 });
    expect(await statesOf()).toEqual(before);
  });

  test('takes what was counted and nothing else, issues the queue entries, and is audited', async () => {
    await seedFailures();
    const page = await operator
      .get('/ops/retry?project=shop&reason=network&hours=1')
      .set('Accept', 'text/html');
    expect(page.text).toContain('Retry 3 jobs');
    const fields = Object.fromEntries(
      [...page.text.matchAll(/type="hidden"\s+name="(\w+)"\s+value="([^"]*)"/g)].map(([, name, value]) => [
        name,
        value,
      ]),
    );
    expect(fields).toMatchObject({ project: 'shop', reason: 'network', confirm: 'yes' });
    // Failed after the count: nobody has looked at it.
    board.time.now = new Date(board.time.now.getTime() + 1_000);
    const late = await seed({ state: 'failed', reason: 'network', at: board.time.now });

    const { token: _token, ...filter } = fields;
    const done = await operator.post('/ops/retry', filter);
    expect(done.text).toContain('3 jobs were accepted again');
    expect(await statesOf()).toEqual({ queued: 3, failed: 3, rejected: 1, completed: 1 });
    expect((await viewer.json(`/ops/jobs/${late.id}`)).state).toBe('failed');
    expect(await board.queues.of['otp-send'].getJobCounts('waiting')).toEqual({ waiting: 3 });
    expect((await board.audit()).at(-1)).toMatchObject({
      actor: operator.email,
      action: 'jobs.retry',
      detail: { outcome: 'done', jobs: 3, filter: { project: 'shop', reason: 'network' } },
    });
    expect(
      (
        await operator.postJson('/ops/retry', {
          project: 'shop',
          reason: 'network',
          hours: 1,
          until: fields['until'],
          confirm: true,
        })
      ).body,
    ).toMatchObject({ retried: 0, more: false });
  });

  test('stops at its bound, and a second run takes the rest', async () => {
    const { id } = await seed({ state: 'failed', reason: 'network' });
    const jobs = RETRY_RUN_MAX + 7;
    // What the table makes of the others can't be inserted.
    const { rows } = await board.pool.query<{ name: string }>(
      `select quote_ident(column_name) "name" from information_schema.columns where table_name = 'job' and is_generated = 'NEVER'`,
    );
    const columns = rows.map(({ name }) => name);
    await board.pool.query(
      `with made as (
         select uuidv7() job_id, uuidv7() verification_id, decode(lpad(to_hex(n), 64, '0'), 'hex') hash from generate_series(2, $2) n),
       copied as (
         insert into verification select (v).* from (
           select jsonb_populate_record(v, jsonb_build_object('id', m.verification_id, 'job_id', m.job_id, 'address_hash', m.hash)) v
             from made m, verification v where v.job_id = $1) c)
       insert into job (${columns.join(', ')}) select ${columns.map((name) => `(j).${name}`).join(', ')} from (
         select jsonb_populate_record(j, jsonb_build_object('id', m.job_id, 'subject_id', m.verification_id, 'address_hash', m.hash)) j
           from made m, job j where j.id = $1) c`,
      [id, jobs],
    );
    board.time.now = new Date(Math.max(Date.now(), board.time.now.getTime()) + 50);
    const first = await operator.postJson('/ops/retry', { hours: 1, confirm: true });
    expect(first.body).toMatchObject({ retried: RETRY_RUN_MAX, more: true, told: true });
    const second = await operator.postJson('/ops/retry', { hours: 1, confirm: true });
    expect(second.body).toMatchObject({ retried: 7, more: false });
    expect(await statesOf()).toEqual({ queued: jobs });
    // The board's clock is ahead, so that the first of them may sleep for a moment.
    const entries = await board.queues.of['otp-send'].getJobCounts('waiting', 'delayed');
    expect((entries['waiting'] ?? 0) + (entries['delayed'] ?? 0)).toBe(jobs);
    expect((await board.pool.query('select from outbox where published_at is null')).rowCount).toBe(0);
  });
});

describe('what anybody wrote', () => {
  const hostile = `"><script>alert(1)</script><img src=x onerror='alert(2)'>`;

  test('stays text on every page', async () => {
    const { id } = await seed({
      state: 'rejected',
      reason: hostile,
      attempts: [
        {
          channel: hostile,
          provider: hostile,
          outcome: 'rejected',
          reason: hostile,
          reference: hostile,
          delivery: 'failed',
          deliveryReason: hostile,
        },
      ],
    });
    await board.pool.query('update project set slug = $2 where id = $1', [shop, hostile]);
    await board.pool.query(`update job set labels = $1, request_id = $2`, [
      JSON.stringify({ project: hostile, channels: hostile, to: hostile }),
      hostile,
    ]);
    await board.pool.query('update verification set purpose = $1', [hostile]);
    const query = encodeURIComponent(hostile);
    const paths = [
      '/ops',
      '/ops/jobs',
      `/ops/jobs?text=${query}&project=${query}&reason=${query}`,
      `/ops/jobs/${id}`,
      '/ops/failures',
      `/ops/failures?project=${query}`,
      `/ops/recipients/${board.addressHash(PHONE).toString('hex')}`,
      `/ops/retry?reason=${query}`,
      `/ops/audit?actor=${query}`,
      `/ops/jobs/${id}?notice=${query}`,
      `/nothing/${query}`,
      `/login?next=${query}`,
    ];
    for (const path of paths) {
      const { text, headers } = await operator.get(path).set('Accept', 'text/html');
      expect([path, /<script|<img src=x|onerror='/.test(text)]).toEqual([path, false]);
      expect(headers['content-security-policy']).toMatch(/default-src 'none'/);
    }
    expect((await operator.get(`/ops/jobs/${id}`)).text).toContain('&lt;script&gt;');
  });
});

test('nothing under /ops shows a whole number, a key id of a code, metadata or a client', async () => {
  const { id } = await seed({ state: 'rejected', reason: 'landline' });
  await board.pool.query(
    `update verification set metadata = '{"note":"meta-secret"}', client = '{"ip":"203.0.113.9"}', code_kid = 'kid-secret'`,
  );
  await board.pool.query(
    `insert into recipient (id, project_id, phone, address_hash, push_token_encrypted, telegram_chat_id, created_at, updated_at)
     values ($1, $2, $3, $4, 'encrypted-secret', 77000111, $5, $5)`,
    [uuidv7(), shop, PHONE, board.addressHash(PHONE), board.time.now],
  );
  const address = board.addressHash(PHONE).toString('hex');
  for (const path of [
    '/ops',
    '/ops/jobs',
    `/ops/jobs/${id}`,
    `/ops/recipients/${address}`,
    '/ops/failures',
    '/ops/retry',
    '/ops/queues',
    '/ops/audit',
  ])
    for (const format of ['text/html', 'application/json']) {
      const { status, text } = await operator.get(path).set('Accept', format);
      expect([path, status]).toEqual([path, 200]);
      expect(text).not.toMatch(
        /998901234567|meta-secret|203\.0\.113\.9|kid-secret|encrypted-secret|77000111|password_hash|token_hash/,
      );
    }
  const known = (await viewer.json(`/ops/recipients/${address}`)).known;
  expect(known).toMatchObject([{ project: 'shop', phone: '+998•••••••67', telegram: true, push: true }]);
});
