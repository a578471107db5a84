import type { Logger } from 'pino';
import { Agent } from 'undici';
import type { Timers } from './timers.ts';

/** 64 connections to one receiver: enough for thousands of callbacks a second on loopback. */
const CONNECTIONS_MAX = 64;
/** 15 s, as Twilio waits. */
const ANSWER_MS_MAX = 15_000;
/** 30 s: no pause between two tries is longer. */
const PAUSE_MS_MAX = 30_000;

export interface Callback {
  url: string;
  /** Made anew for each try, because signatures carry the time of the try. */
  compose(): { headers: Record<string, string>; body: string };
  accepts(status: number): boolean;
  triesMax: number;
  /** The first pause; each further one is twice as long. */
  pauseMs: number;
  /** Told after every try: the status, or undefined when nobody answered. */
  onTry?(status: number | undefined): void;
  /** True once nobody wants the callback any more: no further try. */
  abandoned?(): boolean;
}

/** Posts providers' callbacks and repeats them. */
export class Caller {
  readonly #timers: Timers;
  readonly #log: Logger;
  readonly #agent = new Agent({
    connections: CONNECTIONS_MAX,
    headersTimeout: ANSWER_MS_MAX,
    bodyTimeout: ANSWER_MS_MAX,
    connectTimeout: ANSWER_MS_MAX,
  });
  #closed = false;

  constructor(timers: Timers, log: Logger) {
    this.#timers = timers;
    this.#log = log;
  }

  /** True when the receiver took the callback within its tries. Never throws. */
  async deliver(callback: Callback): Promise<boolean> {
    for (let tries = 1; !this.#closed; tries += 1) {
      const status = await this.#post(callback);
      callback.onTry?.(status);
      if (status !== undefined && callback.accepts(status)) return true;
      if (callback.abandoned?.()) return false;
      if (tries >= callback.triesMax) break;
      await this.#timers.sleep(Math.min(callback.pauseMs * 2 ** (tries - 1), PAUSE_MS_MAX));
    }
    // Only the origin: the path of a callback may carry a secret.
    this.#log.warn({ origin: new URL(callback.url).origin, tries: callback.triesMax }, 'callback given up');
    return false;
  }

  close(): void {
    this.#closed = true;
    void this.#agent.destroy();
  }

  async #post(callback: Callback): Promise<number | undefined> {
    const { origin, pathname, search } = new URL(callback.url);
    try {
      const { statusCode, body } = await this.#agent.request({
        origin,
        path: pathname + search,
        method: 'POST',
        ...callback.compose(),
      });
      await body.dump();
      return statusCode;
    } catch {
      // Nobody there, too slow, or cut off: to the one who posts it is all the same.
      return undefined;
    }
  }
}

/** True for an address that a callback can be posted to. */
export function isCallbackUrl(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}
