import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StaffAccounts } from '../../../../domain/staff/port.ts';
import { staffAccounts } from '../../../../infra/postgres/staff/accounts.ts';
import { FAILED_LOGINS_MAX, LOCK_MINUTES } from '../../../../infra/postgres/staff/lock.ts';
import { type Ground, openGround } from '../../../support/api.ts';

const now = new Date('2026-01-15T10:00:00Z');
const minutesLater = (minutes: number) => new Date(now.getTime() + minutes * 60_000);
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

const wrong = (email: string, times: number, at = now) =>
  Promise.all(Array.from({ length: times }, () => accounts.verifyPassword(email, 'wrong', at)));

test('five wrong ones lock for a quarter of an hour, the right password too', async () => {
  const email = await newLogin();
  await wrong(email, FAILED_LOGINS_MAX);
  expect(await accounts.verifyPassword(email, PASSWORD, now)).toEqual({ kind: 'refused', reason: 'locked' });
  const justBefore = new Date(minutesLater(LOCK_MINUTES).getTime() - 1);
  expect(await accounts.verifyPassword(email, PASSWORD, justBefore)).toEqual({
    kind: 'refused',
    reason: 'locked',
  });
  expect(await accounts.verifyPassword(email, PASSWORD, minutesLater(LOCK_MINUTES))).toMatchObject({
    kind: 'accepted',
  });
});

test('a lock that has passed gives five tries again, not one', async () => {
  const email = await newLogin();
  await wrong(email, FAILED_LOGINS_MAX);
  await wrong(email, FAILED_LOGINS_MAX - 1, minutesLater(LOCK_MINUTES));
  expect(await accounts.verifyPassword(email, PASSWORD, minutesLater(LOCK_MINUTES))).toMatchObject({
    kind: 'accepted',
  });
});

test('of forty guesses sent at once no more than five are looked at', async () => {
  const email = await newLogin();
  const answers = await wrong(email, 40);
  expect(answers.filter((answer) => answer.kind === 'refused' && answer.reason === 'wrong')).toHaveLength(
    FAILED_LOGINS_MAX,
  );
  expect(await accounts.verifyPassword(email, PASSWORD, now)).toMatchObject({ reason: 'locked' });
});
