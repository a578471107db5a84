import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { base32, otpauthUri } from '../../domain/shared/otpauth.ts';
import type { AuditEntry } from '../../domain/staff/audit.ts';
import {
  FACTOR_CHARACTERS_MAX,
  type FactorRefusal,
  type Passed,
  type SetUp,
} from '../../domain/staff/second-factor.ts';
import { sendJson } from '../http/answer.ts';
import { callerAddress } from '../http/express.ts';
import { Problem } from '../http/problem.ts';
import { sendPage, wantsJson } from './answer.ts';
import { requireFormToken, SECOND_FACTOR_PATH } from './guard.ts';
import { readForm } from './form.ts';
import { type Fragment, Html, html } from './html.ts';
import { card, formToken } from './layout.ts';
import { countedLogin, isPlain, type LoginParts, nextOf, safeNext } from './login.ts';
import { browserToken, setBrowserCookie, setSessionCookie, type BoardSession, sessionOf } from './session.ts';

export interface SecondFactorParts extends LoginParts {
  /** A QR code as one `<svg>` element. */
  readonly qr: (text: string) => Promise<string>;
}

/** What a pending session shows, and what completes it. */
export function secondFactorRoutes(parts: SecondFactorParts): Router {
  return Router()
    .get(SECOND_FACTOR_PATH, (req, res) => ask(parts, req, res, safeNext(req.query['next'])))
    .post(
      SECOND_FACTOR_PATH,
      countedLogin(parts, 'second-factor'),
      readForm,
      requireFormToken(parts),
      (req, res) => take(parts, req, res),
    );
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

const SET_UP_MEANWHILE = 'A second factor was set up meanwhile. Type its code.';
const REFUSED_STATUS = 401;

const Given = z.object({ code: z.string().max(FACTOR_CHARACTERS_MAX).refine(isPlain) });
/** What can be no code is read as an empty one. */
export const codeOf = (req: Request): string => Given.safeParse(req.body).data?.code ?? '';

/** The set-up where nothing is set up yet, else the question for a code. */
async function ask(
  parts: SecondFactorParts,
  req: Request,
  res: Response,
  next: string,
  refusal: string | null = null,
): Promise<void> {
  const session = sessionOf(res);
  const secret = await parts.secondFactors.offer(session.token, parts.clock());
  const uri = secret && otpauthUri(session.staff.email, secret);
  if (wantsJson(req)) {
    if (refusal !== null) throw new Problem(REFUSED_STATUS, 'second-factor-refused', refusal);
    const facts = uri ? { second_factor: 'set-up', secret: base32(secret), uri } : { second_factor: 'code' };
    return sendJson(res, 200, facts);
  }
  const page = uri
    ? setUpPage(session, next, refusal, { secret: base32(secret), picture: await parts.qr(uri) })
    : codePage(session, next, refusal);
  sendPage(res, refusal === null ? 200 : REFUSED_STATUS, page);
}

async function take(parts: SecondFactorParts, req: Request, res: Response): Promise<void> {
  const { token } = sessionOf(res);
  const isOffered = (await parts.secondFactors.offer(token, parts.clock())) !== null;
  if (isOffered)
    await settleSetUp(
      parts,
      req,
      res,
      await parts.secondFactors.setUp(token, codeOf(req), parts.clock(), browserToken(req)),
    );
  else
    await settlePass(
      parts,
      req,
      res,
      await parts.secondFactors.pass(token, codeOf(req), parts.clock(), browserToken(req)),
    );
}

async function settleSetUp(
  parts: SecondFactorParts,
  req: Request,
  res: Response,
  setUp: SetUp,
): Promise<void> {
  const { staff } = sessionOf(res);
  if (!setUp.passed) {
    await audit(parts, req, res, 'second-factor.set-up', { outcome: 'refused', reason: setUp.reason });
    if (setUp.reason === 'gone') return sessionGone(req, res);
    return ask(
      parts,
      req,
      res,
      nextOf(req),
      setUp.reason === 'already' ? SET_UP_MEANWHILE : factorWords[setUp.reason],
    );
  }
  setSessionCookie(req, res, setUp.session.token, 'full');
  setBrowserCookie(req, res, setUp.browser);
  await audit(parts, req, res, 'second-factor.set-up', { outcome: 'done' });
  await audit(parts, req, res, 'login', { outcome: 'done', by: 'totp' });
  const { recoveryCodes } = setUp;
  if (wantsJson(req))
    sendJson(res, 200, { email: staff.email, role: staff.role, recovery_codes: recoveryCodes });
  else sendPage(res, 200, card('Recovery codes', [codeList(recoveryCodes), onward(nextOf(req))]));
}

async function settlePass(
  parts: SecondFactorParts,
  req: Request,
  res: Response,
  passed: Passed,
): Promise<void> {
  const { email, role } = sessionOf(res).staff;
  if (!passed.passed) {
    await audit(parts, req, res, 'login.second-factor', { outcome: 'refused', reason: passed.reason });
    if (passed.reason === 'gone') return sessionGone(req, res);
    return ask(parts, req, res, nextOf(req), factorWords[passed.reason]);
  }
  const { by, recoveryCodesLeft: left } = passed;
  setSessionCookie(req, res, passed.session.token, 'full');
  setBrowserCookie(req, res, passed.browser);
  await audit(parts, req, res, 'login', { outcome: 'done', by, recovery_codes_left: left });
  if (wantsJson(req)) sendJson(res, 200, { email, role, recovery_codes_left: left });
  // Whoever used one up is shown how many are left.
  else res.redirect(303, by === 'recovery-code' ? '/account' : nextOf(req));
}

/** It ended, or was completed by the same form sent twice. */
function sessionGone(req: Request, res: Response): void {
  if (wantsJson(req)) throw new Problem(401, 'unauthenticated', 'This session is over. Log in at /login.');
  res.redirect(303, '/login');
}

function audit(
  { audit: log, clock, proxies }: SecondFactorParts,
  req: Request,
  res: Response,
  action: AuditEntry['action'],
  detail: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { staff } = sessionOf(res);
  const address = callerAddress(req, proxies);
  return log.write({ by: staff, action, subject: staff.email, detail: { ...detail, address } }, clock());
}

interface Offered {
  readonly secret: string;
  readonly picture: string;
}

function setUpPage(
  session: BoardSession,
  next: string,
  refusal: string | null,
  { secret, picture }: Offered,
): Html {
  return card(
    'Set up the second factor',
    html`<p class="note">
        Every login here takes a code from an authenticator app beside the password. Scan this with the app:
      </p>
      <div class="qr">${new Html(picture)}</div>
      <p class="note">or type this secret into it, as a time-based one of six digits:</p>
      <p class="secret">${inFours(secret)}</p>
      ${factorForm(session, next, refusal, 'The code that the app shows now')}`,
  );
}

function codePage(session: BoardSession, next: string, refusal: string | null): Html {
  return card(
    'Second factor',
    html`<p class="note">
        For ${session.staff.email}: the code of your authenticator app, or a recovery code.
      </p>
      ${factorForm(session, next, refusal, 'Code')}`,
  );
}

function factorForm(session: BoardSession, next: string, refusal: string | null, label: string): Html {
  return html`${refusal !== null && html`<p class="notice alarm" role="alert">${refusal}</p>`}
    <form method="post" action="${SECOND_FACTOR_PATH}">
      ${formToken(session)}<input type="hidden" name="next" value="${next}" />${codeField(label)}
      <button class="primary">Go on</button>
    </form>
    <form method="post" action="/logout">
      ${formToken(session)}<button class="plain">Log in as somebody else</button>
    </form>`;
}

export const codeField = (label: string): Html =>
  html`<label
    >${label}
    <input
      name="code"
      autocomplete="one-time-code"
      maxlength="${FACTOR_CHARACTERS_MAX}"
      spellcheck="false"
      required
      autofocus
  /></label>`;

/** Shown once: no table and no log holds them. */
export const codeList = (codes: readonly string[]): Html =>
  html`<p class="notice careful">
      Print these or keep them in a password manager, away from the phone. They are shown this once.
    </p>
    <ul class="codes">
      ${codes.map((code) => html`<li>${code}</li>`)}
    </ul>
    <p class="note">
      Each opens one login without the authenticator. New ones are made on your account's page.
    </p>`;

const onward = (next: string): Fragment =>
  html`<p><a class="button primary" href="${next}">I have kept them: go on</a></p>`;

const inFours = (secret: string): string => secret.replaceAll(/.{4}(?=.)/g, '$& ');
