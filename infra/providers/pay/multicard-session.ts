import type { Agent } from 'undici';
import { z } from 'zod';
import type { MayBegin } from '../../../domain/pay/rail/port.ts';
import { parseJson } from '../../../domain/shared/json.ts';
import { type HttpAnswer, post, urlAt } from '../http.ts';
import { MULTICARD, type Refused, refused } from './multicard-replies.ts';
import { fromRailTime } from './multicard-time.ts';
import { replyWithoutAnswer, unexpected } from '../replies.ts';

const API_URL = 'https://mesh.multicard.uz';
/** 5 s: half of what a call may take, which then still has time for itself. */
const LOGIN_MS_MAX = 5_000;
const UNAUTHORISED = 401;
/** 60 s before its end: no call that begins with it ends after it. */
const RENEW_MS_BEFORE = 60_000;
/** A day, as their pages say; a token whose end can't be read is met by a 401 at the latest. */
const LIFE_MS_MAX = 86_400_000;
/** 60 s: nobody corrects a secret sooner, and accounts are locked by many wrong ones. */
const REFUSED_PAUSE_MS = 60_000;
/** 2 s: a server that fails is not asked for each payment that waits. */
const FAILED_PAUSE_MS = 2_000;

export interface MulticardAccount {
  readonly applicationId: string;
  readonly secret: string;
  readonly storeId: string;
  /** The sandbox, or their own for tests, in place of mesh.multicard.uz. */
  readonly apiUrl?: string | undefined;
}

const tooLate = (): Refused => refused('too late to begin', 'signed-out');

interface Token {
  readonly text: string;
  readonly renewAtMs: number;
}
/** A token, or why there is none: what was asked did not leave. */
type Access = { readonly ok: true; readonly token: Token } | { readonly ok: false; readonly reply: Refused };

/** The sign-in at Multicard: one token for all calls, kept in memory alone, renewed once for all who wait for it. */
export class MulticardSession {
  readonly #account: MulticardAccount;
  readonly #agent: Agent;
  readonly #clock: () => Date;
  #token: Token | null = null;
  #renewal: Promise<Access> | null = null;
  #pause: { readonly reply: Refused; readonly untilMs: number } | null = null;

  constructor(account: MulticardAccount, agent: Agent, clock: () => Date) {
    this.#account = account;
    this.#agent = agent;
    this.#clock = clock;
  }

  url(path: string): string {
    return urlAt(this.#account.apiUrl ?? API_URL, path);
  }

  /**
   * At most twice: a 401 says that the first was not looked at.
   *
   * @param call gets the header `authorization`. @param mayBegin is asked right before each.
   */
  async withToken(
    signal: AbortSignal,
    call: (authorization: string) => Promise<HttpAnswer>,
    mayBegin: MayBegin,
  ): Promise<HttpAnswer | Refused> {
    const access = await inTime(this.#access(), signal);
    if (!access.ok) return access.reply;
    if (!mayBegin()) return tooLate();
    const answer = await call(`Bearer ${access.token.text}`);
    if (answer.status !== UNAUTHORISED) return answer;
    const fresh = await inTime(this.#renewed(access.token), signal);
    if (!fresh.ok) return fresh.reply;
    if (!mayBegin()) return tooLate();
    const second = await call(`Bearer ${fresh.token.text}`);
    return second.status === UNAUTHORISED ? this.#refuse(fresh.token) : second;
  }

  #access(): Promise<Access> {
    const token = this.#token;
    if (token && this.#clock().getTime() < token.renewAtMs) return Promise.resolve({ ok: true, token });
    return this.#renew();
  }

  /** After a 401: a token that is not `used`. */
  #renewed(used: Token): Promise<Access> {
    if (this.#token && this.#token !== used) return Promise.resolve({ ok: true, token: this.#token });
    this.#token = null;
    return this.#renew();
  }

  /** A fresh token was refused too: the account is, and is left alone for a while. */
  #refuse(used: Token): Refused {
    if (this.#token === used) this.#token = null;
    const reply = refused('HTTP 401', 'denied');
    this.#keep({ ok: false, reply });
    return reply;
  }

  #renew(): Promise<Access> {
    if (this.#pause && this.#clock().getTime() < this.#pause.untilMs)
      return Promise.resolve({ ok: false, reply: this.#pause.reply });
    this.#renewal ??= this.#logIn()
      .then((access) => this.#keep(access))
      .finally(() => (this.#renewal = null));
    return this.#renewal;
  }

  #keep(access: Access): Access {
    const pauseMs = !access.ok && access.reply.because === 'denied' ? REFUSED_PAUSE_MS : FAILED_PAUSE_MS;
    this.#pause = access.ok ? null : { reply: access.reply, untilMs: this.#clock().getTime() + pauseMs };
    if (access.ok) this.#token = access.token;
    return access;
  }

  async #logIn(): Promise<Access> {
    const { applicationId, secret } = this.#account;
    const signal = AbortSignal.timeout(LOGIN_MS_MAX);
    const body = JSON.stringify({ application_id: applicationId, secret });
    const headers = { 'content-type': 'application/json' };
    try {
      return this.#accessIn(await post(this.#agent, { url: this.url('/auth'), headers, body }, signal));
    } catch (error) {
      if (!replyWithoutAnswer(error, signal)) throw unexpected(MULTICARD, error);
      return { ok: false, reply: refused('no answer to the login', 'signed-out') };
    }
  }

  #accessIn({ status, text }: HttpAnswer): Access {
    const granted = status < 300 ? Granted.safeParse(parseJson(text)).data : undefined;
    if (granted) {
      const nowMs = this.#clock().getTime();
      const endMs = fromRailTime(granted.expiry ?? '')?.getTime() ?? nowMs + LIFE_MS_MAX;
      return { ok: true, token: { text: granted.token, renewAtMs: endMs - RENEW_MS_BEFORE } };
    }
    const isWrong = status >= 400 && status < 500 && status !== 408 && status !== 429;
    return { ok: false, reply: refused(`HTTP ${status} to the login`, isWrong ? 'denied' : 'signed-out') };
  }
}

/** Sent back in a header: no other characters may be in it. */
const Granted = z.object({
  token: z.string().regex(/^[\w.~+/=-]{1,4096}$/),
  expiry: z.string().optional().catch(undefined),
});

/** While a login is waited for nothing has left. */
function inTime(access: Promise<Access>, signal: AbortSignal): Promise<Access> {
  const { promise: over, resolve } = Promise.withResolvers<Access>();
  const stop = () => resolve({ ok: false, reply: refused('no time left for the login', 'signed-out') });
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  return Promise.race([access, over]).finally(() => signal.removeEventListener('abort', stop));
}
