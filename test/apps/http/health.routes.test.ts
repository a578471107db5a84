import { Redis } from 'ioredis';
import { Pool } from 'pg';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { healthRouter } from '../../../apps/http/health.routes.ts';
import { isNeighbour } from '../../../domain/shared/ip-neighbour.ts';
import { limitConnection } from '../../../infra/limits/quota-counter.ts';
import { readiness } from '../../../infra/process/readiness.ts';
import { metrics } from '../../../infra/process/metrics.ts';
import { exposeDepthForNow } from '../../support/depth-gauges.ts';
import { depthReader } from '../../../infra/postgres/job/depth.ts';
import { type Ground, makeProject, openApi, openGround, type TestApi } from '../../support/api.ts';

let ground: Ground;
let takeGaugesOff: () => void;
let api: TestApi;
let redis: Redis;

beforeAll(async () => {
  ground = await openGround();
  redis = openRedis(ground.redisUrl);
  api = openApi(ground, [], [healthRouter(partsOf(ground.pool, redis))]);
  takeGaugesOff = exposeDepthForNow(depthReader(ground.pool));
});
afterAll(async () => {
  takeGaugesOff();
  await api.close();
  redis.disconnect();
  await ground.close();
});

const partsOf = (pool: Pool, connection: Redis) => ({
  readiness: () => readiness(pool, connection),
  metrics: async () => ({ contentType: metrics.contentType, text: await metrics.metrics() }),
});

function openRedis(url: string): Redis {
  const connection = new Redis(url, limitConnection);
  connection.on('error', () => undefined);
  return connection;
}

describe('ready', () => {
  test('with both servers', async () => {
    await untilReady(redis);
    await request(api.app).get('/health/live').expect(200);
    const { body } = await request(api.app).get('/health/ready').expect(200);
    expect(body).toEqual({ status: 'ready', postgres: 'up', redis: 'up' });
  });

  test('without Redis, which a 202 does not need', async () => {
    const away = openRedis('redis://127.0.0.1:9');
    const lone = openApi(ground, [], [healthRouter(partsOf(ground.pool, away))]);
    expect((await request(lone.app).get('/health/ready').expect(200)).body.redis).toBe('away');
    away.disconnect();
    await lone.close();
  });

  test('not without Postgres, while the process lives', async () => {
    const pool = new Pool({ connectionString: 'postgres://nobody@127.0.0.1:9/none' });
    const lone = openApi(ground, [], [healthRouter(partsOf(pool, redis))]);
    const { body, headers } = await request(lone.app).get('/health/ready').expect(503);
    expect(body).toMatchObject({ status: 503, postgres: 'down', redis: 'up' });
    expect(headers['retry-after']).toBe('1');
    await request(lone.app).get('/health/live').expect(200);
    await lone.close();
    await pool.end();
  });
});

describe('/metrics', () => {
  test('is not there for who comes through a proxy or from a public address', async () => {
    const addedByProxies = {
      'X-Forwarded-For': '127.0.0.1',
      'X-Forwarded-Proto': 'https',
      Forwarded: 'for=127.0.0.1',
      Via: '1.1 squid',
      'X-Real-IP': '127.0.0.1',
      'CF-Connecting-IP': '127.0.0.1',
    };
    for (const [name, value] of Object.entries(addedByProxies))
      await request(api.app).get('/metrics').set(name, value).expect(404);
    const from = (remoteAddress: string) => isNeighbour({}, remoteAddress);
    for (const near of [
      '127.0.0.1',
      '::1',
      '10.1.2.3',
      '172.20.0.5',
      '192.168.1.9',
      '::ffff:10.0.0.1',
      'fd00::1',
    ])
      expect(from(near)).toBe(true);
    for (const far of ['', '8.8.8.8', '168.63.129.16', '172.32.0.1', '::ffff:8.8.8.8', '2001:db8::1'])
      expect(from(far)).toBe(false);
  });

  test('tells depth and age of what waits by kind, from Postgres', async () => {
    const { project } = await makeProject(ground, 'depth');
    await seed(project.id, 'queued', 90);
    await seed(project.id, 'queued', 30);
    await seed(project.id, 'running', 500);
    await seed(project.id, 'completed', 900);
    // Waits for its time, and is not late.
    await seed(project.id, 'queued', -60);
    const { text } = await request(api.app).get('/metrics').expect(200);
    expect(valueOf(text, 'navbat_queue_unfinished_jobs{kind="otp-send"}')).toBe(4);
    expect(valueOf(text, 'navbat_queue_waiting_jobs{kind="otp-send"}')).toBe(3);
    const age = valueOf(text, 'navbat_queue_oldest_waiting_seconds{kind="otp-send"}');
    expect(age).toBeGreaterThanOrEqual(90);
    expect(age).toBeLessThan(120);
    expect(text).toContain('navbat_http_request_seconds');
  });

  test('counts the backlog at most once in five seconds, and less often when a count takes long', async () => {
    let nowMs = 0;
    let counts = 0;
    let costMs = 0;
    const counting = {
      connect: () => {
        counts += 1;
        nowMs += costMs;
        return ground.pool.connect();
      },
    } as unknown as Pool;
    const read = depthReader(counting, () => nowMs);
    await Promise.all([read(), read(), read()]);
    nowMs = 4_999;
    await read();
    expect(counts).toBe(1);
    nowMs = 5_000;
    costMs = 1_000;
    await read();
    expect(counts).toBe(2);
    nowMs = 24_999;
    await read();
    expect(counts).toBe(2);
    nowMs = 25_000;
    await read();
    expect(counts).toBe(3);
  });
});

const valueOf = (text: string, series: string) =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.split(' ')[1],
  );

async function untilReady(connection: Redis): Promise<void> {
  if (connection.status !== 'ready') await new Promise<void>((resolve) => connection.once('ready', resolve));
}

async function seed(projectId: string, state: string, ageSeconds: number): Promise<void> {
  await ground.pool.query(
    `insert into job (id, kind, project_id, subject_id, state, payload, labels, run_at, deadline_at, accepted_at, finished_at)
     values (gen_random_uuid(), 'otp-send', $1, gen_random_uuid(), $2, '{}', '{}', now() - make_interval(secs => $3), now(), now(),
       case when $2 = 'completed' then now() end)`,
    [projectId, state, ageSeconds],
  );
}
