import { randomUUID } from 'node:crypto';
import { type Api, ask, type Reply } from './ask.ts';

/** What it carried of a session since its report before. */
interface Carried {
  readonly session_id: string;
  readonly seq: number;
  readonly measured_at: string;
  readonly bytes_up: number;
  readonly bytes_down: number;
}

/** How a gateway may be wrong, or lie. `late`: it keeps all to itself until it is told to tell (`tellLate`). */
export const gatewayLies = [
  'too-little',
  'too-much',
  'late',
  'twice',
  'conflicting',
  'other-sessions',
  'never',
] as const;
export type GatewayLie = (typeof gatewayLies)[number];

/** What it said, and was told: an auditor's source. */
export interface GatewayLine {
  readonly did: 'carried';
  readonly gateway: string;
  readonly asked: string;
  readonly at: string;
  readonly status: number;
  readonly reports: readonly Carried[];
}

export interface GatewayOptions {
  readonly name: string;
  readonly api: Api;
  readonly now: () => Date;
  readonly log?: (line: GatewayLine) => void;
  /** Null: it tells the truth. */
  readonly lie?: GatewayLie | null;
}

/** Of one request. */
const REPORTS_MAX = 1_000;

/** A gateway that carries the traffic of phones, and tells Navbat how much it was: `POST /api/gateway/reports`, with a key of its own. */
export class TrafficGateway {
  readonly #options: GatewayOptions;
  readonly #seqs = new Map<string, number>();
  #pending: Carried[] = [];
  #telling: Promise<unknown> = Promise.resolve();
  lie: GatewayLie | null;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.lie = options.lie ?? null;
  }

  /** So much of a session went through it. */
  carry(session: string, up: number, down: number, at: Date = this.#options.now()): void {
    const seq = this.#seqs.get(session) ?? 0;
    this.#seqs.set(session, seq + 1);
    this.#pending.push({
      session_id: session,
      seq,
      measured_at: at.toISOString(),
      ...this.#counted(up, down),
    });
  }

  #counted(up: number, down: number) {
    const times = this.lie === 'too-little' ? 0.5 : this.lie === 'too-much' ? 2 : 1;
    return { bytes_up: Math.floor(up * times), bytes_down: Math.floor(down * times) };
  }

  /** Tells what it has not told yet, as it lies. Answers the last reply; null where nothing was told. */
  async tell(): Promise<Reply | null> {
    if (this.lie === 'never') this.#pending = [];
    return this.lie === 'late' ? null : this.tellLate();
  }

  /** What it kept to itself too. One call after the other: each number is said once. */
  tellLate(): Promise<Reply | null> {
    const told = this.#telling.catch(() => undefined).then(() => this.#tellAll());
    this.#telling = told;
    return told;
  }

  async #tellAll(): Promise<Reply | null> {
    let reply: Reply | null = null;
    while (this.#pending.length > 0) {
      const said = this.#pending.slice(0, REPORTS_MAX);
      reply = await this.say(said);
      if (reply.status !== 202) return reply;
      this.#pending = this.#pending.slice(said.length);
      for (const more of this.#besides(said)) reply = await this.say(more);
    }
    return reply;
  }

  /** What a gateway that lies says after the truth. */
  #besides(said: readonly Carried[]): readonly (readonly Carried[])[] {
    if (this.lie === 'twice') return [said];
    if (this.lie === 'conflicting') return [said.map((one) => ({ ...one, bytes_down: one.bytes_down * 3 }))];
    if (this.lie === 'other-sessions') return [said.map((one) => ({ ...one, session_id: randomUUID() }))];
    return [];
  }

  async say(reports: readonly Carried[]): Promise<Reply> {
    const { api, name: gateway, now, log } = this.#options;
    const asked = now().toISOString();
    const reply = await ask(api, '/api/gateway/reports', { reports });
    log?.({ did: 'carried', gateway, asked, at: now().toISOString(), status: reply.status, reports });
    return reply;
  }
}
