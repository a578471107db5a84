import { expect, test, vi } from 'vitest';
import { FAILED_LOGINS_MAX } from '../../../../infra/postgres/staff/lock.ts';
import { now, openAccounts, PASSWORD } from './open-staff.ts';

const { ground, accounts, knock, newLogin } = await openAccounts();

test('a password is kept as an argon2id hash and accepted whatever the case of the email', async () => {
  const { email } = await newLogin();
  const { rows } = await ground.pool.query('select password_hash from staff where email = $1', [email]);
  expect(rows[0].password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(await accounts.verifyPassword(` ${email.toUpperCase()}`, PASSWORD, now)).toMatchObject({
    kind: 'accepted',
    staff: { email },
  });
});

test('the right password on the fifth try passes, however often, and forgives none of the four before it', async () => {
  const { email } = await newLogin();
  await knock(email, FAILED_LOGINS_MAX - 1);
  for (let again = 0; again < 3; again++)
    expect(await accounts.verifyPassword(email, PASSWORD, now)).toMatchObject({ kind: 'accepted' });
  await knock(email, 1);
  expect(await accounts.verifyPassword(email, PASSWORD, now)).toEqual({ kind: 'refused', reason: 'locked' });
});

test('an email that nobody has is refused as a wrong password is, after as much work', async () => {
  const { email } = await newLogin();
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

test('and by the same statements, so that its answer tells nobody whether it has a login', async () => {
  const { email } = await newLogin();
  const executed = vi.spyOn(ground.orm.em.getDriver().getConnection(), 'execute');
  const statements = async (who: string) => {
    executed.mockClear();
    await accounts.verifyPassword(who, 'wrong', now);
    return executed.mock.calls.map(([sql]) => sql);
  };
  const known = await statements(email);
  expect(known.length).toBeGreaterThan(2);
  expect(await statements('nobody@example.uz')).toEqual(known);
  executed.mockRestore();
});

test('an email has one login, however many are made at once', async () => {
  const twins = await Promise.all(
    ['one@example.uz', 'ONE@example.uz'].map((email) =>
      accounts.createStaff({ email, role: 'viewer', password: PASSWORD }, now),
    ),
  );
  expect(twins.filter(({ created }) => created)).toHaveLength(1);
});
