import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StaffAccounts } from '../../../../domain/staff/port.ts';
import { staffAccounts } from '../../../../infra/postgres/staff/accounts.ts';
import { type Ground, openGround } from '../../../support/api.ts';

const now = new Date('2026-01-15T10:00:00Z');
const PASSWORD = 'a password of some length';

let ground: Ground;
let accounts: StaffAccounts;
let made = 0;

beforeAll(async () => {
  ground = await openGround();
  accounts = staffAccounts(ground.orm.em);
});
afterAll(() => ground.close());

async function newLogin(): Promise<string> {
  made++;
  const email = `person-${made}@example.uz`;
  await accounts.createStaff({ email, role: 'operator', password: PASSWORD }, now);
  return email;
}

test('a disabled login is refused and its sessions are gone', async () => {
  const email = await newLogin();
  await ground.pool.query(
    `insert into staff_session (token_hash, staff_id, created_at, expires_at) select '\\x00', id, now(), now() from staff where email = $1`,
    [email],
  );
  expect(await accounts.disable(email, now)).toBe(true);
  expect(await accounts.verifyPassword(email, PASSWORD, now)).toEqual({
    kind: 'refused',
    reason: 'disabled',
  });
  expect((await ground.pool.query('select from staff_session')).rowCount).toBe(0);
});
