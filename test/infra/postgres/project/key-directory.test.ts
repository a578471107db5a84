import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { describe, expect, test } from 'vitest';
import { KEY_REMEMBERED_MS } from '../../../../infra/postgres/project/key-directory.ts';
import { makeProject, openApi } from '../../../support/api.ts';
import { openWhoCalls, routes } from '../../../support/who-calls.ts';

const { ground, get } = await openWhoCalls();

describe('a key', () => {
  test('dies at the moment of its expiry, though it was used just before', async () => {
    const { key } = await makeProject(ground, 'brief', {}, { expiresAt: new Date(Date.now() + 4_000) });
    await get(key).expect(200);
    await sleep(4_100);
    await get(key).expect(401);
  });

  test('dies within five seconds of being revoked, in a process that used it', async () => {
    const { project, key, keyId } = await makeProject(ground, 'revoked');
    await get(key).expect(200);
    await ground.projects.revokeKey(project.id, keyId, new Date());
    await sleep(KEY_REMEMBERED_MS + 200);
    await get(key).expect(401);
  });

  test('is looked up once for a hundred requests that arrive together, and its last use is written', async () => {
    const { key, keyId } = await makeProject(ground, 'busy');
    const counting = new CountingPool({ connectionString: ground.databaseUrl });
    const lone = openApi({ ...ground, pool: counting }, routes);
    await Promise.all(Array.from({ length: 100 }, () => get(key, '/service', lone.app).expect(200)));
    expect(counting.queries).toBe(1);
    await lone.close();
    const { rows } = await ground.pool.query('select last_used_at from api_key where id = $1', [keyId]);
    expect(Date.now() - rows[0].last_used_at.getTime()).toBeLessThan(60_000);
    await counting.end();
  });
});

class CountingPool extends Pool {
  queries = 0;
  override query = ((...args: Parameters<Pool['query']>) => {
    this.queries++;
    return super.query(...args);
  }) as Pool['query'];
}
