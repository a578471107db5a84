import type { Agent } from 'undici';
import { z } from 'zod';
import { parseJson } from '../../../domain/shared/json.ts';
import type { SendReply } from '../../../domain/job/reply.ts';
import { replyToStatus } from '../classify-status.ts';
import { ask, type HttpAnswer, headerOf, post, urlAt } from '../http.ts';
import { faulted, refused, replyWithoutAnswer, unexpected } from '../replies.ts';

export const ESKIZ_PROVIDER = 'eskiz';
const API_URL = 'https://notify.eskiz.uz/api';
/** 5 s: half of what an attempt may take, which then still has time for its message. */
const LOGIN_MS_MAX = 5_000;
const UNAUTHORISED = 401;
/** A day before the end of its thirty, or the last tenth of a shorter life: time for many tries before sends would wait for a login. */
const RENEW_MS_BEFORE = 86_400_000;
const RENEW_LIFE_SHARE = 0.1;
/** 1 h: a token that does not say when it ends, or by our clock already has, is renewed so often. */
const LIFE_MS_UNKNOWN = 3_600_000;
/** 60 s: nobody corrects a password sooner, and accounts are locked by many wrong ones. */
const REFUSED_PAUSE_MS = 60_000;
/** 2 s: a server that fails is not asked for each message that waits. */
const FAILED_PAUSE_MS = 2_000;
/**
 * 6 tokens a minute, each of which should last for a month. Should a login end the tokens of other ones, two processes would log each
 * other out for each message: beyond these the messages go by another provider until the minute is over.
 */
const TOKENS_MAX = 6;
const TOKENS_WITHIN_MS = 60_000;
/** Nothing is sent by a login, so that one without an answer is no message that may have left. */
const statusRules = { busyMs: 5_000, paid: false };

export interface EskizAccount {
  readonly email: string;
  readonly password: string;
  /** The sandbox in place of notify.eskiz.uz. */
  readonly apiUrl?: string | undefined;
}

/** A token to send with, or why there is none: nothing was sent. */
type Access =
  | { readonly ok: true; readonly token: string }
  | { readonly ok: false; readonly reply: SendReply };

interface Token {
  readonly text: string;
  readonly renewAtMs: number;
  readonly expiresAtMs: number;
}

/**
 * The sign-in at Eskiz, by tokens of about thirty days, kept in memory alone. A login that fails is not repeated for each message: until
 * its pause is over all of them are answered as it was.
 */
export class EskizSession {
  readonly #account: EskizAccount;
  readonly #agent: Agent;
  readonly #now: () => Date;
  #token: Token | null = null;
  #renewal: Promise<Access> | null = null;
  /** When the newest were given. */
  #givenMs: number[] = [];
  #pause: { readonly reply: SendReply; readonly untilMs: number } | null = null;

  constructor(account: EskizAccount, agent: Agent, now: () => Date = () => new Date()) {
    this.#account = account;
    this.#agent = agent;
    this.#now = now;
  }

