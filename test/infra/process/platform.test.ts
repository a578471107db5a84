import { expect, test } from 'vitest';
import { readConfig } from '../../../infra/process/config.ts';
import { openLog } from '../../../infra/process/log.ts';
import { openPlatform } from '../../../infra/process/platform.ts';
import { processVariables } from '../../../infra/process/variables.ts';
import { testEnvironment } from '../../support/environment.ts';
import { freshDatabase } from '../../support/servers.ts';

const open = (more: Record<string, string>) =>
  openPlatform(
    readConfig(testEnvironment(more), processVariables.board),
    openLog('board', 'fatal', { write: () => undefined }),
    { connectionsMax: 2 },
  );

test('a process has the queues of the products that are on, and of no other', async () => {
  const platform = await open({ NAVBAT_PRODUCTS: 'verify' });
  expect(Object.keys(platform.queues.of).toSorted()).toEqual(['otp-send', 'webhook']);
  expect(Object.keys(platform.jobs).toSorted()).toEqual(['otp-send', 'webhook']);
  await platform.close();
});

test('it opens and closes while Redis is away, and short reads share the one pool, which is closed once', async () => {
  const database = await freshDatabase();
  const platform = await open({ DATABASE_URL: database.url });
  expect(platform.pools.read).toBe(platform.pools.hot);
  expect((await platform.pools.read.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
  await expect(platform.redis.ping()).rejects.toThrow(/writeable|closed/);
  await platform.close();
  await expect(platform.pools.hot.query('select 1')).rejects.toThrow('after calling end');
  await database.drop();
});

test('what it hashes and encrypts is of its own secrets: another installation reads neither', async () => {
  const [one, other] = [await open({}), await open({})];
  expect(one.hash('address', '+998901234567')).not.toEqual(other.hash('address', '+998901234567'));
  await one.close();
  await other.close();
});
