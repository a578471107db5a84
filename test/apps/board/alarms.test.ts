import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { heartbeat, endHeartbeat } from '../../../infra/postgres/job/heartbeats.ts';
import { openBoard, type OpenBoard, type SessionOwner } from './open-board.ts';
import { seedJob, type SeedJob, seedProject } from './seed.ts';

const PHONE = '+998901234567';
const MINUTE_MS = 60_000;

let board: OpenBoard;
let operator: SessionOwner;
let viewer: SessionOwner;
let shop: string;
beforeAll(async () => {
  board = await openBoard();
  operator = await board.session('operator');
  viewer = await board.session('viewer');
});
afterAll(() => board.close());
beforeEach(async () => {
  await board.pool.query(
    'truncate project, job, attempt, verification, recipient, outbox, queue, worker_heartbeat cascade',
  );
  await board.queues.redis.flushdb();
  shop = await seedProject(board.pool, 'shop');
  await heartbeat(board.pool, { ...everything, id: uuidv7(), reconciledAt: board.time.now }, board.time.now);
});

const everything = { roles: ['otp-send', 'telegram-message', 'push', 'webhook', 'reconciler'] };
const ago = (milliseconds: number) => new Date(board.time.now.getTime() - milliseconds);
const seed = (job: Partial<SeedJob> = {}) =>
  seedJob(board.pool, shop, board.addressHash(job.phone ?? PHONE), {
    project: 'shop',
    at: ago(1_000),
    ...job,
  });
const alarms = async (): Promise<{ alarm: string; subject: string; says: string }[]> =>
  (await viewer.json('/ops')).alarms;
const names = async () => (await alarms()).map(({ alarm, subject }) => [alarm, subject]);
const text = async (path: string, owner = operator) =>
  (await owner.get(path).set('Accept', 'text/html')).text.replaceAll(/\s+/g, ' ');

describe('alarms', () => {
  test('none while everything works', async () => {
    await seed({ state: 'completed', verification: 'approved' });
    expect(await names()).toEqual([]);
    expect(await text('/ops')).not.toContain('class="tile alarm"');
  });

  test('a kind without a worker, and a reconciler that stands still', async () => {
    await board.pool.query('truncate worker_heartbeat');
    const id = uuidv7();
    await heartbeat(
      board.pool,
      { id, roles: ['otp-send', 'push', 'reconciler'], reconciledAt: ago(MINUTE_MS) },
      board.time.now,
    );
    expect(await names()).toEqual([
      ['no-worker', 'telegram-message'],
      ['no-worker', 'webhook'],
      ['reconciler-stopped', 'reconciler'],
    ]);
    await endHeartbeat(board.pool, id);
    expect(await names()).toHaveLength(5);
  });

  test('a worker that has given no sign of life for longer than three of them is gone', async () => {
    await board.pool.query('update worker_heartbeat set at = $1', [ago(15_001)]);
    expect((await names()).filter(([alarm]) => alarm === 'no-worker')).toHaveLength(4);
    await board.pool.query('update worker_heartbeat set at = $1', [ago(15_000)]);
    expect((await names()).filter(([alarm]) => alarm === 'no-worker')).toEqual([]);
  });

  test('the oldest waiting job of each kind, unless its queue is paused: then the pause, with who and why', async () => {
    await seed({ at: ago(31_000) });
    expect(await names()).toEqual([['jobs-waiting', 'otp-send']]);
    await operator.post('/ops/queues/otp-send/pause', { why: 'provider is down' });
    expect(await alarms()).toMatchObject([
      { alarm: 'queue-paused', says: expect.stringContaining(`${operator.email}: provider is down`) },
    ]);
  });

  test('an endpoint that does not answer, with what waits for it, and one that was disabled for it', async () => {
    const dead = await seedEndpoint('dead.example', { failingSince: ago(20 * MINUTE_MS) });
    await seedEndpoint('young.example', { failingSince: ago(MINUTE_MS) });
    await seedEndpoint('gone.example', { disabledReason: 'gone' });
    await seedEndpoint('off.example', { disabledReason: 'owner' });
    for (let n = 0; n < 3; n++) await seedCall({ endpointId: dead, host: 'dead.example', attempts: n });
    expect(await alarms()).toMatchObject([
      {
        alarm: 'endpoint-failing',
        subject: 'shop · dead.example',
        says: expect.stringContaining('3 events wait'),
      },
      { alarm: 'endpoint-disabled', subject: 'shop · gone.example' },
    ]);
  });

  test('the host of a callback_url, which is no endpoint and is never disabled', async () => {
    await seedCall({ endpointId: null, host: 'callback.example', attempts: 2, at: ago(20 * MINUTE_MS) });
    expect(await names()).toContainEqual(['endpoint-failing', 'shop · callback.example']);
  });

  test('a provider of which more than half of the attempts fail, and not one of which half do', async () => {
    const failed = { channel: 'sms', provider: 'twilio', outcome: 'failed', reason: 'network' } as const;
    for (let n = 0; n < 5; n++) await seed({ state: 'failed', reason: 'network', attempts: [failed] });
    for (let n = 0; n < 5; n++)
      await seed({
        state: 'completed',
        verification: 'approved',
        attempts: [{ ...failed, outcome: 'completed' }],
      });
    expect(await names()).toEqual([]);
    await seed({ state: 'failed', reason: 'network', attempts: [failed] });
    expect(await names()).toEqual([['provider-failing', 'twilio']]);
  });
});

