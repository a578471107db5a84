import { expect, test } from 'vitest';
import { nearName } from '../../../infra/process/near-name.ts';

const known = ['REDIS_URL', 'DATABASE_URL', 'API_PORT', 'BOT_PORT'];

test.each([
  ['REDIS_URI', 'REDIS_URL'],
  ['REDISURL', 'REDIS_URL'],
  ['REDIS_ULR', 'REDIS_URL'],
  ['redis-url', 'REDIS_URL'],
  ['DATABASE_URLS', 'DATABASE_URL'],
  ['DATABSE_ULR', 'DATABASE_URL'],
  ['API_PORT', 'API_PORT'],
])('who typed %s meant %s', (typed, meant) => {
  expect(nearName(typed, known)).toBe(meant);
});

test('nobody is taken to mean what is further than one slip in five letters, or anything of a short name', () => {
  for (const typed of ['PORT', 'URL', '', 'HOME', 'PGHOST', 'REDIS_HOST', 'DATABASE_NAME'])
    expect(nearName(typed, known), typed).toBeNull();
  expect(nearName('REDIS_URL', [])).toBeNull();
});
