import { appRoutes } from '@bull-board/api/dist/routes.js';
import { describe, expect, test } from 'vitest';
import type { JobReason } from '../../../domain/reasons.ts';
import type { SessionOwner } from './open-board.ts';
import { labels, openOtpQueue, PHONE } from './verify/open-otp-queue.ts';

const { board, operator, queue, seed, rowOf, issue, work, lastAudit } = await openOtpQueue();

describe("Bull Board's mutating routes", () => {
  const mutating = appRoutes.api
    .flatMap(({ method, route }) =>
      [method].flat().flatMap((verb) => [route].flat().map((path) => `${verb} ${path}`)),
    )
    .filter((route) => !route.startsWith('get '));
  const commands = [
    'put /api/queues/:queueName/pause',
    'put /api/queues/:queueName/resume',
    'put /api/queues/:queueName/:jobId/retry',
    'put /api/queues/:queueName/:jobId/clean',
    'put /api/queues/:queueName/:jobId/promote',
  ];
  const refused = mutating.filter((route) => !commands.includes(route));

  test('are these: a new one in a new version is looked at before it is let in', () => {
    expect(mutating.toSorted()).toEqual(
      [
        ...commands,
        'patch /api/queues/:queueName/:jobId/delay',
        'patch /api/queues/:queueName/:jobId/priority',
        'patch /api/queues/:queueName/:jobId/update-data',
        'patch /api/queues/:queueName/job-schedulers/:schedulerId',
        'post /api/queues/:queueName/add',
        'put /api/queues/:queueName/:jobId/remove-unprocessed-children',
        'put /api/queues/:queueName/clean/:queueStatus',
        'put /api/queues/:queueName/concurrency',
        'put /api/queues/:queueName/empty',
        'put /api/queues/:queueName/job-schedulers/:schedulerId/remove',
        'put /api/queues/:queueName/job-schedulers/:schedulerId/run',
        'put /api/queues/:queueName/obliterate',
        'put /api/queues/:queueName/promote',
        'put /api/queues/:queueName/rate-limit',
        'put /api/queues/:queueName/rate-limit/release',
        'put /api/queues/:queueName/retry/:queueStatus',
        'put /api/queues/pause',
        'put /api/queues/resume',
      ].toSorted(),
    );
  });

  test.each(refused)('%s is refused to an admin, changes nothing and leaves an audit row', async (route) => {
    const { id } = await seed();
    await issue(id, new Date(Date.now() + 60_000));
    const admin = await board.session('admin');
    const [method = '', path = ''] = route.split(' ');
    const filled = path
      .replace(':queueName', 'otp-send')
      .replace(':jobId', id)
      .replace(':schedulerId', 'any')
      .replace(':queueStatus', path.includes('retry') ? 'failed' : 'delayed');
    const answer = await send(admin, method, filled);
    expect([route, answer.status]).toEqual([route, 403]);
    expect(answer.body.error).toEqual({ key: 'ERRORS.FORBIDDEN' });
    expect(await queue().getJobState(id)).toBe('delayed');
    expect(await queue().isPaused()).toBe(false);
    expect(await queue().getJobCounts()).toMatchObject({ delayed: 1, waiting: 0 });
    expect((await rowOf(id)).state).toBe('queued');
    expect(await lastAudit()).toEqual({
      actor: admin.email,
      action: 'board.refused',
      subject: `${method.toUpperCase()} ${filled}`,
      detail: { outcome: 'refused', reason: 'board-forbids' },
    });
  });
});

async function send(owner: SessionOwner, method: string, path: string) {
  const answer = await fetch(board.url + path, {
    method: method.toUpperCase(),
    headers: {
      cookie: `navbat_staff=${owner.token}`,
      origin: board.url,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ force: true, jobData: {}, delay: 1, concurrency: 9 }),
  });
  return { status: answer.status, body: (await answer.json()) as { error?: unknown } };
}

