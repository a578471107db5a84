import { z } from 'zod';
import { type Api, ask, type Reply } from './ask.ts';

/** What a phone says: totals since its session began, under a number. */
export interface PhoneReport {
  readonly seq: number;
  readonly measured_at: string;
  readonly bytes_up: number;
  readonly bytes_down: number;
}

/** What a phone did, and was told, by its own clock: an auditor's source. */
export interface PhoneLine {
  readonly did: 'start' | 'report' | 'stop';
  readonly phone: string;
  readonly session: string;
  /** Before it asked the first time, and when it had its answer. */
  readonly asked: string;
  readonly at: string;
  readonly status: number;
  readonly reports?: readonly PhoneReport[];
}

export interface PhoneOptions {
  readonly api: Api;
  /** Of this installation of the app; a UUID. */
  readonly installation: string;
  readonly now: () => Date;
  readonly log?: (line: PhoneLine) => void;
}

/** Of one request. */
const REPORTS_MAX = 1_000;

const Started = z.object({ session_id: z.uuid() });

/**
 * A phone that shares its traffic: an HTTP client of `/api/traffic/*`. It counts, sleeps while nobody lets it send, catches up, splits,
 * repeats, roams (`api.from`) and is killed. It is honest; who wants it to lie says so with `say`.
 */
export class SharingPhone {
  readonly #options: PhoneOptions;
  #session: string | null = null;
  #seq = 0;
  #up = 0;
  #down = 0;
  #unsent: PhoneReport[] = [];
  #last: readonly PhoneReport[] = [];

  constructor(options: PhoneOptions) {
    this.#options = options;
  }

  get installation(): string {
    return this.#options.installation;
  }

  /** @throws before it has started. */
  get session(): string {
    if (this.#session === null) throw new Error('the phone has no session: start it first');
    return this.#session;
  }

  /** What it counted since the session began, in bytes. */
  get up(): number {
    return this.#up;
  }
  get down(): number {
    return this.#down;
  }
  get bytes(): number {
    return this.#up + this.#down;
  }

  /** Begins a session, or goes on with the one that is open. */
  async start(): Promise<Reply> {
    const asked = this.#time();
    const reply = await this.#ask('/api/traffic/start', { installation_id: this.#options.installation });
    const started = Started.safeParse(reply.body);
    if ((reply.status === 201 || reply.status === 409) && started.success) {
      this.#session = started.data.session_id;
      this.#note('start', asked, reply.status);
    }
    return reply;
  }

  /** So much went through it; it is noted as a report, and sent with the next ones. */
  count(up: number, down: number, at: Date = this.#options.now()): PhoneReport {
    this.#up += up;
    this.#down += down;
    const report = {
      seq: this.#seq++,
      measured_at: at.toISOString(),
      bytes_up: this.#up,
      bytes_down: this.#down,
    };
    this.#unsent.push(report);
    return report;
  }

  /** Sends what was not taken yet, at most so many reports in a request. Answers the last reply; null where there was nothing. */
  async send(size: number = REPORTS_MAX): Promise<Reply | null> {
    let reply: Reply | null = null;
    while (this.#unsent.length > 0) {
      this.#last = this.#unsent.slice(0, size);
      reply = await this.say(this.#last);
      if (reply.status !== 202) break;
      this.#unsent = this.#unsent.slice(this.#last.length);
    }
    return reply;
  }

  /** The same request once more, as after an answer that was lost. */
  repeat(): Promise<Reply> {
    return this.say(this.#last);
  }

  /** Says this, whatever it counted, of its own session or of another. */
  async say(reports: readonly PhoneReport[], session: string = this.session): Promise<Reply> {
    const asked = this.#time();
    const reply = await this.#ask('/api/traffic/report', { session_id: session, reports });
    this.#note('report', asked, reply.status, { session, reports });
    return reply;
  }

  /** The number of the next report, for what is said besides; it is then used. */
  nextSeq(): number {
    return this.#seq++;
  }

  async stop(): Promise<Reply> {
    const asked = this.#time();
    const reply = await this.#ask(`/api/traffic/stop?session_id=${this.session}`, null);
    this.#note('stop', asked, reply.status);
    return reply;
  }

  /** The app dies: what it had noted and not sent is gone, and it counts on from what it had sent. */
  async kill(): Promise<void> {
    const kept = this.#last.at(-1);
    this.#up = kept?.bytes_up ?? 0;
    this.#down = kept?.bytes_down ?? 0;
    this.#unsent = [];
    await this.start();
  }

  #ask(path: string, body: object | null): Promise<Reply> {
    return ask(this.#options.api, path, body);
  }

  #time(): string {
    return this.#options.now().toISOString();
  }

  #note(
    did: PhoneLine['did'],
    asked: string,
    status: number,
    more: Partial<Pick<PhoneLine, 'session' | 'reports'>> = {},
  ): void {
    const { installation: phone, log } = this.#options;
    log?.({ did, phone, session: this.session, asked, at: this.#time(), status, ...more });
  }
}
