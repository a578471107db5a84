import { type Request, type RequestHandler, type Response, Router } from 'express';
import { z } from 'zod';
import { type Quota, type QuotaCounter, takeAll } from '../../domain/project/quota.ts';
import type { AuditLog } from '../../domain/staff/audit.ts';
import type { Login, StaffAccounts } from '../../domain/staff/port.ts';
import type { SecondFactors } from '../../domain/staff/second-factor.ts';
import type { StaffSessions } from '../../domain/staff/session.ts';
import { sendJson } from '../http/answer.ts';
import { type Net, netsOf } from '../../domain/shared/ip-address.ts';
import { callerAddress } from '../http/express.ts';
import { Problem } from '../http/problem.ts';
import { badText } from '../../domain/shared/bad-text.ts';
import { sendPage, wantsJson } from './answer.ts';
import { originOf, requireFormToken, SECOND_FACTOR_PATH } from './guard.ts';
import { readForm } from './form.ts';
import { type Html, html } from './html.ts';
import { card, formToken } from './layout.ts';
import { browserToken, clearSessionCookie, sessionToken, setSessionCookie, sessionOf } from './session.ts';

/**
 * Passwords from one address block, and as many second factors: a person mistypes a few times, a guesser spreads over
 * accounts to get round their locks.
 */
export const LOGINS_PER_MINUTE = 10;
/** An email (RFC 5321) and a long passphrase; what is longer is no login. */
const EMAIL_CHARACTERS_MAX = 254;
const PASSWORD_CHARACTERS_MAX = 1_024;

export interface LoginParts {
  readonly accounts: Pick<StaffAccounts, 'verifyPassword'>;
  readonly sessions: StaffSessions;
  readonly secondFactors: SecondFactors;
  readonly audit: AuditLog;
  readonly counter: QuotaCounter;
  readonly clock: () => Date;
  readonly proxies: number;
}

/** Behind the policy, as everything here. */
export function loginRoutes(parts: LoginParts): Router {
  return Router()
    .get('/login', (req, res) => sendPage(res, 200, loginPage(safeNext(req.query['next']), null)))
    .post('/login', ownLogin, countedLogin(parts, 'password'), readForm, (req, res) => logIn(parts, req, res))
    .get('/logout', (_req, res) => sendPage(res, 200, logoutPage(res)))
    .post('/logout', readForm, requireFormToken(parts), async (req, res) => {
      await leave(parts, req, res);
      res.redirect(303, '/login');
    });
}

const Credentials = z.object({
  email: z.string().max(EMAIL_CHARACTERS_MAX).refine(isPlain),
  password: z.string().max(PASSWORD_CHARACTERS_MAX).refine(isPlain),
});

export function isPlain(text: string): boolean {
  return badText(text) === null;
}

/** No session is needed to be tricked into another one's: another site may not log anybody in here. */
const ownLogin: RequestHandler = (req, _res, next) => {
  if (originOf(req) === 'foreign')
    throw new Problem(403, 'foreign-origin', 'This login does not come from the board itself.');
  next();
};

/** `countLogin` before the form is read. */
export const countedLogin =
  (parts: LoginParts, what: 'password' | 'second-factor'): RequestHandler =>
  async (req, res, next) => {
    await countLogin(parts, what, req, res);
    next();
  };

async function logIn(parts: LoginParts, req: Request, res: Response): Promise<void> {
  const given = Credentials.safeParse(req.body);
  const login: Login = given.success
    ? await parts.accounts.verifyPassword(
        given.data.email,
        given.data.password,
        parts.clock(),
        browserToken(req),
      )
    : { kind: 'refused', reason: 'wrong' };
  await auditPassword(parts, req, login, given.data?.email ?? '');
  if (login.kind === 'refused') return refuseLogin(req, res);

  const former = sessionToken(req);
  if (former !== null) await parts.sessions.close(former);
  const { id, email } = login.staff;
  const { token } = await parts.sessions.open(id, parts.clock());
  setSessionCookie(req, res, token, 'pending-2fa');
  if (wantsJson(req)) {
    const isSetUp = (await parts.secondFactors.stateOf(id)) !== null;
    sendJson(res, 200, { email, second_factor: isSetUp ? 'code' : 'set-up' });
  } else res.redirect(303, `${SECOND_FACTOR_PATH}?next=${encodeURIComponent(nextOf(req))}`);
}

