import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { base32 } from '../../../../domain/shared/otpauth.ts';
import { BROWSER_DAYS, BROWSERS_MAX } from '../../../../domain/staff/browser.ts';
import type { StaffAccounts } from '../../../../domain/staff/port.ts';
import { type SecondFactors } from '../../../../domain/staff/second-factor.ts';
import type { StaffSessions } from '../../../../domain/staff/session.ts';
import { rowEncryption } from '../../../../infra/process/crypto.ts';
import { staffAccounts } from '../../../../infra/postgres/staff/accounts.ts';
import { FAILED_LOGINS_MAX } from '../../../../infra/postgres/staff/lock.ts';
import { staffSecondFactors } from '../../../../infra/postgres/staff/second-factor.ts';
import { staffSessions } from '../../../../infra/postgres/staff/sessions.ts';
import { type Ground, openGround } from '../../../support/api.ts';
import { type Authenticator, authenticator } from '../../../support/authenticator.ts';

const PASSWORD = 'a password of some length';
const STEP_MS = 30_000;
/** The start of a step. */
const now = new Date('2026-01-15T10:00:00Z');
const later = (milliseconds: number) => new Date(now.getTime() + milliseconds);
const WRONG = '000000';

let ground: Ground;
let accounts: StaffAccounts;
let sessions: StaffSessions;
let factors: SecondFactors;
let made = 0;

beforeAll(async () => {
  ground = await openGround();
  const ring = { current: 's1', keys: new Map([['s1', randomBytes(32)]]) };
  accounts = staffAccounts(ground.orm.em);
  sessions = staffSessions(ground.orm.em);
  factors = staffSecondFactors(ground.orm.em, rowEncryption(ring), ground.hash);
});
afterAll(() => ground.close());

interface Person {
  readonly id: string;
  readonly email: string;
  readonly app: Authenticator;
  readonly recoveryCodes: readonly string[];
}

const pendingOf = async (id: string, at = now) => (await sessions.open(id, at)).token;

async function newLogin(): Promise<{ id: string; email: string }> {
  const email = `factor-${++made}@example.uz`;
  const created = await accounts.createStaff({ email, role: 'operator', password: PASSWORD }, now);
  if (!created.created) throw new Error(created.reason);
  return created.staff;
}

async function offered(pending: string, at = now): Promise<Authenticator> {
  const secret = await factors.offer(pending, at);
  if (!secret) throw new Error('nothing is offered');
  return authenticator(base32(secret));
}

/** Somebody whose second factor was set up an hour ago. */
async function newPerson(): Promise<Person> {
  const { id, email } = await newLogin();
  const at = later(-3_600_000);
  const pending = await pendingOf(id, at);
  const app = await offered(pending, at);
  const setUp = await factors.setUp(pending, await app.codeAt(at), at);
  if (!setUp.passed) throw new Error(setUp.reason);
  return { id, email, app, recoveryCodes: setUp.recoveryCodes };
}
const refused = (reason: string) => ({ passed: false, reason });

describe('a browser in which somebody logged in before', () => {
  /** Their cookie, after a whole login a minute ago. */
  async function knownBrowser(person: Person): Promise<string> {
    const at = later(-60_000);
    const passed = await factors.pass(await pendingOf(person.id, at), await person.app.codeAt(at), at);
    if (!passed.passed) throw new Error(passed.reason);
    return passed.browser;
  }
  const knocks = (email: string, times: number, browser: string | null = null) =>
    Promise.all(Array.from({ length: times }, () => accounts.verifyPassword(email, 'wrong', now, browser)));

  test('is not locked by strangers, neither for the password nor for the code, and forgives them nothing', async () => {
    const person = await newPerson();
    const browser = await knownBrowser(person);
    await knocks(person.email, 2 * FAILED_LOGINS_MAX);
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
    await knocks(person.email, FAILED_LOGINS_MAX - 1, browser);
    expect(await factors.pass(await pendingOf(person.id), WRONG, now, browser)).toEqual(refused('wrong'));
    expect(await accounts.verifyPassword(person.email, PASSWORD, now, browser)).toMatchObject({
      reason: 'locked',
    });
    expect(await accounts.verifyPassword(person.email, PASSWORD, now)).toMatchObject({ kind: 'accepted' });
  });

  test('is a stranger to every other account, and to its own after half a year', async () => {
    const [person, other] = [await newPerson(), await newPerson()];
    const browser = await knownBrowser(other);
    await knocks(person.email, FAILED_LOGINS_MAX);
    expect(await accounts.verifyPassword(person.email, PASSWORD, now, browser)).toMatchObject({
      reason: 'locked',
    });
    const muchLater = later((BROWSER_DAYS + 1) * 86_400_000);
    const knock = () => accounts.verifyPassword(other.email, 'wrong', muchLater);
    await Promise.all(Array.from({ length: FAILED_LOGINS_MAX }, knock));
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
    await knocks(person.email, FAILED_LOGINS_MAX);
    expect(await accounts.unlock(person.email)).toBe(true);
    expect(await accounts.verifyPassword(person.email, PASSWORD, now)).toMatchObject({ kind: 'accepted' });
    expect(await accounts.unlock('nobody@example.uz')).toBe(false);
  });
});
