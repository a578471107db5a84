import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ProjectId } from '../../../../../domain/shared/ids.ts';
import type { Phone } from '../../../../../domain/shared/phone.ts';
import { phoneUsers } from '../../../../../infra/postgres/identity/person/phone-users.ts';
import { openGround } from '../../world.ts';

let world: Awaited<ReturnType<typeof openGround>>;
let here: ProjectId;
let there: ProjectId;
beforeAll(async () => {
  world = await openGround();
  here = (await world.makeProject()).projectId;
  there = (await world.makeProject()).projectId;
});
afterAll(() => world.close());

const PHONE = '+998901234567' as Phone;
const at = new Date('2026-01-15T10:00:00Z');
const later = new Date('2026-01-15T11:00:00Z');

test('of twenty logins with one phone at one moment there is one user, whose last login is remembered', async () => {
  const users = phoneUsers(world.pool);
  const logins = await Promise.all(Array.from({ length: 20 }, () => users.login(here, 'live', PHONE, at)));
  expect(new Set(logins.map(({ id }) => id)).size).toBe(1);
  await users.login(here, 'live', PHONE, later);
  const { rows } = await world.pool.query('select created_at, last_login_at from phone_user');
  expect(rows).toEqual([{ created_at: at, last_login_at: later }]);
});

test('a test key, and another project, have users of their own with the same phone', async () => {
  const users = phoneUsers(world.pool);
  const ids = await Promise.all([
    users.login(here, 'live', PHONE, at),
    users.login(here, 'test', PHONE, at),
    users.login(there, 'live', PHONE, at),
  ]);
  expect(new Set(ids.map(({ id }) => id)).size).toBe(3);
});