  url(path: string): string {
    return urlAt(this.#account.apiUrl ?? API_URL, path);
  }

  /** At most twice: a 401 says that the first was not looked at. @param call gets the header `authorization`. */
  async withToken(
    signal: AbortSignal,
    call: (authorization: string) => Promise<HttpAnswer>,
  ): Promise<HttpAnswer | SendReply> {
    const access = await inTime(this.#access(), signal);
    if (!access.ok) return access.reply;
    const answer = await call(`Bearer ${access.token}`);
    if (answer.status !== UNAUTHORISED) return answer;
    const fresh = await inTime(this.#renewed(access.token), signal);
    if (!fresh.ok) return fresh.reply;
    const second = await call(`Bearer ${fresh.token}`);
    return second.status === UNAUTHORISED ? this.#refuse(fresh.token) : second;
  }

  async #access(): Promise<Access> {
    const atMs = this.#now().getTime();
    const token = this.#token;
    if (!token || atMs >= token.expiresAtMs) return this.#renew(null);
    // The one at hand is still good: nobody waits. What failed is tried again after its pause.
    if (atMs >= token.renewAtMs) void this.#renew(token.text).catch(() => undefined);
    return { ok: true, token: token.text };
  }

  /** After a 401: a token that is not `used`. One login serves all who ask at once. */
  async #renewed(used: string): Promise<Access> {
    if (this.#token && this.#token.text !== used) return { ok: true, token: this.#token.text };
    this.#token = null;
    return this.#renew(null);
  }

  /** A fresh token was refused too: the account is, and is left alone for a while. */
  #refuse(used: string): SendReply {
    if (this.#token?.text === used) this.#token = null;
    const reply = refused('credentials', false, 'Eskiz refuses a token that it has just given');
    this.#keep({ ok: false, reply });
    return reply;
  }

  #renew(refreshable: string | null): Promise<Access> {
    const pause = this.#pause;
    if (pause && this.#now().getTime() < pause.untilMs)
      return Promise.resolve({ ok: false, reply: pause.reply });
    const restMs = this.#restMs();
    if (restMs > 0)
      return Promise.resolve({
        ok: false,
        reply: faulted('provider-unavailable', restMs, 'Eskiz ends its tokens too soon: too many logins'),
      });
    const door = { account: this.#account, agent: this.#agent, url: (path: string) => this.url(path) };
    this.#renewal ??= obtain(door, refreshable)
      .then((access) => this.#keep(access))
      .finally(() => (this.#renewal = null));
    return this.#renewal;
  }

  #keep(access: Access): Access {
    const atMs = this.#now().getTime();
    this.#pause = access.ok ? null : { reply: access.reply, untilMs: atMs + pauseMsOf(access.reply) };
    if (access.ok) {
      this.#token = tokenOf(access.token, atMs);
      this.#givenMs = [...this.#givenMs, atMs].slice(-TOKENS_MAX);
    }
    return access;
  }

  /** How long no other token is asked for. */
  #restMs(): number {
    const [oldest] = this.#givenMs;
    if (oldest === undefined || this.#givenMs.length < TOKENS_MAX) return 0;
    return oldest + TOKENS_WITHIN_MS - this.#now().getTime();
  }
}

/** While a login is waited for nothing has left: no answer in time is a fault, and not unknown. */
function inTime(access: Promise<Access>, signal: AbortSignal): Promise<Access> {
  const { promise: over, resolve } = Promise.withResolvers<Access>();
  const stop = () => resolve({ ok: false, reply: faulted('provider-unavailable') });
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  return Promise.race([access, over]).finally(() => signal.removeEventListener('abort', stop));
}

interface Door {
  readonly account: EskizAccount;
  readonly agent: Agent;
  readonly url: (path: string) => string;
}

/** A token for one that soon ends, or, where there is none or it is not taken, for the password. */
async function obtain({ account, agent, url }: Door, refreshable: string | null): Promise<Access> {
  if (refreshable !== null) {
    const headers = { authorization: `Bearer ${refreshable}` };
    const access = await accessFrom((signal) =>
      ask(agent, { method: 'PATCH', url: url('/auth/refresh'), headers }, signal),
    );
    if (access.ok) return access;
  }
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const { email, password } = account;
  const body = new URLSearchParams({ email, password }).toString();
  return accessFrom((signal) => post(agent, { url: url('/auth/login'), headers, body }, signal));
}

/** Sent back in a header: no other characters may be in it. */
const Granted = z.object({ data: z.object({ token: z.string().regex(/^[\w.~+/=-]{1,4096}$/) }) });

async function accessFrom(call: (signal: AbortSignal) => Promise<HttpAnswer>): Promise<Access> {
  const signal = AbortSignal.timeout(LOGIN_MS_MAX);
  try {
    const answer = await call(signal);
    const granted = answer.status < 300 ? Granted.safeParse(parseJson(answer.text)).data : undefined;
    if (granted) return { ok: true, token: granted.data.token };
    return { ok: false, reply: replyToLogin(answer) };
  } catch (error) {
    const reply = replyWithoutAnswer(error, signal);
    if (!reply) throw unexpected(ESKIZ_PROVIDER, error);
    return { ok: false, reply: knownOf(reply) };
  }
}

function replyToLogin({ status, headers }: HttpAnswer): SendReply {
  const reply = replyToStatus({ status, retryAfter: headerOf(headers, 'retry-after') }, statusRules);
  // Whatever it says of the request (400, 404, 422 …), what we gave is not taken.
  if (reply.kind === 'refused') return refused('credentials', false, `HTTP ${status} to the login`);
  return knownOf(reply);
}

const knownOf = (reply: SendReply): SendReply =>
  reply.kind === 'unknown' ? faulted('provider-unavailable') : reply;

function pauseMsOf(reply: SendReply): number {
  if (reply.kind === 'refused') return REFUSED_PAUSE_MS;
  return Math.max(FAILED_PAUSE_MS, ('retryAfterMs' in reply && reply.retryAfterMs) || 0);
}

const Claims = z.object({ exp: z.number().positive() });

/** A JWT, whose `exp` is read and not trusted: what it says wrongly is met by a 401. */
function tokenOf(text: string, atMs: number): Token {
  const payload = Buffer.from(text.split('.')[1] ?? '', 'base64url').toString('utf8');
  const claims = Claims.safeParse(parseJson(payload)).data;
  const lifeMs = (claims?.exp ?? 0) * 1_000 - atMs;
  const expiresAtMs = atMs + (lifeMs > 0 ? lifeMs : LIFE_MS_UNKNOWN);
  const renewMsBefore = Math.min(RENEW_MS_BEFORE, (expiresAtMs - atMs) * RENEW_LIFE_SHARE);
  return { text, expiresAtMs, renewAtMs: expiresAtMs - renewMsBefore };
}
