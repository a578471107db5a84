import { describe, expect, test } from 'vitest';
import { unauditedFactors } from '../../support/second-factors.ts';
import { readConfig } from '../../../infra/process/config.ts';
import { base32 } from '../../../domain/shared/otpauth.ts';
import { keyedHash, rowEncryption } from '../../../infra/process/crypto.ts';
import { staffAccounts } from '../../../infra/postgres/staff/accounts.ts';
import { FAILED_LOGINS_MAX } from '../../../infra/postgres/staff/lock.ts';
import { staffSecondFactors } from '../../../infra/postgres/staff/second-factor.ts';
import { staffSessions } from '../../../infra/postgres/staff/sessions.ts';
import { authenticator } from '../../support/authenticator.ts';
import { openCli } from './open-cli.ts';

const { ground, env, navbat, json, refusal } = await openCli();

describe('staff', () => {
  test('get a generated password, shown once, or one from standard input, never shown', async () => {
    const accounts = staffAccounts(ground.orm.em);
    const made = await json(['staff', 'create', 'Ann@Example.uz', '--role', 'admin']);
    expect(made).toMatchObject({ email: 'ann@example.uz', role: 'admin' });
    expect(await accounts.verifyPassword('ann@example.uz', made.password, new Date())).toMatchObject({
      kind: 'accepted',
    });
    const piped = await navbat(
      ['staff', 'create', 'bob@example.uz', '--role', 'viewer', '--password-stdin'],
      { input: 'correct horse battery\n' },
    );
    expect(piped.out).not.toContain('horse');
    expect(
      await accounts.verifyPassword('bob@example.uz', 'correct horse battery', new Date()),
    ).toMatchObject({ kind: 'accepted' });
  });

  test('are refused a short password, an unknown role and a second login of one email', async () => {
    const create = (...more: string[]) => ['staff', 'create', 'eve@example.uz', ...more];
    expect(await refusal(create('--role', 'viewer', '--password-stdin'), 'fourteen-chars')).toContain(
      '15 to 256',
    );
    await json(create('--role', 'viewer', '--password-stdin'), 'fifteen-chars--');
    expect(await refusal(create('--role', 'viewer'))).toContain('already');
    expect(await refusal(create('--role', 'king'))).toContain('king');
  });

  test('are listed and disabled', async () => {
    await json(['staff', 'create', 'leaver@example.uz', '--role', 'operator']);
    await json(['staff', 'disable', 'leaver@example.uz']);
    expect((await navbat(['staff', 'list'])).out).toMatch(/^leaver@example\.uz +operator +disabled/m);
    expect(await refusal(['staff', 'disable', 'nobody@example.uz'])).toBe(
      'There is no login nobody@example.uz.',
    );
  });

  test('who are locked out may log in at once when they are unlocked', async () => {
    const accounts = staffAccounts(ground.orm.em);
    const email = 'locked@example.uz';
    const { password } = await json(['staff', 'create', email, '--role', 'operator']);
    const logIn = (text: string) => accounts.verifyPassword(email, text, new Date());
    for (let tries = 0; tries < FAILED_LOGINS_MAX; tries++) await logIn('a wrong password');
    expect(await logIn(password)).toMatchObject({ kind: 'refused', reason: 'locked' });
    expect(await json(['staff', 'unlock', 'Locked@Example.uz'])).toMatchObject({ unlocked: true });
    expect(await logIn(password)).toMatchObject({ kind: 'accepted' });
    const { rows } = await ground.pool.query(
      `select actor from audit where action = 'staff.unlock' and subject = $1`,
      [email],
    );
    expect(rows).toEqual([{ actor: expect.stringMatching(/./) }]);
    expect(await refusal(['staff', 'unlock', 'nobody@example.uz'])).toBe(
      'There is no login nobody@example.uz.',
    );
  });

  test('who lost their second factor get a new one at the next login, and their sessions end', async () => {
    const email = 'lost@example.uz';
    const now = new Date();
    const { id } = await json(['staff', 'create', email, '--role', 'viewer']);
    const { ENCRYPTION_KEYS, PEPPER } = readConfig(env);
    const factors = unauditedFactors(
      staffSecondFactors(ground.orm.em, rowEncryption(ENCRYPTION_KEYS), keyedHash(PEPPER)),
    );
    const sessions = staffSessions(ground.orm.em);
    const half = await sessions.open(id, 'cookie', now);
    const app = authenticator(base32((await factors.offer(half.token, now)) ?? Buffer.alloc(0)));
    expect((await navbat(['staff', 'list'])).out).toMatch(/^lost@example\.uz .*not set up/m);
    const setUp = await factors.setUp(half.token, await app.codeAt(now), now);
    if (!setUp.passed) throw new Error(setUp.reason);
    expect((await navbat(['staff', 'list'])).out).not.toMatch(/^lost@example\.uz .*not set up/m);
    expect(await sessions.find(setUp.session.token, 'cookie', now)).toMatchObject({ staff: { email } });

    await json(['staff', 'reset-second-factor', email.toUpperCase()]);
    expect(await sessions.find(setUp.session.token, 'cookie', now)).toBeNull();
    expect((await json(['staff', 'list'])).find((each: { id: string }) => each.id === id)).toMatchObject({
      second_factor_at: null,
    });
    const { token } = await sessions.open(id, 'cookie', now);
    const [recoveryCode = ''] = setUp.recoveryCodes;
    expect(await factors.pass(token, recoveryCode, now)).toEqual({ passed: false, reason: 'wrong' });
    const offered = await factors.offer(token, now);
    expect(offered && base32(offered)).not.toBe(app.secret);
    const { rows } = await ground.pool.query(
      `select actor, detail from audit where action = 'staff.reset-second-factor'`,
    );
    expect(rows).toEqual([{ actor: expect.stringMatching(/^command line/), detail: {} }]);
    expect(await refusal(['staff', 'reset-second-factor', 'nobody@example.uz'])).toBe(
      'There is no login nobody@example.uz.',
    );
  });
});
