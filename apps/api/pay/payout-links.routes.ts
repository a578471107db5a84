import { type RequestHandler, Router } from 'express';
import helmet from 'helmet';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { type BindingEnd, finishBinding } from '../../../domain/pay/link/finish-binding.ts';
import type { LinkView, PayoutLinks } from '../../../domain/pay/link/port.ts';
import { payoutLinkUrl } from '../../../domain/pay/link/url.ts';
import { multicardBindingPath } from '../../../domain/pay/rail/callback-paths.ts';
import type { CardRail } from '../../../domain/pay/rail/port.ts';
import type { QuotaCounter } from '../../../domain/project/quota.ts';
import { sendText } from '../../http/answer.ts';
import { readBody } from '../../http/body.ts';
import { callerAddress, wrongMethod } from '../../http/express.ts';
import { Problem } from '../../http/problem.ts';
import { limitAddress, limitCallbacks } from '../../http/rate-limit.ts';
import { payoutLinkPage, toFormPage, unknownLinkPage } from './payout-link-page.ts';
import type { Notice, PageLocale } from './payout-link-words.ts';

type Binder = Pick<CardRail, 'beginBinding' | 'readBinding' | 'readBindingCallback'>;

export interface PayoutLinkDeps {
  readonly links: PayoutLinks;
  /** Null where no rail is set up: links are shown, and bind nothing. */
  readonly rail: Binder | null;
  readonly publicUrl: string;
  readonly counter: QuotaCounter;
  readonly now: () => Date;
  /** Proxies in front of us whose `X-Forwarded-For` counts. */
  readonly proxies: number;
}

