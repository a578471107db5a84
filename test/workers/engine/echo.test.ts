import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { JobId } from '../../../domain/shared/ids.ts';
import { jobs } from '../../../domain/jobs.ts';
import { depthReader } from '../../../infra/postgres/job/depth.ts';
import { reconcilerQueries } from '../../../infra/postgres/job/reconciler.ts';
import { schedulerQueries } from '../../../infra/postgres/job/scheduler.ts';
import { settles } from '../../../infra/postgres/settles.ts';
import { metrics } from '../../../infra/process/metrics.ts';
import { exposeDepthForNow } from '../../support/depth-gauges.ts';
import { startQueueWorker } from '../../../infra/queue/queue-worker.ts';
import { queueOf, workerRedis } from '../../../infra/queue/queues.ts';
import { reconcilerRedis } from '../../../infra/queue/reconciler-redis.ts';
import { schedulerQueues } from '../../../infra/queue/scheduler-queues.ts';
import { reconciler } from '../../../workers/engine/reconciler.ts';
import { scheduler, scheduledQueues } from '../../../workers/engine/scheduler.ts';
import { type OpenBoard, openBoard, type SessionOwner } from '../../apps/board/open-board.ts';
import { seedProject } from '../../apps/board/seed.ts';
import { acceptEcho, echo, echoSettle, echoTable } from '../../support/echo/echo.ts';
import { cave, echoWake } from '../../support/echo/worker.ts';
import { freshRedis } from '../../support/servers.ts';
import { retentions } from '../../../infra/postgres/retentions.ts';

/**
 * A kind that the product doesn't have, added by its definition, its settle and its worker: everything else is the engine's and
 * the board's as they are.
 */

const more = { jobs: { echo }, settles: { echo: echoSettle } };
const kinds = { jobs: { ...jobs, ...more.jobs }, settles: { ...settles, ...more.settles } };
const SLUG = 'canyon';

let redisUrl: string;
let board: OpenBoard;
let operator: SessionOwner;
let project: { id: string; slug: string };

let takeGaugesOff: () => void;
beforeAll(async () => {
  redisUrl = await freshRedis();
  board = await openBoard({ redisUrl, more });
  operator = await board.session('operator');
  project = { id: await seedProject(board.pool, SLUG), slug: SLUG };
  await board.owner.query(echoTable);
  takeGaugesOff = exposeDepthForNow(depthReader(board.pool));
});
afterAll(async () => {
  takeGaugesOff();
  await board.close();
});
beforeEach(async () => {
  await board.queues.redis.flushdb();
  await board.owner.query('truncate job, attempt, scheduler_turn, queue, outbox, cave cascade');
});

const now = () => new Date();
const queue = () => queueOf(board.queues, 'echo');
const schedule = () =>
  scheduler(
    scheduledQueues(more.jobs, {}),
    schedulerQueues(board.queues, schedulerQueries(board.pool, kinds.jobs, {}), now),
  )();
const reconcile = () => {
  const queries = reconcilerQueries(board.pool, { ...kinds, retentions });
  const keep = { jobDays: 30, phoneDays: 7 };
  return reconciler(
    { ...queries, ...reconcilerRedis(board.queues), retire: (at: Date) => queries.retire(at, keep) },
    now,
  ).tick();
};
async function jobOf(id: JobId) {
  const { rows } = await board.pool.query(
    `select j.state, j.reason, j.attempts, c.state cave from job j join cave c on c.id = j.subject_id where j.id = $1`,
    [id],
  );
  return rows[0];
}

function startWorker(change: { delaysMs?: number[]; attemptsMax?: number } = {}) {
  const { heard, state, provider } = cave();
  const connection = workerRedis(redisUrl, () => undefined);
  const lines: object[] = [];
  const worker = startQueueWorker({
    kind: echo.kind,
    wake: echoWake(board.pool, provider, { info: (line: object) => void lines.push(line) }, change),
    concurrency: echo.concurrency,
    connection,
    onSurprise: (error) => lines.push(error),
    onError: () => undefined,
  });
  onTestFinished(async () => {
    await worker.drain(1_000);
    connection.disconnect();
  });
  return { heard, state, lines };
}

test('is accepted, scheduled, worked off and recorded, and closes what its settle says; Redis holds safe labels only', async () => {
  const id = await acceptEcho(board.pool, project, 'hello');
  expect(await queue().getJobCountByTypes('waiting')).toBe(0);
  await schedule();
  const [entry] = await queue().getWaiting();
  expect(entry?.data).toEqual({
    jobId: id,
    kind: 'echo',
    labels: { project: SLUG, to: 'the cave', letters: '5' },
  });

  const { heard, lines } = startWorker();
  await expect
    .poll(() => jobOf(id))
    .toEqual({
      state: 'completed',
      reason: null,
      attempts: 1,
      cave: 'completed',
    });
  expect(heard).toEqual(['hello']);
  expect(lines).toMatchObject([{ kind: 'echo', job_id: id, outcome: 'completed', provider: 'cave' }]);
});

