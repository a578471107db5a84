import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { base32 } from '../../../../domain/shared/otpauth.ts';
import { SECOND_FACTOR_FAILURES_MAX } from '../../../../domain/staff/second-factor.ts';
import { FAILED_LOGINS_MAX, LOCK_MINUTES } from '../../../../infra/postgres/staff/lock.ts';
import { authenticator } from '../../../support/authenticator.ts';
import {
  later,
  now,
  openSecondFactors,
  PASSWORD,
  type Person,
  refused,
  STEP_MS,
  WRONG,
} from './open-staff.ts';

const { ground, accounts, sessions, factors, newLogin, newPerson, offered, pendingOf } =
  await openSecondFactors();

const passes = async ({ id }: Person, code: string, at = now) =>
  factors.pass(await pendingOf(id, at), code, at);

describe('a set-up', () => {
  test('keeps 160 bits, encrypted, and in a row of another person they do not open', async () => {
    const [one, other] = [await newPerson(), await newPerson()];
    expect(one.app.secret).toMatch(/^[A-Z2-7]{32}$/);
    await ground.pool.query(
      'update staff set totp_encrypted = (select totp_encrypted from staff where id = $2) where id = $1',
      [other.id, one.id],
    );
    await expect(passes(other, await one.app.codeAt(now))).rejects.toThrow(/authenticate/);
    expect(await passes(one, await one.app.codeAt(now))).toMatchObject({ passed: true, by: 'totp' });
  });

  test('offers each pending session a secret of its own, the same at each look', async () => {
    const { id } = await newLogin();
    const [guesser, owner] = [await pendingOf(id), await pendingOf(id)];
    const known = await offered(guesser);
    expect((await offered(guesser)).secret).toBe(known.secret);
    const app = await offered(owner);
    expect(app.secret).not.toBe(known.secret);

    expect(await factors.setUp(owner, await app.codeAt(now), now)).toMatchObject({ passed: true });
    expect(await factors.setUp(guesser, await known.codeAt(now), now)).toEqual(refused('already'));
    expect(await factors.offer(guesser, now)).toBeNull();
    expect(await factors.pass(guesser, await known.codeAt(now), now)).toEqual(refused('wrong'));
  });

  test('is done once, however many finish at once', async () => {
    const { id } = await newLogin();
    const tries = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const pending = await pendingOf(id);
        return [pending, await (await offered(pending)).codeAt(now)] as const;
      }),
    );
    const ended = await Promise.all(tries.map(([pending, code]) => factors.setUp(pending, code, now)));
    expect(ended.filter(({ passed }) => passed)).toHaveLength(1);
  });

  test('takes no code of another secret, and its own code is not taken again', async () => {
    const { id } = await newLogin();
    const pending = await pendingOf(id);
    const app = await offered(pending);
    const stranger = authenticator(base32(randomBytes(20)));
    expect(await factors.setUp(pending, await stranger.codeAt(now), now)).toEqual(refused('wrong'));
    expect(await factors.setUp(pending, await app.codeAt(now), now)).toMatchObject({ passed: true });
    expect(await factors.pass(await pendingOf(id), await app.codeAt(now), now)).toEqual(refused('used'));
  });
});

