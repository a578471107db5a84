import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Accepted, AcceptedList } from './accepted-list.ts';
import { chatAt, phoneAt, type TelegramRecipient, tokenAt } from './destinations.ts';

export interface LoadOptions {
  /** Of the api processes; a try that fails goes to the next one. */
  readonly urls: readonly string[];
  readonly apiKey: string;
  readonly list: AcceptedList;
  /** Each is sent one code; then only phones are left. */
  readonly people: readonly TelegramRecipient[];
  readonly callbackUrl: string;
  readonly ratePerSecond: number;
}

/** Who holds more than this open waits: a closed loop, so that a stopped server is not met by a flood afterwards. */
const IN_FLIGHT_MAX = 64;
const ANSWER_MS_MAX = 15_000;
const RETRY_MS = 150;
/** Longer than any outage of a run: what has no answer by then is in nobody's list. */
const PATIENCE_MS = 90_000;
/** One order in so many is asked twice at the same moment, at two processes. */
const TWIN_EVERY = 10;
/** One order in so many goes to a Telegram chat. */
const TELEGRAM_EVERY = 3;
/** One order in so many is a message, by turns to Telegram and to devices; one message of each kind in so many goes to many. */
const MESSAGE_EVERY = 10;
const BROADCAST_EVERY = 8;
const BROADCAST_RECIPIENTS = 20;
/** One code in so many is reported to a callback of its own. */
const CALLBACK_EVERY = 9;

const Answer = z.object({ id: z.uuid(), job_id: z.uuid().nullable() });

interface Order {
  readonly key: string;
  readonly kind: Accepted['kind'];
  readonly path: string;
  /** It carries the key, so that the check knows whose job it sees. */
  readonly body: object;
  readonly recipients: number;
}

/**
 * A service that asks for codes and messages and never gives up: a lost connection or a 5xx is asked again with the same key. What it was
 * answered stands in its own list; of everything else it knows nothing.
 */
export class Load {
  readonly #options: LoadOptions;
  readonly #inFlight = new Set<Promise<void>>();
  #asked = 0;
  #phones = 0;
  #people = 0;
  #messages = 0;
  readonly #addressed = { 'telegram-message': 0, push: 0 };
  #running: Promise<void> | undefined;
  #stopping = false;
  retried = 0;
  readonly refused: string[] = [];
  readonly unanswered: string[] = [];

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  get asked(): number {
    return this.#asked;
  }

  start(): void {
    this.#stopping = false;
    this.#running = this.#run();
  }

  /** No new orders; resolves when each has its answer, or was given up. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
    await Promise.all(this.#inFlight);
  }

  /** So many orders as fast as they are taken. */
  async burst(count: number): Promise<void> {
    const mine: Promise<void>[] = [];
    for (let sent = 0; sent < count; sent++) {
      while (this.#inFlight.size >= IN_FLIGHT_MAX) await Promise.race(this.#inFlight);
      mine.push(this.#place(this.#next()));
    }
    await Promise.all(mine);
  }

  async #run(): Promise<void> {
    const gapMs = 1_000 / this.#options.ratePerSecond;
    let dueMs = performance.now();
    while (!this.#stopping) {
      dueMs = Math.max(dueMs + gapMs, performance.now() - 1_000);
      await sleep(Math.max(0, dueMs - performance.now()));
      if (this.#inFlight.size >= IN_FLIGHT_MAX) await Promise.race(this.#inFlight);
      void this.#place(this.#next());
    }
  }

  #next(): Order {
    const index = this.#asked++;
    const key = `chaos-${index}`;
    if (index % MESSAGE_EVERY === MESSAGE_EVERY - 1) return this.#message(key);
    const person = index % TELEGRAM_EVERY === 0 ? this.#options.people[this.#people] : undefined;
    if (person) this.#people++;
    const [to, channel] = person ? [person.id, 'telegram'] : [phoneAt(this.#phones++), 'sms'];
    const callback = index % CALLBACK_EVERY === 0 ? { callback_url: this.#options.callbackUrl } : {};
    const body = { to, channels: [channel], metadata: { key }, ...callback };
    return { key, kind: 'otp-send', path: '/otp/send', body, recipients: 1 };
  }

  /** Each recipient gets one message in the whole run: what arrives twice was sent twice. */
  #message(key: string): Order {
    const turn = this.#messages++;
    const kind = turn % 2 === 0 ? 'telegram-message' : 'push';
    const recipients = Math.floor(turn / 2) % BROADCAST_EVERY === 0 ? BROADCAST_RECIPIENTS : 1;
    const first = this.#addressed[kind];
    this.#addressed[kind] += recipients;
    const many = Array.from({ length: recipients }, (_, index) =>
      kind === 'push' ? { token: tokenAt(first + index) } : { chat_id: chatAt(first + index) },
    );
    const to = recipients === 1 ? many[0] : many;
    return kind === 'push'
      ? { key, kind, path: '/push/send', body: { to, data: { key } }, recipients }
      : { key, kind, path: '/telegram/send', body: { to, text: key }, recipients };
  }

  #place(order: Order): Promise<void> {
    const number = this.#asked;
    const asks = [this.#ask(order, number)];
    if (number % TWIN_EVERY === 0) asks.push(this.#ask(order, number + 1));
    const done = Promise.all(asks).then(() => undefined);
    this.#inFlight.add(done);
    void done.finally(() => this.#inFlight.delete(done));
    return done;
  }

  async #ask(order: Order, firstUrl: number): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    for (let tries = 0; performance.now() < deadline; tries++) {
      if (tries > 0) {
        this.retried++;
        await sleep(RETRY_MS);
      }
      if (await this.#tryOnce(order, firstUrl + tries)) return;
    }
    this.unanswered.push(order.key);
  }

  /** True when nothing is left to ask. */
  async #tryOnce({ key, kind, path, body, recipients }: Order, url: number): Promise<boolean> {
    const { urls, apiKey, list } = this.#options;
    try {
      const response = await fetch(`${urls[url % urls.length]}${path}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${apiKey}`,
          'content-type': 'application/json',
          'idempotency-key': key,
        },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      });
      const text = await response.text();
      if (response.status === 202) {
        const { id, job_id: jobId } = Answer.parse(JSON.parse(text));
        const replayed = response.headers.get('idempotent-replayed') === 'true';
        await list.add({ key, id, jobId, kind, recipients, atMs: Date.now(), replayed });
        return true;
      }
      // 409: another try of the same key is under way. 5xx: nothing is known.
      if (response.status === 409 || response.status >= 500) return false;
      this.refused.push(`${key}: ${response.status} ${text.slice(0, 200)}`);
      return true;
    } catch {
      return false;
    }
  }
}
