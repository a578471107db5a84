import { expect, test } from 'vitest';
import { now, openAccounts, PASSWORD } from './open-staff.ts';

const { ground, accounts, newLogin } = await openAccounts();

test('a disabled login is refused and its sessions are gone', async () => {
  const { email } = await newLogin();
  await ground.pool.query(
    `insert into staff_session (token_hash, id, via, staff_id, created_at, expires_at)
     select '\\x00', gen_random_uuid(), 'cookie', id, now(), now() from staff where email = $1`,
    [email],
  );
  expect(await accounts.disable(email, now)).toBe(true);
  expect(await accounts.verifyPassword(email, PASSWORD, now)).toEqual({
    kind: 'refused',
    reason: 'disabled',
  });
  expect((await ground.pool.query('select from staff_session')).rowCount).toBe(0);
});