/** Where a form leads on to. */
export const nextOf = (req: Request): string => safeNext((req.body as { next?: unknown } | undefined)?.next);

/** Counted before what was given is looked at: argon2 costs us as much as a guesser. */
async function countLogin(
  { counter, proxies }: LoginParts,
  what: 'password' | 'second-factor',
  req: Request,
  res: Response,
): Promise<void> {
  const resetSeconds = await loginWait(counter, what, callerAddress(req, proxies));
  if (resetSeconds === null) return;
  res.setHeader('Retry-After', String(resetSeconds));
  throw new Problem(429, 'quota-exceeded', `Too many logins from here. Try again in ${resetSeconds} s.`);
}

/** Seconds until this address, or a net around it, may try again; null when now. */
async function loginWait(
  counter: QuotaCounter,
  what: 'password' | 'second-factor',
  address: string,
): Promise<number | null> {
  const prefix = what === 'password' ? 'staff' : 'staff-factor';
  const [narrowest, ...wider] = netsOf(address);
  const quotaOf = ({ subject, times }: Net): Quota => ({
    name: 'failed-authentication',
    subject: `${prefix}:${subject}`,
    limit: LOGINS_PER_MINUTE * times,
    failsClosed: true,
  });
  const { exceeded, resetSeconds } = await takeAll(counter, [quotaOf(narrowest), ...wider.map(quotaOf)]);
  return exceeded ? resetSeconds : null;
}

/** One answer for every refusal: who guesses learns neither which emails exist nor which are locked. */
function refuseLogin(req: Request, res: Response): void {
  const detail =
    'The email or the password is wrong, or the account is locked for a quarter of an hour after five wrong tries.';
  if (wantsJson(req)) throw new Problem(401, 'login-refused', detail);
  sendPage(res, 401, loginPage(nextOf(req), detail));
}

/** People type passwords into the wrong field: what doesn't look like an email isn't kept. */
async function auditPassword(
  { audit, clock, proxies }: LoginParts,
  req: Request,
  login: Login,
  email: string,
): Promise<void> {
  const address = callerAddress(req, proxies);
  const subject = z.email().safeParse(email).success ? email.toLowerCase() : 'no email';
  const accepted = login.kind === 'accepted';
  const detail = accepted
    ? { outcome: 'done', address }
    : { outcome: 'refused', reason: login.reason, address };
  await audit.write(
    {
      by: accepted ? login.staff : `address ${address}`,
      action: accepted ? 'login.password' : 'login',
      subject,
      detail,
    },
    clock(),
  );
}

async function leave({ sessions, audit, clock }: LoginParts, req: Request, res: Response): Promise<void> {
  const { staff, token } = sessionOf(res);
  await sessions.close(token);
  clearSessionCookie(req, res);
  await audit.write(
    { by: staff, action: 'logout', subject: staff.email, detail: { outcome: 'done' } },
    clock(),
  );
}

/** A path of ours and nothing else: `//host`, `/\host` and schemes lead elsewhere. */
export function safeNext(next: unknown): string {
  if (typeof next !== 'string' || !/^\/(?![/\\])[\x21-\x7e]*$/.test(next)) return '/';
  return next.startsWith('/log') ? '/' : next;
}

function loginPage(next: string, refusal: string | null): Html {
  return card(
    'Navbat board',
    html`<p class="note">Queues, jobs and who they are for. Sign in with your staff account.</p>
      ${refusal !== null && html`<p class="notice alarm" role="alert">${refusal}</p>`}
      <form method="post" action="/login">
        <input type="hidden" name="next" value="${next}" />
        <label
          >Email
          <input
            name="email"
            type="email"
            autocomplete="username"
            maxlength="${EMAIL_CHARACTERS_MAX}"
            required
            autofocus
        /></label>
        <label
          >Password
          <input
            name="password"
            type="password"
            autocomplete="current-password"
            maxlength="${PASSWORD_CHARACTERS_MAX}"
            required
        /></label>
        <button class="primary">Log in</button>
      </form>`,
  );
}

/** Bull Board's menu can only link, and a link must not log anybody out. */
function logoutPage(res: Response): Html {
  const session = sessionOf(res);
  return card(
    'Log out?',
    html`<p class="note">You are signed in as ${session.staff.email}.</p>
      <form method="post" action="/logout">
        ${formToken(session)}<button class="primary">Log out</button>
      </form>
      <p class="note"><a href="/">Back to the board</a></p>`,
  );
}
