import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runShare } from '../../../infra/limits/window-script.ts';
import { freshRedis } from '../../support/servers.ts';

let redis: Redis;
beforeAll(async () => {
  redis = new Redis(await freshRedis());
});
afterAll(() => redis.disconnect());

const state = (field: string, own: number, version: number, sharedEndsMs = 0) => ({
  field,
  own,
  version,
  sharedEndsMs,
  leftMs: 60_000,
});

test('a count that is repeated, or that comes late, changes nothing; what two processes count is added', async () => {
  const share = (...stated: Parameters<typeof state>) => runShare(redis, 'sum', state(...stated));
  expect(await share('one', 3, 2)).toMatchObject({ total: 3 });
  expect(await share('one', 3, 2)).toMatchObject({ total: 3 });
  expect(await share('one', 1, 1)).toMatchObject({ total: 3 });
  expect(await share('other', 4, 1)).toMatchObject({ total: 7 });
  expect(await share('one', 2, 3)).toMatchObject({ total: 6 });
});

test('a count of a window that has ended opens no new one', async () => {
  expect(await runShare(redis, 'ended', state('one', 3, 1, Date.now() - 1_000))).toBe('over');
  expect(await redis.exists('limit:ended')).toBe(0);
});

test('whoever comes later is told the end of the window that is open, and the key leaves with it', async () => {
  const first = await runShare(redis, 'ends', state('one', 1, 1));
  const second = await runShare(redis, 'ends', { ...state('other', 1, 1), leftMs: 600_000 });
  expect(second).toMatchObject({ endsMs: first === 'over' ? 0 : first.endsMs });
  expect(await redis.pttl('limit:ends')).toBeLessThanOrEqual(60_000);
});
