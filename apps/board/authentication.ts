import { z } from 'zod';
import { type Net, netsOf } from '../../domain/shared/ip-address.ts';
import { badText } from '../../domain/shared/bad-text.ts';
import { type Quota, type QuotaCounter, takeAll } from '../../domain/project/quota.ts';
import type { AuditEntry, AuditLog } from '../../domain/staff/audit.ts';
import { LOGINS_PER_MINUTE } from '../../domain/staff/login-limits.ts';
import type { Login, StaffAccounts, StaffMember } from '../../domain/staff/port.ts';
import type { FactorRefusal, Passed, SecondFactors, SetUp } from '../../domain/staff/second-factor.ts';
import type { SessionVia, StaffSessions } from '../../domain/staff/session.ts';
import type { PassedByPasskey, PasskeyLogins } from '../../domain/staff/passkey.ts';
import type { PasskeyAssertion } from '../../domain/staff/webauthn.ts';
import { Problem } from '../http/problem.ts';

/** An email (RFC 5321) and a long passphrase; what is longer is no login. */
export const EMAIL_CHARACTERS_MAX = 254;
export const PASSWORD_CHARACTERS_MAX = 1_024;

/** How staff log in, by the page and by `POST /staff/sessions`: one set of locks, limits and audit rows for both. */
export interface Authentication {
  readonly accounts: Pick<StaffAccounts, 'verifyPassword'>;
  readonly sessions: StaffSessions;
  readonly secondFactors: SecondFactors;
  readonly passkeyLogins: PasskeyLogins;
  readonly audit: AuditLog;
  readonly counter: QuotaCounter;
  readonly clock: () => Date;
}

/** Where a login comes from. */
export interface From {
  readonly address: string;
  /** The cookie of a browser in which somebody logged in before. */
  readonly browser: string | null;
  readonly via: SessionVia;
}

export const Credentials = z.object({
  email: z.string().max(EMAIL_CHARACTERS_MAX).refine(isPlain),
  password: z.string().max(PASSWORD_CHARACTERS_MAX).refine(isPlain),
});

export function isPlain(text: string): boolean {
  return badText(text) === null;
}

/**
 * Counted before what was given is looked at: argon2 costs us as much as a guesser.
 *
 * @throws Problem 429.
 */
export async function countLogin(
  { counter }: Pick<Authentication, 'counter'>,
  what: 'password' | 'second-factor',
  address: string,
): Promise<void> {
  const prefix = what === 'password' ? 'staff' : 'staff-factor';
  const [narrowest, ...wider] = netsOf(address);
  const quotaOf = ({ subject, times }: Net): Quota => ({
    name: 'failed-authentication',
    subject: `${prefix}:${subject}`,
    limit: LOGINS_PER_MINUTE * times,
    failsClosed: true,
  });
  const { exceeded, resetSeconds } = await takeAll(counter, [quotaOf(narrowest), ...wider.map(quotaOf)]);
  if (!exceeded) return;
  throw new Problem(429, 'quota-exceeded', `Too many logins from here. Try again in ${resetSeconds} s.`, {
    headers: { 'Retry-After': String(resetSeconds) },
  });
}

/** Null where what was given can be no login. */
export async function checkPassword(
  parts: Authentication,
  given: z.infer<typeof Credentials> | null,
  from: From,
): Promise<Login> {
  const login: Login = given
    ? await parts.accounts.verifyPassword(given.email, given.password, parts.clock(), from.browser)
    : { kind: 'refused', reason: 'wrong' };
  const accepted = login.kind === 'accepted';
  await parts.audit.write({
    by: accepted ? login.staff : `address ${from.address}`,
    action: accepted ? 'login.password' : 'login',
    subject: emailOf(given?.email ?? ''),
    detail: {
      ...(accepted ? { outcome: 'done' } : { outcome: 'refused', reason: login.reason }),
      ...auditedFrom(from),
    },
  });
  return login;
}

const auditedFrom = ({ address, via }: From) => ({ address, ...(via === 'bearer' ? { via } : {}) });

/** People type passwords into the wrong field: what doesn't look like an email isn't kept. */
const emailOf = (given: string): string =>
  z.email().safeParse(given).success ? given.toLowerCase() : 'no email';

/** One answer for every refusal: who guesses learns neither which emails exist nor which are locked. */
export const LOGIN_REFUSED =
  'The email or the password is wrong, or the account is locked for a quarter of an hour after five wrong tries.';

/** A pending session, by its token. */
interface Pending {
  readonly staff: StaffMember;
  readonly token: string;
}

type Shown =
  | { readonly kind: 'set-up'; readonly result: SetUp }
  | { readonly kind: 'pass'; readonly result: Passed };

/** The code that sets up a second factor where nothing is set up yet, else the one that passes it. */
export async function showFactor(
  parts: Authentication,
  { staff, token }: Pending,
  code: string,
  from: From,
): Promise<Shown> {
  const now = parts.clock();
  const shown = { code, browser: from.browser };
  const entry = (action: AuditEntry['action'], detail: Readonly<Record<string, unknown>>): AuditEntry => ({
    by: staff,
    action,
    subject: staff.email,
    detail: { ...detail, ...auditedFrom(from) },
  });
  const isOffered = (await parts.secondFactors.offer(token, now)) !== null;
  if (isOffered) {
    const result = await parts.secondFactors.setUp(token, shown, now, (told) => [
      entry('second-factor.set-up', outcomeOf(told)),
      ...(told.passed ? [entry('login', { outcome: 'done', by: 'totp' })] : []),
    ]);
    return { kind: 'set-up', result };
  }
  const result = await parts.secondFactors.pass(token, shown, now, (told) => [
    told.passed
      ? entry('login', { outcome: 'done', by: told.by, recovery_codes_left: told.recoveryCodesLeft })
      : entry('login.second-factor', outcomeOf(told)),
  ]);
  return { kind: 'pass', result };
}

/** As a row of the audit says it. */
export const outcomeOf = (
  told: { readonly passed: true } | { readonly passed: false; readonly reason: string },
) => (told.passed ? { outcome: 'done' } : { outcome: 'refused', reason: told.reason });

/** A passkey in place of the code. */
export function showPasskey(
  parts: Authentication,
  { staff, token }: Pending,
  assertion: PasskeyAssertion,
  { address, browser, via }: From,
): Promise<PassedByPasskey> {
  return parts.passkeyLogins.pass(token, assertion, parts.clock(), browser, (told) => [
    {
      by: staff,
      action: told.passed ? 'login' : 'login.second-factor',
      subject: staff.email,
      detail: { ...outcomeOf(told), by: 'passkey', address, via },
    },
  ]);
}

/** Exhaustive on purpose: a new refusal does not compile until it has a sentence. */
export const factorWords = {
  malformed:
    'This is no code: type the six digits of the authenticator app, or the sixteen letters and digits of a recovery code.',
  wrong: 'This code is wrong. It changes every 30 seconds, and the clock of the phone must be right.',
  used: 'This code was used already. Wait for the next one.',
  locked: 'Too many wrong passwords and codes: this account is locked for a quarter of an hour.',
  blocked: 'A hundred wrong codes in a row: this second factor is blocked until an administrator resets it.',
} as const satisfies Record<FactorRefusal, string>;

export const SET_UP_MEANWHILE = 'A second factor was set up meanwhile. Type its code.';
