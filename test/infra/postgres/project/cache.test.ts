import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { projectCache, projectNamed } from '../../../../infra/postgres/project/cache.ts';
import { openGround } from '../world.ts';

let world: Awaited<ReturnType<typeof openGround>>;
let pool: CountingPool;
beforeAll(async () => {
  world = await openGround();
  pool = new CountingPool({ connectionString: world.url, max: 2 });
});
afterAll(async () => {
  await pool.end();
  await world.close();
});

class CountingPool extends Pool {
  queries = 0;
  override query = ((...args: Parameters<Pool['query']>) => {
    this.queries++;
    return super.query(...args);
  }) as Pool['query'];
}

test('a hundred jobs of one project that wake at one moment read it once', async () => {
  const { projectId, slug } = await world.makeProject({ locale: 'ru' });
  const read = projectCache(pool);
  pool.queries = 0;
  const facts = await Promise.all(Array.from({ length: 100 }, () => read(projectId)));
  expect(facts[99]).toMatchObject({ slug, settings: { locale: 'ru' } });
  expect(pool.queries).toBe(1);
});

test('a project that is not there is an error, and is looked up again the next time', async () => {
  const read = projectCache(pool);
  const id = randomUUID() as ProjectId;
  await expect(read(id)).rejects.toThrow(`no project ${id}`);
  await world.pool.query(`insert into project (id, slug, created_at) values ($1, 'late', now())`, [id]);
  expect(await read(id)).toMatchObject({ slug: 'late' });
});

test('a name leads to its project unless that is archived', async () => {
  const { projectId, slug } = await world.makeProject();
  expect(await projectNamed(pool, slug)()).toMatchObject({ id: projectId, slug });
  expect(await projectNamed(pool, 'nobody')()).toBeNull();
  await world.pool.query('update project set archived_at = now() where id = $1', [projectId]);
  expect(await projectNamed(pool, slug)()).toBeNull();
});