test('is on Bull Board and under /ops like any other, and staff retry and cancel it as its settle allows', async () => {
  const { state } = startWorker();
  state.isDeaf = true;
  const id = await acceptEcho(board.pool, project, 'anyone there');
  await schedule();
  await expect
    .poll(() => jobOf(id))
    .toMatchObject({ state: 'failed', reason: 'network', attempts: 2, cave: 'failed' });

  const shown = await operator.json('/api/queues?activeQueue=echo&status=latest&page=1');
  const ofEcho = shown.queues.find(({ name }: { name: string }) => name === 'echo');
  await expect.poll(() => queue().getJobState(id)).toBe('failed');
  expect(ofEcho).toMatchObject({ description: expect.stringContaining('/ops/jobs?kind=echo') });
  const [listed] = (await operator.json('/ops/jobs?kind=echo')).data;
  expect(listed).toMatchObject({ id, kind: 'echo', state: 'failed', labels: { to: 'the cave' } });
  const overview = await operator.json('/ops');
  expect(overview.alarms).toContainEqual(expect.objectContaining({ alarm: 'no-worker', subject: 'echo' }));
  expect((await operator.get('/ops/queues')).text).toContain('>echo<');
  expect((await operator.get(`/ops/jobs/${id}`)).text).toContain('Retry');

  state.isDeaf = false;
  expect((await operator.put(`/api/queues/echo/${id}/retry`)).status).toBe(204);
  await expect.poll(() => jobOf(id)).toMatchObject({ state: 'completed', attempts: 3 });

  const unwanted = await acceptEcho(board.pool, project, 'never');
  expect((await operator.post(`/ops/jobs/${unwanted}/cancel`)).status).toBe(303);
  expect(await jobOf(unwanted)).toMatchObject({ state: 'cancelled', cave: 'filled' });
});

test('what waits for its next attempt is tried at once where staff say so', async () => {
  const { heard, state } = startWorker({ delaysMs: [600_000] });
  state.isDeaf = true;
  const id = await acceptEcho(board.pool, project, 'come back', 3_600_000);
  await schedule();
  await expect.poll(() => jobOf(id)).toMatchObject({ state: 'retrying', attempts: 1 });
  await expect.poll(() => queue().getJobState(id)).toBe('delayed');

  state.isDeaf = false;
  expect((await operator.post(`/ops/jobs/${id}/promote`)).status).toBe(303);
  await expect.poll(() => jobOf(id)).toMatchObject({ state: 'completed', attempts: 2 });
  expect(heard).toEqual(['come back']);
});

test('is tried no more often than its definition says, however many pauses it names', async () => {
  const { state } = startWorker({ attemptsMax: 1, delaysMs: [1, 1, 1, 1] });
  state.isDeaf = true;
  const id = await acceptEcho(board.pool, project, 'once');
  await schedule();
  await expect
    .poll(() => jobOf(id))
    .toMatchObject({ state: 'failed', reason: 'network', attempts: 1, cave: 'failed' });
});

test('a retry makes no sense once its settle says that nobody waits, and an unknown kind is told so', async () => {
  const id = await acceptEcho(board.pool, project, 'late');
  await board.pool.query(`update job set state = 'failed', finished_at = now() where id = $1`, [id]);
  await board.pool.query(`update cave set state = 'filled'`);
  board.time.now = new Date(Date.now() + 1_000);
  const refused = await operator.postJson('/ops/retry', { kind: 'echo' });
  expect(refused.body).toMatchObject({ matching: 1, retriable: 0 });
  expect((await operator.put('/api/queues/whisper/pause')).status).toBe(404);
});

test('the reconciler gives back lost queue entries, keeps a pause, and expires what is too late; metrics count it', async () => {
  const id = await acceptEcho(board.pool, project, 'lost');
  await schedule();
  const why = 'the cave is cleaned';
  expect((await operator.put('/api/queues/echo/pause', { why })).status).toBe(200);
  await board.queues.redis.flushdb();
  expect(await reconcile()).toMatchObject({ reissued: 1 });
  expect(await queue().isPaused()).toBe(true);
  expect(await queue().getJobState(id)).toMatch(/waiting|paused/);
  await operator.put('/api/queues/echo/resume');

  const late = await acceptEcho(board.pool, project, 'late', -60_000);
  expect(await reconcile()).toMatchObject({ expired: 1 });
  expect(await jobOf(late)).toMatchObject({ state: 'expired', reason: 'deadline', cave: 'expired' });
  const text = await metrics.metrics();
  expect(text).toMatch(/navbat_queue_unfinished_jobs\{kind="echo"\} 1/);
  expect(text).toMatch(/navbat_jobs_finished_total\{kind="echo",state="expired"\} 1/);
  expect(text).toMatch(
    /navbat_attempts_total\{kind="echo",channel="air",provider="cave",outcome="completed"\}/,
  );
});
