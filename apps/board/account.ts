import { type Request, type Response, Router } from 'express';
import { sendJson } from '../http/answer.ts';
import { Problem } from '../http/problem.ts';
import { answer, sendPage, wantsJson } from './answer.ts';
import { requireFormToken } from './guard.ts';
import { readForm } from './form.ts';
import { type Fragment, type Html, html } from './html.ts';
import { formToken, page } from './layout.ts';
import { countedLogin } from './login.ts';
import { panel, when } from './ops/components.ts';
import { factorWords, outcomeOf } from './authentication.ts';
import { codeField, codeList, codeOf, type SecondFactorParts } from './second-factor.ts';
import { browserToken, type BoardSession, sessionOf } from './session.ts';

/** Everybody's own: whose session it is, and new recovery codes. */
export function accountRoutes(parts: SecondFactorParts): Router {
  return Router()
    .get('/', (req, res) => showAccount(parts, req, res))
    .post(
      '/recovery-codes',
      countedLogin(parts, 'second-factor'),
      readForm,
      requireFormToken(parts),
      (req, res) => renew(parts, req, res),
    );
}

async function showAccount(parts: SecondFactorParts, req: Request, res: Response): Promise<void> {
  const session = sessionOf(res);
  const facts = await factsOf(parts, session);
  answer(req, res, facts, () => accountPage(session, facts, null));
}

/** A session left open on a desk is not enough: it takes a code of the app. */
async function renew(parts: SecondFactorParts, req: Request, res: Response): Promise<void> {
  const session = sessionOf(res);
  const { staff } = session;
  const renewed = await parts.secondFactors.renewRecoveryCodes(
    staff.id,
    { code: codeOf(req), browser: browserToken(req) },
    parts.clock(),
    (told) => [
      { by: staff, action: 'second-factor.new-codes', subject: staff.email, detail: outcomeOf(told) },
    ],
  );
  if (renewed.passed) {
    if (wantsJson(req)) return sendJson(res, 200, { recovery_codes: renewed.recoveryCodes });
    return sendPage(res, 200, newCodesPage(session, renewed.recoveryCodes));
  }
  const words = factorWords[renewed.reason];
  if (wantsJson(req)) throw new Problem(403, 'second-factor-refused', words);
  sendPage(res, 403, accountPage(session, await factsOf(parts, session), words));
}

interface AccountFacts {
  readonly email: string;
  readonly role: string;
  readonly secondFactorAt: Date | null;
  readonly recoveryCodesLeft: number;
}

async function factsOf({ secondFactors }: SecondFactorParts, { staff }: BoardSession): Promise<AccountFacts> {
  const state = await secondFactors.stateOf(staff.id);
  return {
    email: staff.email,
    role: staff.role,
    secondFactorAt: state?.boundAt ?? null,
    recoveryCodesLeft: state?.recoveryCodesLeft ?? 0,
  };
}

function accountPage(session: BoardSession, facts: AccountFacts, refusal: string | null): Html {
  return accountFrame(session, [
    refusal !== null && html`<p class="notice alarm" role="alert">${refusal}</p>`,
    panel(
      'Account',
      null,
      html`<dl class="facts body">
        <div>
          <dt>Email</dt>
          <dd>${facts.email}</dd>
        </div>
        <div>
          <dt>Role</dt>
          <dd>${facts.role}</dd>
        </div>
        <div>
          <dt>Second factor since</dt>
          <dd>${when(facts.secondFactorAt)}</dd>
        </div>
        <div>
          <dt>Recovery codes left</dt>
          <dd>${facts.recoveryCodesLeft}</dd>
        </div>
      </dl>`,
    ),
    panel(
      'New recovery codes',
      'the old ones open nothing from then on',
      html`<form class="row body" method="post" action="/account/recovery-codes">
        ${formToken(session)}${codeField('Code of your authenticator app')}
        <button class="primary">Make ten new ones</button>
      </form>`,
    ),
  ]);
}

const newCodesPage = (session: BoardSession, codes: readonly string[]): Html =>
  accountFrame(session, panel('New recovery codes', null, html`<div class="body">${codeList(codes)}</div>`));

const accountFrame = (session: BoardSession, body: Fragment): Html =>
  page({
    title: 'Account',
    tab: null,
    session,
    body: [html`<div class="head"><h1>Second factor</h1></div>`, body],
  });