/** Its style stands in the page, it has no script, and its form goes to itself. */
const pagePolicy = helmet({
  referrerPolicy: { policy: 'no-referrer' },
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      styleSrc: ["'unsafe-inline'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  },
});

const HTML = 'text/html; charset=utf-8';
/** 32 bytes. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/;
/** The button sends nothing. */
const FORM_BYTES_MAX = 1_024;
/** A person waits. */
const RAIL_MS_MAX = 10_000;

interface Opened {
  readonly token: string;
  readonly view: LinkView;
  readonly locale: PageLocale;
}
type Handle = (opened: Opened, ...of: Parameters<RequestHandler>) => Promise<void>;

/**
 * A payee's page: who has the link is who it was sent to, so that no login is asked for. To open it changes nothing, but that a form which was filled in at the rail
 * is noted: programs that preview links open each. Every answer to a link that does not work is harmless, and says why.
 */
export function payoutLinkPages(deps: PayoutLinkDeps): Router {
  const path = '/payout-links/:token';
  return Router()
    .get(
      path,
      pagePolicy,
      withLink(deps, (opened, _req, res) => show(deps, opened, res)),
    )
    .post(
      path,
      pagePolicy,
      withLink(deps, (opened, req, res) => openForm(deps, opened, req, res)),
    )
    .all(path, hidePath, wrongMethod(['GET', 'POST']))
    .post(multicardBindingPath(':bindingId'), bindingCalled(deps));
}

/** The path is the secret: from here on a log line has it no more. */
const hidePath: RequestHandler = (req, _res, next) => {
  req.url = '/payout-links';
  next();
};

const withLink =
  ({ links, counter, now, proxies }: PayoutLinkDeps, handle: Handle): RequestHandler =>
  async (req, res, next) => {
    const locale: PageLocale =
      new URLSearchParams(req.url.split('?', 2)[1] ?? '').get('lang') === 'ru' ? 'ru' : 'uz';
    // The path is the secret: from here on a log line has it no more.
    const token = String(req.params['token']);
    req.url = '/payout-links';
    res.setHeader('X-Robots-Tag', 'noindex, nofollow');
    res.setHeader('Cache-Control', 'no-store');
    await limitAddress(counter, callerAddress(req, proxies), res);
    const view = TOKEN.test(token) ? await links.find(token, now()) : null;
    if (view) return handle({ token, view, locale }, req, res, next);
    res.statusCode = 404;
    sendText(res, HTML, unknownLinkPage(locale));
  };

type Res = Parameters<RequestHandler>[1];

/** Of a form that was opened, how it ended: the person comes back to this page from it, often before the rail calls. */
async function show(
  { links, rail, now }: PayoutLinkDeps,
  { token, view, locale }: Opened,
  res: Res,
): Promise<void> {
  if (view.state !== 'live' || view.bindingId === null || rail === null)
    return sendText(res, HTML, payoutLinkPage(view, locale));
  const end = await finishBinding({ links, rail }, view.bindingId, AbortSignal.timeout(RAIL_MS_MAX));
  const after = (await links.find(token, now())) ?? view;
  sendText(res, HTML, payoutLinkPage(after, locale, noticeOf[end]));
}

const noticeOf: Readonly<Record<BindingEnd, Notice | null>> = {
  bound: null,
  waiting: 'not-finished',
  declined: 'not-finished',
  unknown: 'not-known',
  refused: 'refused',
  'no-such-binding': null,
};

async function openForm(
  deps: PayoutLinkDeps,
  { token, view, locale }: Opened,
  req: Parameters<RequestHandler>[0],
  res: Res,
): Promise<void> {
  await readBody(req, FORM_BYTES_MAX);
  if (view.state !== 'live') {
    res.statusCode = 410;
    return sendText(res, HTML, payoutLinkPage(view, locale));
  }
  const opened = await formOf(deps, token, view);
  if ('formUrl' in opened) return sendText(res, HTML, toFormPage(opened.formUrl, locale));
  res.statusCode = opened.status;
  const after = (await deps.links.find(token, deps.now())) ?? view;
  sendText(res, HTML, payoutLinkPage(after, locale, opened.notice));
}

type FormOpened = { readonly formUrl: string } | { readonly status: number; readonly notice: Notice | null };

async function formOf(
  { links, rail, publicUrl }: PayoutLinkDeps,
  token: string,
  { phone }: LinkView,
): Promise<FormOpened> {
  if (rail === null) return { status: 503, notice: 'closed' };
  const bindingId = uuidv7();
  const begun = await links.begin(token, bindingId);
  if (begun === 'too-many') return { status: 429, notice: 'too-many' };
  if (begun === 'gone') return { status: 410, notice: null };
  const returnTo = payoutLinkUrl(publicUrl, token);
  const reply = await rail.beginBinding({ bindingId, phone, returnTo }, AbortSignal.timeout(RAIL_MS_MAX));
  if (reply.kind !== 'answered') return { status: 503, notice: 'closed' };
  const { session, formUrl } = reply.value;
  const opened = await links.opened(bindingId, session);
  return opened === 'gone' ? { status: 410, notice: null } : { formUrl };
}

const BindingId = z.uuid();

/** The rail says that a form is over. It does not sign, so that its address carries a token; what it says is read from the rail. */
const bindingCalled =
  ({ links, rail, counter, proxies }: PayoutLinkDeps): RequestHandler =>
  async (req, res) => {
    const bindingId = BindingId.safeParse(req.params['bindingId']).data;
    const token = new URLSearchParams(req.originalUrl.split('?', 2)[1] ?? '').get('token') ?? '';
    req.url = '/callbacks/multicard/bindings';
    if (bindingId === undefined || rail?.readBindingCallback(bindingId, token).kind !== 'look')
      throw new Problem(403, 'bad-signature', 'The token is not the one of this binding.');
    await limitCallbacks(counter, callerAddress(req, proxies), res);
    await readBody(req);
    const end = await finishBinding({ links, rail }, bindingId, AbortSignal.timeout(RAIL_MS_MAX));
    if (end === 'no-such-binding') throw new Problem(404, 'not-found', 'There is no such binding.');
    // The rail repeats what is not answered 200: until it can be read.
    if (end === 'unknown') throw new Problem(503, 'unavailable', 'The rail could not be asked for the card.');
    res.status(200).json({ ok: true });
  };