describe('a code', () => {
  test.each([
    [-2, false],
    [-1, true],
    [0, true],
    [1, true],
    [2, false],
  ])('of %i steps from now passes: %j', async (steps, does) => {
    const person = await newPerson();
    expect((await passes(person, await person.app.codeAt(later(steps * STEP_MS)))).passed).toBe(does);
  });

  test('that was taken is never taken again, and neither is one before it', async () => {
    const person = await newPerson();
    const [before, current] = [await person.app.codeAt(later(-STEP_MS)), await person.app.codeAt(now)];
    expect(await passes(person, current)).toMatchObject({ passed: true });
    expect(await passes(person, current)).toEqual(refused('used'));
    expect(await passes(person, before)).toEqual(refused('used'));
    expect(await passes(person, await person.app.codeAt(later(STEP_MS)))).toMatchObject({ passed: true });
  });

  test('passes once in fifty tries at once, from fifty sessions', async () => {
    const person = await newPerson();
    const code = await person.app.codeAt(now);
    const tokens = await Promise.all(Array.from({ length: 50 }, () => pendingOf(person.id)));
    const ended = await Promise.all(tokens.map((pending) => factors.pass(pending, code, now)));
    expect(ended.filter(({ passed }) => passed)).toHaveLength(1);
  });

  test('makes one session whole once in fifty tries at once', async () => {
    const person = await newPerson();
    const pending = await pendingOf(person.id);
    const codes = [await person.app.codeAt(now), ...person.recoveryCodes.slice(0, 4)];
    const tries = Array.from({ length: 50 }, (_, n) => codes[n % codes.length] ?? '');
    const ended = await Promise.all(tries.map((code) => factors.pass(pending, code, now)));
    expect(ended.filter(({ passed }) => passed)).toHaveLength(1);
  });
});

describe('recovery codes', () => {
  test('are ten of 80 bits, all different, and no table holds one', async () => {
    const { recoveryCodes } = await newPerson();
    expect(new Set(recoveryCodes).size).toBe(10);
    for (const code of recoveryCodes) expect(code).toMatch(/^[A-Z2-7]{4}(-[A-Z2-7]{4}){3}$/);
    const { rows } = await ground.pool.query('select c::text line from staff_recovery_code c');
    const text = rows.map(({ line }) => line).join();
    for (const code of recoveryCodes) {
      expect(text).not.toContain(Buffer.from(code.replaceAll('-', '')).toString('hex'));
      expect(text).not.toContain(code);
    }
  });

  test('open one login each, whatever the letters and spaces, and nobody else’s', async () => {
    const [one, other] = [await newPerson(), await newPerson()];
    const [first = '', second = ''] = one.recoveryCodes;
    expect(await passes(other, first)).toEqual(refused('wrong'));
    expect(await passes(one, first.toLowerCase().replaceAll('-', ' '))).toMatchObject({
      passed: true,
      by: 'recovery-code',
      recoveryCodesLeft: 9,
    });
    expect(await passes(one, first)).toEqual(refused('used'));
    expect(await passes(one, second)).toMatchObject({ passed: true, recoveryCodesLeft: 8 });
  });

  test('open one login in fifty tries at once', async () => {
    const person = await newPerson();
    const [code = ''] = person.recoveryCodes;
    const tokens = await Promise.all(Array.from({ length: 50 }, () => pendingOf(person.id)));
    const ended = await Promise.all(tokens.map((pending) => factors.pass(pending, code, now)));
    expect(ended.filter(({ passed }) => passed)).toHaveLength(1);
  });

  test('are made anew for a code of the authenticator alone, once, and the old ones open nothing', async () => {
    const person = await newPerson();
    const [old = '', older = ''] = person.recoveryCodes;
    expect(await factors.renewRecoveryCodes(person.id, old, now)).toEqual(refused('wrong'));
    const code = await person.app.codeAt(now);
    const renewed = await factors.renewRecoveryCodes(person.id, code, now);
    if (!renewed.passed) throw new Error(renewed.reason);
    expect(await factors.renewRecoveryCodes(person.id, code, now)).toEqual(refused('used'));
    expect(await passes(person, older)).toEqual(refused('wrong'));
    expect(await passes(person, renewed.recoveryCodes[0] ?? '')).toMatchObject({ passed: true });
  });
});

