import { isUtf8 } from 'node:buffer';
import { type RequestHandler, Router } from 'express';
import helmet from 'helmet';
import type {
  PreferencesDoor,
  PreferencesDoors,
  PreferencesStore,
} from '../../../domain/message/preferences/port.ts';
import { PreferencesChange } from '../../../domain/message/preferences/preferences.ts';
import type { QuotaCounter } from '../../../domain/project/quota.ts';
import { sendText } from '../../http/answer.ts';
import { readBody } from '../../http/body.ts';
import { callerAddress } from '../../http/express.ts';
import { limitAddress } from '../../http/rate-limit.ts';
import { isOneClick } from './one-click.ts';
import { FORM_NAME, goneLinkPage, preferencesPage } from './preferences-page.ts';

export interface PreferencesPageDeps {
  readonly doors: PreferencesDoors;
  readonly store: PreferencesStore;
  readonly counter: QuotaCounter;
  readonly now: () => Date;
  /** Proxies in front of us whose `X-Forwarded-For` counts. */
  readonly proxies: number;
}

/** Its style stands in the page, it has no script, and its form goes to itself. */
const pagePolicy = helmet({
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

/** Twenty categories and the rest of the form, a few times over. */
const FORM_BYTES_MAX = 8_192;
const HTML = 'text/html; charset=utf-8';

type Handle = (door: PreferencesDoor, ...of: Parameters<RequestHandler>) => Promise<void> | void;

/**
 * A person's own way to their preferences: who has the link is who it was sent to, so that no cookie and no login is asked for, and a
 * form of another site gains nothing. A GET changes nothing: programs that preview links, and look for viruses in them, open each.
 */
export function preferencesPages(deps: PreferencesPageDeps): Router {
  const path = '/preferences/:token';
  const show: Handle = (door, _req, res) => sendText(res, HTML, preferencesPage(door, null));
  const change: Handle = async (door, req, res) => {
    const category = queryCategory(req.originalUrl);
    const body = await readBody(req, FORM_BYTES_MAX);
    if (!isOneClick(body, req.headers['content-type'])) return savePage(deps, door, body, res);
    await deps.store.change(
      door.projectId,
      door.recipientId,
      oneClickChange(door, category),
      'one-click',
      deps.now(),
    );
    return sendText(res, 'text/plain; charset=utf-8', 'OK');
  };
  return Router().get(path, pagePolicy, withDoor(deps, show)).post(path, pagePolicy, withDoor(deps, change));
}

const withDoor =
  ({ doors, counter, proxies }: PreferencesPageDeps, handle: Handle): RequestHandler =>
  async (req, res, next) => {
    // The path is the secret: from here on a log line has it no more.
    const token = String(req.params['token']);
    req.url = '/preferences';
    res.setHeader('X-Robots-Tag', 'noindex, nofollow');
    await limitAddress(counter, callerAddress(req, proxies), res);
    const door = await doors.open(token);
    if (door) return handle(door, req, res, next);
    res.statusCode = 404;
    sendText(res, HTML, goneLinkPage());
  };

/** The list that a mail was of: `?category=news`. */
const queryCategory = (url: string): string | null =>
  new URLSearchParams(url.split('?', 2)[1] ?? '').get('category');

/** The one category where the link names one that the project has, else everything: whoever asks to be left alone is. */
const oneClickChange = ({ categories }: PreferencesDoor, category: string | null): PreferencesChange =>
  categories.some(({ name }) => name === category)
    ? { categories: { [String(category)]: false } }
    : { opted_out: true };

async function savePage(
  { store, now }: PreferencesPageDeps,
  door: PreferencesDoor,
  body: Buffer,
  res: Parameters<RequestHandler>[1],
): Promise<void> {
  const form = isUtf8(body) ? wholeForm(new URLSearchParams(body.toString())) : null;
  if (!form) {
    res.statusCode = 400;
    return sendText(res, HTML, preferencesPage(door, 'unread'));
  }
  const { change, isWrong } = formChange(form, door);
  const changed = await store.change(door.projectId, door.recipientId, change, 'page', now());
  if (isWrong) res.statusCode = 400;
  sendText(
    res,
    HTML,
    preferencesPage({ ...door, ...changed }, isWrong ? 'wrong' : 'saved', isWrong ? form : null),
  );
}

/** What every form of ours sends, whatever is ticked: without them "nothing is ticked" could not be told from anything else. */
const ALWAYS_SENT = ['from', 'to', 'zone'] as const;

/** Null where it is no form of ours, or was cut off: nothing may follow from it. */
const wholeForm = (form: URLSearchParams): URLSearchParams | null =>
  form.get('form') === FORM_NAME && ALWAYS_SENT.every((name) => form.getAll(name).length === 1) ? form : null;

/**
 * A box that is not ticked is not sent: off are those that were shown. Quiet hours that can't be read stay as they were, and take nothing
 * else with them: whoever wants no messages is not kept in by a time zone.
 */
function formChange(
  form: URLSearchParams,
  { categories }: PreferencesDoor,
): { readonly change: PreferencesChange; readonly isWrong: boolean } {
  const [shown, on] = [new Set(form.getAll('shown')), new Set(form.getAll('on'))];
  const boxes: PreferencesChange = {
    opted_out: form.has('none'),
    categories: Object.fromEntries(
      categories.filter(({ name }) => shown.has(name)).map(({ name }) => [name, on.has(name)]),
    ),
  };
  if (!form.has('quiet')) return { change: { ...boxes, quiet_hours: null }, isWrong: false };
  const quiet = { quiet_hours: { from: form.get('from'), to: form.get('to') }, time_zone: form.get('zone') };
  const parsed = PreferencesChange.safeParse({ ...boxes, ...quiet });
  return { change: parsed.data ?? boxes, isWrong: !parsed.success };
}
