import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { base32, otpauthUri } from '../../domain/shared/otpauth.ts';
import { FACTOR_CHARACTERS_MAX, type Passed, type SetUp } from '../../domain/staff/second-factor.ts';
import { sendJson } from '../http/answer.ts';
import { Problem } from '../http/problem.ts';
import { sendPage, wantsJson } from './answer.ts';
import { factorWords, isPlain, SET_UP_MEANWHILE, showFactor } from './authentication.ts';
import { requireFormToken, SECOND_FACTOR_PATH } from './guard.ts';
import { readForm } from './form.ts';
import { type Fragment, Html, html } from './html.ts';
import { card, formToken } from './layout.ts';
import { countedLogin, fromOf, type LoginParts, nextOf, safeNext } from './login.ts';
import { setBrowserCookie, setSessionCookie, type BoardSession, sessionOf } from './session.ts';

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
  const shown = await showFactor(parts, sessionOf(res), codeOf(req), fromOf(req, parts));
  if (shown.kind === 'set-up') await settleSetUp(parts, req, res, shown.result);
  else await settlePass(parts, req, res, shown.result);
}

async function settleSetUp(
  parts: SecondFactorParts,
  req: Request,
  res: Response,
  setUp: SetUp,
): Promise<void> {
  const { staff } = sessionOf(res);
  if (!setUp.passed) {
    if (setUp.reason === 'gone') return sessionGone(req, res);
    const words = setUp.reason === 'already' ? SET_UP_MEANWHILE : factorWords[setUp.reason];
    return ask(parts, req, res, nextOf(req), words);
  }
  setSessionCookie(req, res, setUp.session.token, 'full');
  if (setUp.browser !== null) setBrowserCookie(req, res, setUp.browser);
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
    if (passed.reason === 'gone') return sessionGone(req, res);
    return ask(parts, req, res, nextOf(req), factorWords[passed.reason]);
  }
  const { by, recoveryCodesLeft: left } = passed;
  setSessionCookie(req, res, passed.session.token, 'full');
  if (passed.browser !== null) setBrowserCookie(req, res, passed.browser);
  if (wantsJson(req)) sendJson(res, 200, { email, role, recovery_codes_left: left });
  // Whoever used one up is shown how many are left.
  else res.redirect(303, by === 'recovery-code' ? '/account' : nextOf(req));
}

/** It ended, or was completed by the same form sent twice. */
function sessionGone(req: Request, res: Response): void {
  if (wantsJson(req)) throw new Problem(401, 'unauthenticated', 'This session is over. Log in at /login.');
  res.redirect(303, '/login');
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