describe('the lock', () => {
  test('counts wrong passwords and wrong codes together, and refuses the right ones of both', async () => {
    const person = await newPerson();
    const code = await person.app.codeAt(now);
    for (let n = 0; n < 2; n++) await accounts.verifyPassword(person.email, 'wrong', now);
    for (let n = 0; n < FAILED_LOGINS_MAX - 2; n++)
      expect(await passes(person, WRONG)).toEqual(refused('wrong'));
    expect(await passes(person, code)).toEqual(refused('locked'));
    expect(await passes(person, person.recoveryCodes[0] ?? '')).toEqual(refused('locked'));
    expect(await factors.renewRecoveryCodes(person.id, code, now)).toEqual(refused('locked'));
    expect(await accounts.verifyPassword(person.email, PASSWORD, now)).toMatchObject({ reason: 'locked' });

    const open = later(LOCK_MINUTES * 60_000);
    expect(await passes(person, await person.app.codeAt(open), open)).toMatchObject({ passed: true });
  });

  test('looks at five codes and no more of a guesser who has the password', async () => {
    const person = await newPerson();
    const reasons = [];
    for (let n = 0; n < 20; n++) {
      const login = await accounts.verifyPassword(person.email, PASSWORD, now);
      const pending = await pendingOf(person.id);
      const passed = await factors.pass(pending, WRONG, now);
      reasons.push(login.kind, passed.passed ? 'passed' : passed.reason);
    }
    expect(reasons.filter((reason) => reason === 'wrong')).toHaveLength(FAILED_LOGINS_MAX);
  });

  test('holds for forty codes sent at once', async () => {
    const person = await newPerson();
    const tokens = await Promise.all(Array.from({ length: 40 }, () => pendingOf(person.id)));
    const ended = await Promise.all(tokens.map((pending) => factors.pass(pending, WRONG, now)));
    expect(ended.filter((each) => !each.passed && each.reason === 'wrong')).toHaveLength(FAILED_LOGINS_MAX);
  });

  test('takes the right code on the fifth try, which forgives the four before it', async () => {
    const person = await newPerson();
    for (let n = 0; n < FAILED_LOGINS_MAX - 1; n++) await passes(person, WRONG);
    expect(await passes(person, await person.app.codeAt(now))).toMatchObject({ passed: true });
    for (let n = 0; n < FAILED_LOGINS_MAX - 1; n++) await accounts.verifyPassword(person.email, 'wrong', now);
    expect(await accounts.verifyPassword(person.email, PASSWORD, now)).toMatchObject({ kind: 'accepted' });
  });

  test('becomes a block after a hundred wrong codes in a row, which no time lifts, and a reset does', async () => {
    const [last, blocked] = [await newPerson(), await newPerson()];
    const timeOf = (n: number) => later(Math.floor((n - 1) / FAILED_LOGINS_MAX) * LOCK_MINUTES * 60_000);
    const guess = async (person: Person, times: number) => {
      for (let n = 1; n <= times; n++)
        expect(await passes(person, WRONG, timeOf(n))).toEqual(refused('wrong'));
    };
    await guess(last, SECOND_FACTOR_FAILURES_MAX - 1);
    await guess(blocked, SECOND_FACTOR_FAILURES_MAX);
    const at = timeOf(SECOND_FACTOR_FAILURES_MAX);
    expect(await passes(last, await last.app.codeAt(at), at)).toMatchObject({ passed: true });
    const muchLater = new Date(at.getTime() + 30 * 86_400_000);
    expect(await passes(blocked, await blocked.app.codeAt(muchLater), muchLater)).toEqual(refused('blocked'));

    expect(await accounts.resetSecondFactor(blocked.email)).toBe(true);
    const pending = await pendingOf(blocked.id, muchLater);
    const app = await offered(pending, muchLater);
    expect(await factors.setUp(pending, await app.codeAt(muchLater), muchLater)).toMatchObject({
      passed: true,
    });
  });
});

test('a pending session of a disabled account is none, to be set up or to be completed', async () => {
  const login = await newLogin();
  const early = await pendingOf(login.id);
  const app = await offered(early);
  await ground.pool.query('update staff set disabled_at = $2 where id = $1', [login.id, now]);
  expect(await factors.offer(early, now)).toBeNull();
  expect(await factors.setUp(early, await app.codeAt(now), now)).toEqual(refused('gone'));

  const person = await newPerson();
  const pending = await pendingOf(person.id);
  await ground.pool.query('update staff set disabled_at = $2 where id = $1', [person.id, now]);
  expect(await sessions.findPending(pending, 'cookie', now)).toBeNull();
  expect(await factors.pass(pending, await person.app.codeAt(now), now)).toEqual(refused('gone'));
});
