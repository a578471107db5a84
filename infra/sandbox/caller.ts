import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Logger } from 'pino';
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
  readonly #http = new HttpAgent({ keepAlive: true, maxSockets: CONNECTIONS_MAX });
  readonly #https = new HttpsAgent({ keepAlive: true, maxSockets: CONNECTIONS_MAX });
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
    this.#http.destroy();
    this.#https.destroy();
  }

  #post(callback: Callback): Promise<number | undefined> {
    const { headers, body } = callback.compose();
    const url = new URL(callback.url);
    const secure = url.protocol === 'https:';
    const options = {
      method: 'POST',
      agent: secure ? this.#https : this.#http,
      timeout: ANSWER_MS_MAX,
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    };
    return new Promise((resolve) => {
      const request = (secure ? httpsRequest : httpRequest)(url, options, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode));
        response.on('error', () => resolve(undefined));
      });
      request.on('timeout', () => request.destroy());
      request.on('error', () => resolve(undefined));
      request.end(body);
    });
  }
}

/** True for an address that a callback can be posted to. */
export function isCallbackUrl(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}
