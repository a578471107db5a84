import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { usedLogins } from '../../../../../infra/postgres/identity/registration/used-logins.ts';
import { all, later, now, openCrowd } from './open-crowd.ts';

const pool = await openCrowd();

test('of twenty uses of one signed hash at one moment one counts', async () => {
  const logins = usedLogins(pool);
  const hash = randomBytes(32).toString('hex');
  const used = await Promise.all(all.map(() => logins.use(hash, now)));
  expect(used.filter(Boolean)).toHaveLength(1);
  // For longer than Telegram's signature is good, a clock that runs ahead included.
  expect(await logins.use(hash, later(360))).toBe(false);
});
