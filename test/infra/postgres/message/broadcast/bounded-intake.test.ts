import { randomBytes } from 'node:crypto';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { messageRoutes } from '../../../../../apps/api/message/messages.routes.ts';
import { jobs } from '../../../../../domain/jobs.ts';
import { reconcilerQueries } from '../../../../../infra/postgres/job/reconciler.ts';
import { boundedBroadcastIntake } from '../../../../../infra/postgres/message/broadcast/bounded-intake.ts';
import { broadcasts } from '../../../../../infra/postgres/message/broadcast/broadcasts.ts';
import { broadcastIntake } from '../../../../../infra/postgres/message/broadcast/intake.ts';
import { rowGuard } from '../../../../../infra/postgres/project/rows.ts';
import { retentions } from '../../../../../infra/postgres/retentions.ts';
import { settles } from '../../../../../infra/postgres/settles.ts';
import { rowEncryption } from '../../../../../infra/process/crypto.ts';
import {
  type Ground,
  makeKey,
  makeProject,
  openApi,
  openGround,
  type TestApi,
} from '../../../../support/api.ts';

const BROADCAST = 10_000;
const DAY_MS = 86_400_000;

let ground: Ground;
let api: TestApi;

beforeAll(async () => {
  ground = await openGround();
  const encryption = rowEncryption({ current: 'k1', keys: new Map([['k1', randomBytes(32)]]) });
  const { pool, hash } = ground;
  const intake = broadcastIntake({ pool, hash, encryption, now: () => new Date() });
  api = openApi(
    ground,
    messageRoutes({
      providers: new Set(['telegram']),
      intake: boundedBroadcastIntake(intake, rowGuard(pool)),
      broadcasts: broadcasts(pool),
    }),
  );
});
afterAll(async () => {
  await api.close();
  await ground.close();
});

const call = (key: string, method: 'post', path: string) =>
  request(api.app)[method](path).set('Authorization', `Bearer ${key}`);

const toMany = (recipients: number) => ({
  text: 'hello',
  to: Array.from({ length: recipients }, (_, n) => ({ chat_id: n + 1 })),
});

const jobsOf = async (projectId: string) =>
  Number(
    (await ground.pool.query('select count(*) n from job where project_id = $1', [projectId])).rows[0].n,
  );

describe('rows of a project', () => {
  test('of test keys: two broadcasts of ten thousand fit, and six at once are no more than two', async () => {
    const { project } = await makeProject(ground, 'tests');
    const { key } = await makeKey(ground, project.id, { mode: 'test' });
    const post = () => call(key, 'post', '/telegram/send').send(toMany(BROADCAST));
    const answers = await Promise.all(Array.from({ length: 6 }, post));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(2);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(4);
    expect(await jobsOf(project.id)).toBe(2 * BROADCAST);
    const { body, headers } = await post().expect(429);
    expect(body).toMatchObject({
      type: 'urn:navbat:problem:ceiling-reached',
      ceiling: 'test_rows',
      limit: 20_000,
      used: 20_000,
    });
    expect(body.detail).toContain('staff of Navbat');
    expect(headers['retry-after']).toBe('60');
    // Nothing of it costs those of live keys.
    const { key: live } = await makeKey(ground, project.id);
    await call(live, 'post', '/telegram/send').send(toMany(2)).expect(202);
  });

  test('queued and kept, are counted as they are made, end and leave; a replay of what was accepted counts none', async () => {
    const { project, key } = await makeProject(ground, 'counted');
    await ground.projects.changeCeilings(project.id, { rows_queued: 40, rows_kept: 50 });
    const post = (rows: number, idempotencyKey: string) =>
      call(key, 'post', '/telegram/send').set('Idempotency-Key', idempotencyKey).send(toMany(rows));
    await post(20, 'a').expect(202);
    await post(20, 'a').expect(202).expect('Idempotent-Replayed', 'true');
    expect((await post(21, 'b').expect(429)).body).toMatchObject({ ceiling: 'rows_queued', used: 20 });
    await post(20, 'c').expect(202);
    expect(await ground.projects.rows(project.id)).toMatchObject({ queued: 40, kept: 40 });
    const reconciler = reconcilerQueries(ground.pool, { jobs, settles, retentions });
    await reconciler.expire(new Date());
    expect(await ground.projects.rows(project.id)).toMatchObject({ queued: 40, kept: 40 });

    await ground.pool.query(
      `update job set state = 'completed', finished_at = now() - interval '40 days' where project_id = $1`,
      [project.id],
    );
    expect(await ground.projects.rows(project.id)).toMatchObject({ queued: 0, kept: 40 });
    const other = rowGuard(ground.pool);
    const one = { projectId: project.id, mode: 'live' } as const;
    const within = (rows: number) =>
      other.within(
        one,
        rows,
        async () => undefined,
        () => 0,
      );
    await expect(within(11)).rejects.toMatchObject({ hit: { ceiling: 'rows_kept', used: 40, limit: 50 } });
    await within(10);
    await reconciler.retire(new Date(), { jobDays: 30, phoneDays: 7 });
    await reconciler.expire(new Date());
    expect(await ground.projects.rows(project.id)).toMatchObject({ queued: 0, kept: 0 });
    const { rows } = await ground.pool.query('select count(*)::int n from project_rows_change');
    expect(rows[0].n).toBe(0);
  });

  test('of test keys leave a day after they ended, those of live keys stay', async () => {
    const { project, key: live } = await makeProject(ground, 'short');
    const { key } = await makeKey(ground, project.id, { mode: 'test' });
    await call(key, 'post', '/telegram/send').send(toMany(3)).expect(202);
    await call(live, 'post', '/telegram/send').send(toMany(3)).expect(202);
    await ground.pool.query('update broadcast set finished_at = now() where project_id = $1', [project.id]);
    await ground.pool.query('update job set finished_at = now() where project_id = $1', [project.id]);
    const retire = (days: number) =>
      reconcilerQueries(ground.pool, { jobs, settles, retentions }).retire(
        new Date(Date.now() + days * DAY_MS),
        {
          jobDays: 30,
          phoneDays: 7,
        },
      );
    await retire(0.9);
    expect(await jobsOf(project.id)).toBe(6);
    let round = await retire(1.1);
    while (round.more) round = await retire(1.1);
    const { rows } = await ground.pool.query(
      `select mode, count(*)::int n from job where project_id = $1 group by 1
       union all select mode, count(*)::int from broadcast where project_id = $1 group by 1`,
      [project.id],
    );
    expect(rows).toEqual([
      { mode: 'live', n: 3 },
      { mode: 'live', n: 1 },
    ]);
  });
});