describe('pause and resume', () => {
  test('write the row of the queue, pause the queue and say who did it', async () => {
    expect((await operator.put('/api/queues/otp-send/pause', { why: 'pumping' })).status).toBe(200);
    expect((await board.pool.query('select * from queue')).rows).toEqual([
      { kind: 'otp-send', paused_at: board.time.now, paused_by: operator.email, paused_reason: 'pumping' },
    ]);
    expect(await queue().isPaused()).toBe(true);
    expect(await lastAudit()).toMatchObject({
      actor: operator.email,
      action: 'queue.pause',
      subject: 'otp-send',
      detail: { outcome: 'done', why: 'pumping' },
    });

    expect((await operator.put('/api/queues/otp-send/resume')).status).toBe(200);
    expect((await board.pool.query('select * from queue')).rows).toEqual([
      { kind: 'otp-send', paused_at: null, paused_by: null, paused_reason: null },
    ]);
    expect(await queue().isPaused()).toBe(false);
  });

  test.each([undefined, {}, { why: '' }, { why: ' ' }, { why: 7 }])(
    'a pause without a reason (%o) is refused, and pauses nothing',
    async (body) => {
      const answer = await operator.put('/api/queues/otp-send/pause', body);
      expect(answer.status).toBe(400);
      expect(answer.body.message).toContain('why');
      expect((await board.pool.query('select from queue where paused_at is not null')).rowCount).toBe(0);
      expect(await queue().isPaused()).toBe(false);
    },
  );

  test('a second pause keeps the name and the time of the first', async () => {
    await operator.put('/api/queues/otp-send/pause', { why: 'pumping' });
    await (await board.session('admin')).put('/api/queues/otp-send/pause', { why: 'later' });
    expect((await board.pool.query('select paused_by from queue')).rows).toEqual([
      { paused_by: operator.email },
    ]);
  });
});

describe('what the board shows', () => {
  test('a queue entry reads project, channels and a masked recipient, and leads to its job', async () => {
    const { id } = await seed();
    await issue(id);
    const { body } = await operator.get(
      '/api/queues?activeQueue=otp-send&status=waiting&page=1&jobsPerPage=10',
    );
    expect(body.queues[0].description).toContain('/ops/jobs?kind=otp-send');
    expect(body.queues[0].jobs[0]).toMatchObject({
      name: 'shop · push, sms · +998•••••••67',
      data: { jobId: id, kind: 'otp-send', labels },
      externalUrl: { href: `/ops/jobs/${id}` },
    });
  });

  test('no secret that came into data, result, error, stack or log by mistake', async () => {
    const { id } = await seed();
    const secrets = [
      '493817',
      PHONE,
      'nbt_live_abcdefghijklmnop',
      '123456789:AAF-abcdefghijklmnopqrstuvwxyz_12345',
    ];
    const leak = secrets.join(' ');
    await queue().add('otp-send', { jobId: id, kind: 'otp-send', labels, code: leak } as never, {
      jobId: id,
    });
    await queue().addJobLog(id, `sent ${leak}`);
    await work(id, 'rejected', `provider said ${leak}` as JobReason);
    const answers = await Promise.all([
      operator.get(`/api/queues/otp-send/${id}`),
      operator.get(`/api/queues/otp-send/${id}/logs`),
      operator.get('/api/queues?activeQueue=otp-send&status=failed&page=1&jobsPerPage=10'),
    ]);
    expect(answers[0]?.body.job.failedReason).toContain('rejected: provider said');
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      for (const secret of secrets) expect(answer.text).not.toContain(secret);
    }
  });

  test('its page asks nothing of anybody else', async () => {
    const { text, headers } = await operator.get('/').set('Accept', 'text/html');
    expect(text).toContain('id="root"');
    expect(text).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'self'; style-src 'self' 'unsafe-inline';(?!.*script-src)/,
    );
  });
});

test('Bull Board offers nothing that it would refuse', async () => {
  const { body } = await operator.get('/api/queues');
  expect(body.queues.map(({ readOnlyMode }: { readOnlyMode: boolean }) => readOnlyMode)).toEqual(
    body.queues.map(() => true),
  );
});
