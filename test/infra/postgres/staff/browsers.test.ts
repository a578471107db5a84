import { describe, expect, test } from 'vitest';
import { BROWSER_DAYS, BROWSERS_MAX } from '../../../../domain/staff/browser.ts';
import { FAILED_LOGINS_MAX } from '../../../../infra/postgres/staff/lock.ts';
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

const { ground, accounts, factors, knock, newPerson, pendingOf } = await openSecondFactors();

describe('a browser in which somebody logged in before', () => {
  /** Their cookie, after a whole login a minute ago. */
  async function knownBrowser(person: Person): Promise<string> {
    const at = later(-60_000);
    const passed = await factors.pass(await pendingOf(person.id, at), await person.app.codeAt(at), at);
    if (!passed.passed || passed.browser === null) throw new Error('no browser is remembered');
    return passed.browser;
  }

  test('is not locked by strangers, neither for the password nor for the code, and forgives them nothing', async () => {
    const person = await newPerson();
    const browser = await knownBrowser(person);
    await knock(person.email, 2 * FAILED_LOGINS_MAX);
    expect(await accounts.verifyPassword(person.email, PASSWORD, now)).toMatchObject({ reason: 'locked' });
    expect(await accounts.verifyPassword(person.email, PASSWORD, now, browser)).toMatchObject({
      kind: 'accepted',
    });
    const code = await person.app.codeAt(now);
    expect(await factors.pass(await pendingOf(person.id), code, now, browser)).toMatchObject({
      passed: true,
      browser,
    });
    expect(await accounts.verifyPassword(person.email, PASSWORD, now)).toMatchObject({ reason: 'locked' });
  });

  test('is locked by its own wrong passwords and codes, and locks nobody else out', async () => {
    const person = await newPerson();
    const browser = await knownBrowser(person);
    await knock(person.email, FAILED_LOGINS_MAX - 1, now, browser);
    expect(await factors.pass(await pendingOf(person.id), WRONG, now, browser)).toEqual(refused('wrong'));
    expect(await accounts.verifyPassword(person.email, PASSWORD, now, browser)).toMatchObject({
      reason: 'locked',
    });
    expect(await accounts.verifyPassword(person.email, PASSWORD, now)).toMatchObject({ kind: 'accepted' });
  });

  test('is a stranger to every other account, and to its own after half a year', async () => {
    const [person, other] = [await newPerson(), await newPerson()];
    const browser = await knownBrowser(other);
    await knock(person.email, FAILED_LOGINS_MAX);
    expect(await accounts.verifyPassword(person.email, PASSWORD, now, browser)).toMatchObject({
      reason: 'locked',
    });
    const muchLater = later((BROWSER_DAYS + 1) * 86_400_000);
    await knock(other.email, FAILED_LOGINS_MAX, muchLater);
    expect(await accounts.verifyPassword(other.email, PASSWORD, muchLater, browser)).toMatchObject({
      reason: 'locked',
    });
  });

  test('is one of ten; and staff unlock everybody at the command line', async () => {
    const person = await newPerson();
    for (let n = 0; n < BROWSERS_MAX + 2; n++) {
      const at = later(n * STEP_MS);
      const passed = await factors.pass(await pendingOf(person.id, at), await person.app.codeAt(at), at);
      expect(passed.passed).toBe(true);
    }
    const kept = await ground.pool.query('select from staff_browser where staff_id = $1', [person.id]);
    expect(kept.rowCount).toBe(BROWSERS_MAX);
    await knock(person.email, FAILED_LOGINS_MAX);
    expect(await accounts.unlock(person.email)).toBe(true);
    expect(await accounts.verifyPassword(person.email, PASSWORD, now)).toMatchObject({ kind: 'accepted' });
    expect(await accounts.unlock('nobody@example.uz')).toBe(false);
  });
});
