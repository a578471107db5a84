import { randomBytes } from 'node:crypto';
import { afterAll } from 'vitest';
import { base32 } from '../../../../domain/shared/otpauth.ts';
import { rowEncryption } from '../../../../infra/process/crypto.ts';
import { staffAccounts } from '../../../../infra/postgres/staff/accounts.ts';
import { staffSecondFactors } from '../../../../infra/postgres/staff/second-factor.ts';
import { staffSessions } from '../../../../infra/postgres/staff/sessions.ts';
import { openGround } from '../../../support/api.ts';
import { unauditedFactors } from '../../../support/second-factors.ts';
import { type Authenticator, authenticator } from '../../../support/authenticator.ts';

export const PASSWORD = 'a password of some length';
export const STEP_MS = 30_000;
/** The start of a step. */
export const now = new Date('2026-01-15T10:00:00Z');
export const later = (milliseconds: number) => new Date(now.getTime() + milliseconds);

/** Logins of staff in a database of this file's own. */
export async function openAccounts() {
  const ground = await openGround();
  afterAll(() => ground.close());
  const accounts = staffAccounts(ground.orm.em);
  let made = 0;
  const newLogin = async (): Promise<{ id: string; email: string }> => {
    const email = `person-${++made}@example.uz`;
    const created = await accounts.createStaff({ email, role: 'operator', password: PASSWORD }, now);
    if (!created.created) throw new Error(created.reason);
    return created.staff;
  };
  /** As many wrong passwords at once. */
  const knock = (email: string, times: number, at = now, browser: string | null = null) =>
    Promise.all(Array.from({ length: times }, () => accounts.verifyPassword(email, 'wrong', at, browser)));
  return { ground, accounts, newLogin, knock };
}

export interface Person {
  readonly id: string;
  readonly email: string;
  readonly app: Authenticator;
  readonly recoveryCodes: readonly string[];
}

/** The same with their sessions and second factors. */
export async function openSecondFactors() {
  const opened = await openAccounts();
  const { ground, newLogin } = opened;
  const ring = { current: 's1', keys: new Map([['s1', randomBytes(32)]]) };
  const sessions = staffSessions(ground.orm.em);
  const encryption = rowEncryption(ring);
  const factors = unauditedFactors(staffSecondFactors(ground.orm.em, encryption, ground.hash));
  const pendingOf = async (id: string, at = now) => (await sessions.open(id, 'cookie', at)).token;
  const offered = async (pending: string, at = now): Promise<Authenticator> => {
    const secret = await factors.offer(pending, at);
    if (!secret) throw new Error('nothing is offered');
    return authenticator(base32(secret));
  };
  /** Somebody whose second factor was set up an hour ago. */
  const newPerson = async (): Promise<Person> => {
    const { id, email } = await newLogin();
    const at = later(-3_600_000);
    const pending = await pendingOf(id, at);
    const app = await offered(pending, at);
    const setUp = await factors.setUp(pending, await app.codeAt(at), at);
    if (!setUp.passed) throw new Error(setUp.reason);
    return { id, email, app, recoveryCodes: setUp.recoveryCodes };
  };
  return { ...opened, encryption, sessions, factors, pendingOf, offered, newPerson };
}

export const WRONG = '000000';
export const refused = (reason: string) => ({ passed: false, reason });
