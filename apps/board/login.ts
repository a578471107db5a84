import { type Request, type RequestHandler, type Response, Router } from 'express';
import { sendJson } from '../http/answer.ts';
import { callerAddress } from '../http/express.ts';
import { originOf } from '../http/origin.ts';
import { Problem } from '../http/problem.ts';
import { sessionToken } from '../http/staff-cookie.ts';
import { sendPage, wantsJson } from './answer.ts';
import {
  type Authentication,
  checkPassword,
  countLogin,
  Credentials,
  EMAIL_CHARACTERS_MAX,
  type From,
  LOGIN_REFUSED,
  PASSWORD_CHARACTERS_MAX,
} from './authentication.ts';
import { requireFormToken, SECOND_FACTOR_PATH } from './guard.ts';
import { readForm } from './form.ts';
import { type Html, html } from './html.ts';
import { card, formToken } from './layout.ts';
import { browserToken, clearSessionCookie, setSessionCookie, sessionOf } from './session.ts';

export interface LoginParts extends Authentication {
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

/** No session is needed to be tricked into another one's: another site may not log anybody in here. */
const ownLogin: RequestHandler = (req, _res, next) => {
  if (originOf(req) === 'foreign')
    throw new Problem(403, 'foreign-origin', 'This login does not come from the board itself.');
  next();
};

/** Before the form is read. */
export const countedLogin =
  (parts: LoginParts, what: 'password' | 'second-factor'): RequestHandler =>
  async (req, _res, next) => {
    await countLogin(parts, what, callerAddress(req, parts.proxies));
    next();
  };

export const fromOf = (req: Request, { proxies }: Pick<LoginParts, 'proxies'>): From => ({
  address: callerAddress(req, proxies),
  browser: browserToken(req),
  via: 'cookie',
});

async function logIn(parts: LoginParts, req: Request, res: Response): Promise<void> {
  const given = Credentials.safeParse(req.body);
  const login = await checkPassword(parts, given.success ? given.data : null, fromOf(req, parts));
  if (login.kind === 'refused') return refuseLogin(req, res);

  const former = sessionToken(req);
  // The row of the login is that of the change of sessions too.
  if (former !== null) await parts.sessions.close(former, () => []);
  const { id, email } = login.staff;
  const { token } = await parts.sessions.open(id, 'cookie', parts.clock());
  setSessionCookie(req, res, token, 'pending-2fa');
  if (wantsJson(req)) {
    const isSetUp = (await parts.secondFactors.stateOf(id)) !== null;
    sendJson(res, 200, { email, second_factor: isSetUp ? 'code' : 'set-up' });
  } else res.redirect(303, `${SECOND_FACTOR_PATH}?next=${encodeURIComponent(nextOf(req))}`);
}

/** Where a form leads on to. */
export const nextOf = (req: Request): string => safeNext((req.body as { next?: unknown } | undefined)?.next);

function refuseLogin(req: Request, res: Response): void {
  if (wantsJson(req)) throw new Problem(401, 'login-refused', LOGIN_REFUSED);
  sendPage(res, 401, loginPage(nextOf(req), LOGIN_REFUSED));
}

async function leave({ sessions }: LoginParts, req: Request, res: Response): Promise<void> {
  const { staff, token } = sessionOf(res);
  await sessions.close(token, () => [
    { by: staff, action: 'logout', subject: staff.email, detail: { outcome: 'done' } },
  ]);
  clearSessionCookie(req, res);
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
