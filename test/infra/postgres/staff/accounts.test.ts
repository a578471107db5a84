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

test('a password is kept as an argon2id hash and accepted whatever the case of the email', async () => {
  const email = await newLogin();
  const { rows } = await ground.pool.query('select password_hash from staff where email = $1', [email]);
  expect(rows[0].password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(await accounts.verifyPassword(` ${email.toUpperCase()}`, PASSWORD, now)).toMatchObject({
    kind: 'accepted',
    staff: { email },
  });
});

test('the right password on the fifth try passes, however often, and forgives none of the four before it', async () => {
  const email = await newLogin();
  await wrong(email, FAILED_LOGINS_MAX - 1);
  for (let again = 0; again < 3; again++)
    expect(await accounts.verifyPassword(email, PASSWORD, now)).toMatchObject({ kind: 'accepted' });
  await wrong(email, 1);
  expect(await accounts.verifyPassword(email, PASSWORD, now)).toEqual({ kind: 'refused', reason: 'locked' });
});

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

test('an email that nobody has is refused as a wrong password is, after as much work', async () => {
  const email = await newLogin();
  const timed = async (who: string) => {
    const times = [];
    for (let n = 0; n < 3; n++) {
      // CPU, of the hash's thread too: how long it took says on a busy machine what others did.
      const started = process.cpuUsage();
      expect(await accounts.verifyPassword(who, 'wrong', now)).toEqual({ kind: 'refused', reason: 'wrong' });
      times.push(process.cpuUsage(started).user);
    }
    return Math.min(...times);
  };
  await timed('nobody@example.uz');
  const [unknown, known] = [await timed('nobody@example.uz'), await timed(email)];
  // Without the hash an answer would cost a tenth.
  expect(unknown).toBeGreaterThan(known / 3);
});

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

test('an email has one login, however many are made at once', async () => {
  const twins = await Promise.all(
    ['one@example.uz', 'ONE@example.uz'].map((email) =>
      accounts.createStaff({ email, role: 'viewer', password: PASSWORD }, now),
    ),
  );
  expect(twins.filter(({ created }) => created)).toHaveLength(1);
});
