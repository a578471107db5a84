import { expect, test } from 'vitest';
import { openApiPlatform } from '../../../infra/process/api-platform.ts';
import { readConfig } from '../../../infra/process/config.ts';
import { openLog } from '../../../infra/process/log.ts';
import { processVariables } from '../../../infra/process/variables.ts';
import { testEnvironment } from '../../support/environment.ts';
import { freshDatabase, freshRedis } from '../../support/servers.ts';

test('short reads have a pool of their own, whose statements end by themselves, and which outlives a connection that is cut', async () => {
  const database = await freshDatabase();
  const env = testEnvironment({ DATABASE_URL: database.url, REDIS_URL: await freshRedis() });
  const platform = await openApiPlatform(
    readConfig(env, processVariables.api),
    openLog('api', 'fatal', { write: () => undefined }),
  );
  const { hot, read } = platform.pools;
  expect(read).not.toBe(hot);
  expect((await read.query('show statement_timeout')).rows).toEqual([{ statement_timeout: '10s' }]);

  // Cut while it is used: no listener of the pool's hears of that.
  const client = await read.connect();
  const pid = (await client.query('select pg_backend_pid() pid')).rows[0].pid;
  const cut = client.query('select pg_sleep(60)').catch((error: Error) => error.message);
  await hot.query('select pg_terminate_backend($1)', [pid]);
  expect(await cut).toMatch(/terminat/);
  client.release(true);
  expect((await read.query('select 1 as n')).rows).toEqual([{ n: 1 }]);

  await platform.close();
  await expect(read.query('select 1')).rejects.toThrow('after calling end');
  await database.drop();
});