describe('search', () => {
  const search = async (q: string) => (await viewer.post('/ops/search', { q })).headers['location'];

  test('finds a number in any form that people write', async () => {
    const address = `/ops/recipients/${board.addressHash(PHONE).toString('hex')}`;
    for (const q of [
      '998901234567',
      '90 123 45 67',
      '901234567',
      '(90) 123-45-67',
      '00998901234567',
      ' +998 90 1234567',
    ])
      expect([q, await search(q)]).toEqual([q, address]);
  });

  test('finds a job by the end of its id as lists print it, and by its request id', async () => {
    const { id } = await seed();
    await seed();
    expect(await search(`…${id.slice(-12)}`)).toBe(`/ops/jobs/${id}`);
    expect(await search(id.slice(-12))).toBe(`/ops/jobs/${id}`);
    const { rows } = await board.pool.query<{ request_id: string }>(
      'select request_id from job where id = $1',
      [id],
    );
    expect(await search(rows[0]?.request_id ?? '')).toBe(`/ops/jobs/${id}`);
  });

  test('lists all jobs of one request', async () => {
    const ids = [(await seed()).id, (await seed()).id];
    await board.pool.query(`update job set request_id = 'req-of-two'`);
    expect(await search('req-of-two')).toBe('/ops/jobs?text=req-of-two&hours=168');
    const { data } = await viewer.json('/ops/jobs?text=req-of-two&hours=168');
    expect(data.map(({ id }: { id: string }) => id).toSorted()).toEqual(ids.toSorted());
  });
});

