import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hotPool } from '../../../../../infra/postgres/engine/hot-pool.ts';
import { usedLogins } from '../../../../../infra/postgres/identity/registration/used-logins.ts';
import { type FreshDatabase, freshDatabase } from '../../../../support/servers.ts';

const now = new Date('2026-01-15T10:00:00Z');
const later = (seconds: number) => new Date(now.getTime() + seconds * 1_000);
const PEOPLE = 20;

let database: FreshDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await freshDatabase();
  pool = hotPool(database.url, PEOPLE);
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});
const all = Array.from({ length: PEOPLE }, (_, index) => index + 1);

test('of twenty uses of one signed hash at one moment one counts', async () => {
  const logins = usedLogins(pool);
  const hash = randomBytes(32).toString('hex');
  const used = await Promise.all(all.map(() => logins.use(hash, now)));
  expect(used.filter(Boolean)).toHaveLength(1);
  // For longer than Telegram's signature is good, a clock that runs ahead included.
  expect(await logins.use(hash, later(360))).toBe(false);
});
