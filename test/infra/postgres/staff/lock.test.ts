import { expect, test } from 'vitest';
import { FAILED_LOGINS_MAX, LOCK_MINUTES } from '../../../../infra/postgres/staff/lock.ts';
import { later, now, openAccounts, PASSWORD } from './open-staff.ts';

const { accounts, knock, newLogin } = await openAccounts();
const minutesLater = (minutes: number) => later(minutes * 60_000);

test('five wrong ones lock for a quarter of an hour, the right password too', async () => {
  const { email } = await newLogin();
  await knock(email, FAILED_LOGINS_MAX);
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
  const { email } = await newLogin();
  await knock(email, FAILED_LOGINS_MAX);
  await knock(email, FAILED_LOGINS_MAX - 1, minutesLater(LOCK_MINUTES));
  expect(await accounts.verifyPassword(email, PASSWORD, minutesLater(LOCK_MINUTES))).toMatchObject({
    kind: 'accepted',
  });
});

test('of forty guesses sent at once no more than five are looked at', async () => {
  const { email } = await newLogin();
  const answers = await knock(email, 40);
  expect(answers.filter((answer) => answer.kind === 'refused' && answer.reason === 'wrong')).toHaveLength(
    FAILED_LOGINS_MAX,
  );
  expect(await accounts.verifyPassword(email, PASSWORD, now)).toMatchObject({ reason: 'locked' });
});