describe('a job', () => {
  test('says what its reason means and what to do next; a retry is offered only where it can work', async () => {
    const later = await seed({ state: 'failed', reason: 'network' });
    const change = await seed({ state: 'rejected', reason: 'landline' });
    const late = await seed({ state: 'failed', reason: 'network', verification: 'expired' });
    const page = await text(`/ops/jobs/${change.id}`);
    expect(page).toContain('The number is a landline');
    expect(page).toContain('Ask for a mobile number');
    expect(await text(`/ops/jobs/${later.id}`)).toContain('<button class="primary">Retry</button>');
    expect(page).not.toContain('>Retry</button>');
    expect(page).toContain('I changed it: retry');
    const tooLate = await text(`/ops/jobs/${late.id}`);
    expect(tooLate).not.toMatch(/retry<\/button>/i);
    expect(tooLate).toContain('The job is no longer needed');
  });

  test('that ended before anything was sent says so, and one that waits for a worker says that', async () => {
    const rejected = await seed({ state: 'rejected', reason: 'payload-unreadable' });
    expect(await text(`/ops/jobs/${rejected.id}`)).toContain('No attempt was made');
    expect(await text(`/ops/jobs/${(await seed()).id}`)).toContain('no worker has opened this job');
  });

  test('that sleeps until its next try is retrying, and one at which a worker is runs', async () => {
    const failed = { channel: 'sms', provider: 'twilio', outcome: 'failed', reason: 'network' } as const;
    const runAt = new Date(board.time.now.getTime() + MINUTE_MS);
    const sleeps = await seed({ state: 'retrying', runAt, attempts: [failed] });
    const runs = await seed({
      state: 'running',
      attempts: [failed, { ...failed, outcome: null, reason: null }],
    });
    const page = await text(`/ops/jobs/${sleeps.id}`);
    expect(page).toContain('<span class="state retrying">retrying</span> <span class="note">next at');
    expect(page).toContain(runAt.toISOString());
    expect(await text(`/ops/jobs/${runs.id}`)).toContain('<span class="state running">running</span>');
    expect(await text('/ops/jobs')).toContain('retrying');
  });

  test('that a blocked prefix refused says until when', async () => {
    const { id, verificationId } = await seed({ state: 'rejected', reason: 'prefix-blocked' });
    await board.pool.query(`update verification set phone_prefix = '+99890123' where id = $1`, [
      verificationId,
    ]);
    await board.pool.query(
      `insert into prefix_score (project_id, prefix, sent, verified, at) values ($1, '+99890123', 20, 0, $2)`,
      [shop, board.time.now],
    );
    const until = new Date(Math.ceil((board.time.now.getTime() + 60 * MINUTE_MS) / MINUTE_MS) * MINUTE_MS);
    expect(await text(`/ops/jobs/${id}`)).toContain(
      `blocked until ${until.toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    );
  });
});

describe('a filtered retry', () => {
  test('leaves out what a retry alone cannot help, unless staff name its reason', async () => {
    await seed({ state: 'failed', reason: 'network' });
    await seed({ state: 'rejected', reason: 'credentials' });
    await seed({ state: 'rejected', reason: 'landline' });
    board.time.now = new Date(board.time.now.getTime() + 10);
    expect(await operator.json('/ops/retry?hours=1')).toMatchObject({
      matching: 3,
      retriable: 1,
      permanent: 2,
    });
    expect(await text('/ops/retry?hours=1')).toContain('Retry 1 jobs');
    expect(await operator.json('/ops/retry?hours=1&reason=credentials')).toMatchObject({
      retriable: 1,
      permanent: 0,
    });
    const until = board.time.now.toISOString();
    const { body } = await operator.postJson('/ops/retry', { hours: 1, until, confirm: true });
    expect(body).toMatchObject({ retried: 1 });
  });
});

describe('a pause', () => {
  test('shows what it costs and asks why before it is made; the reason is audited, and shown until it ends', async () => {
    await seed();
    const queues = await text('/ops/queues');
    expect(queues).toContain('href="/ops/queues/otp-send/pause"');
    expect(queues).not.toContain('action="/ops/queues/otp-send/pause"');
    const ask = await text('/ops/queues/otp-send/pause');
    expect(ask).toContain('<dd>1<small>of every project');
    expect(ask).toMatch(/name="why" required/);
    expect((await operator.post('/ops/queues/otp-send/pause')).status).toBe(400);
    expect((await operator.post('/ops/queues/otp-send/pause', { why: 'pumping' })).status).toBe(303);
    expect((await board.audit()).at(-1)).toMatchObject({
      action: 'queue.pause',
      detail: { outcome: 'done', why: 'pumping' },
    });
    expect(await text('/ops/queues')).toContain('pumping');
    expect((await operator.post('/ops/queues/otp-send/resume')).status).toBe(303);
    expect(await text('/ops/queues')).not.toContain('pumping');
    expect((await viewer.get('/ops/queues/otp-send/pause')).status).toBe(403);
  });
});

test('a page that does not exist is 404 and no offence', async () => {
  const before = (await board.audit()).length;
  expect((await viewer.get('/ops/typo')).status).toBe(404);
  expect((await viewer.get('/ops/jobs/typo/typo')).status).toBe(404);
  expect(await board.audit()).toHaveLength(before);
});

test('Bull Board offers nothing that it would refuse', async () => {
  const { body } = await operator.get('/api/queues');
  expect(body.queues.map(({ readOnlyMode }: { readOnlyMode: boolean }) => readOnlyMode)).toEqual(
    body.queues.map(() => true),
  );
});

test('the stylesheet colours what the pages hold: a link in a tile, or in a cell, takes its colour', () => {
  const css = readFileSync(join(import.meta.dirname, '../../../apps/board/assets/board.css'), 'utf8');
  expect(css).toMatch(/\.tile dd a \{\s*color: inherit;/);
  expect(css).toMatch(/td\.num a \{\s*color: inherit;/);
});

async function seedEndpoint(
  host: string,
  more: { failingSince?: Date; disabledReason?: 'owner' | 'gone' } = {},
): Promise<string> {
  const id = uuidv7();
  await board.pool.query(
    `insert into webhook_endpoint (id, project_id, mode, url, host, created_at, updated_at, failing_since, disabled_at, disabled_reason)
     values ($1, $2, 'live', $3, $4, $5, $5, $6, $7, $8)`,
    [
      id,
      shop,
      `https://${host}/`,
      host,
      board.time.now,
      more.failingSince ?? null,
      more.disabledReason ? board.time.now : null,
      more.disabledReason ?? null,
    ],
  );
  return id;
}

async function seedCall(call: {
  endpointId: string | null;
  host: string;
  attempts: number;
  at?: Date;
}): Promise<void> {
  const at = call.at ?? board.time.now;
  const later = new Date(board.time.now.getTime() + MINUTE_MS);
  await board.pool.query(
    `insert into job (id, kind, project_id, subject_id, state, payload, labels, attempts, run_at, deadline_at, accepted_at)
     values ($1, 'webhook', $2, gen_random_uuid(), 'queued', $3, $4, $5, $6, $6, $7)`,
    [
      uuidv7({ msecs: at.getTime() }),
      shop,
      { event_id: uuidv7(), endpoint_id: call.endpointId },
      { project: 'shop', channels: 'webhook', to: call.host },
      call.attempts,
      later,
      at,
    ],
  );
}
