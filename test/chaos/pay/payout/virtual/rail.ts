import { randomUUID } from 'node:crypto';
import { createWriteStream, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import type {
  CardRail,
  Draft,
  RailPayment,
  RailReply,
  RailStatus,
  RailRefusal,
} from '../../../../../domain/pay/rail/port.ts';
import type { Dice } from '../../../support/dice.ts';
import type { VirtualClock } from './clock.ts';
import { type Fault, faultOf } from './rail-faults.ts';
import type { Tally } from '../tally.ts';

interface Payment {
  readonly uuid: string;
  readonly reference: string;
  readonly card: string;
  readonly amount: bigint;
  readonly commission: bigint;
  status: RailStatus;
  /** It is there from then on. */
  readonly knownMs: number;
  isMute: boolean;
  wasPaid: boolean;
  dues: { readonly atMs: number; readonly to: RailStatus }[];
}

/** 0.5 %, as the sandbox's. */
const COMMISSION_OF = 200n;
const unknown = { kind: 'unknown', why: 'timeout' } as const;
const refused = (because: RailRefusal) =>
  ({ kind: 'refused', code: because, because, retryable: because === 'too-many' }) as const;

/** A rail in memory that goes wrong by the dice of each item, and keeps a log of its own, with lines as the sandbox's Multicard has them. */
export class VirtualRail {
  readonly #byUuid = new Map<string, Payment>();
  readonly #byReference = new Map<string, Payment>();
  readonly #dicesOf = new Map<string, Dice>();
  readonly #log: WriteStream;
  #requests = 0;
  /** Until then it answers nobody, and does nothing. */
  awayUntilMs = 0;
  readonly port: CardRail;
  readonly #clock: VirtualClock;
  readonly #faults: Tally;
  readonly #diceOf: (card: string) => Dice;

  constructor(logPath: string, clock: VirtualClock, faults: Tally, diceOf: (card: string) => Dice) {
    this.#log = createWriteStream(logPath);
    this.#clock = clock;
    this.#faults = faults;
    this.#diceOf = diceOf;
    const never = () => Promise.reject(new Error('no payment asks for this'));
    this.port = {
      id: 'multicard',
      draft: async ({ reference, token, amount }) => this.#draft(reference, token.reveal(), amount),
      confirm: async (uuid) => this.#confirm(uuid),
      read: async (uuid) => this.#ask('GET', `/payment/credit/${uuid}`, this.#byUuid.get(uuid)),
      find: async (reference) =>
        this.#ask('GET', '/payment/store/6/credit-history', this.#byReference.get(reference)) as Promise<
          RailReply<RailPayment | null>
        >,
      wallet: never,
      history: never,
      beginBinding: never,
      readBinding: never,
      readWebhook: () => ({ kind: 'unreadable' }),
      readBindingCallback: () => ({ kind: 'unreadable' }),
    };
  }

  /** What people see who ask the rail themselves: null while something is still to come. */
  wasPaid(references: readonly string[]): boolean | null {
    const all = references.flatMap((reference) => this.#byReference.get(reference) ?? []);
    for (const each of all) this.#happen(each);
    return all.some(({ dues }) => dues.length > 0) ? null : all.some(({ wasPaid }) => wasPaid);
  }

  get requests(): number {
    return this.#requests;
  }

  async close(): Promise<void> {
    this.#log.end();
    await once(this.#log, 'finish');
  }

  #write(line: object): void {
    this.#log.write(`${JSON.stringify({ at: this.#clock.nowMs, ...line })}\n`);
  }

  #begin(method: string, path: string, reference?: string): void {
    this.#requests += 1;
    this.#write({
      t: 'begin',
      id: this.#requests,
      method,
      path,
      ...(reference !== undefined && { reference }),
    });
  }

  #strikes(what: 'draft' | 'confirm' | 'ask', card: string): Fault {
    if (this.#clock.nowMs < this.awayUntilMs) {
      this.#faults.add(`${what} away`);
      return { kind: 'unknown-before' };
    }
    const dice = this.#dicesOf.get(card) ?? this.#diceOf(card);
    this.#dicesOf.set(card, dice);
    const fault = faultOf(what, dice);
    if (fault.kind !== 'none')
      this.#faults.add(`${what} ${fault.kind === 'refused' ? fault.because : fault.kind}`);
    return fault;
  }

  #draft(reference: string, card: string, amount: bigint): RailReply<Draft> {
    this.#begin('POST', '/payment/credit', reference);
    const fault = this.#strikes('draft', card);
    if (fault.kind === 'refused') return refused(fault.because);
    if (fault.kind === 'unknown-before') return unknown;
    const knownMs = this.#clock.nowMs + (fault.kind === 'late' ? fault.afterMs : 0);
    const payment = this.#add(reference, card, amount, knownMs);
    if (fault.kind === 'pays-at-once') this.#pay(payment);
    if (fault.kind === 'unknown-after' || fault.kind === 'late') return unknown;
    if (fault.kind === 'pays-at-once' && !fault.isTold) return unknown;
    const { uuid, status, commission } = payment;
    const total = amount + commission + (fault.kind === 'other-amount' ? 1n : 0n);
    return { kind: 'answered', value: { uuid, status, commission, total } };
  }

  #add(reference: string, card: string, amount: bigint, knownMs: number): Payment {
    const commission = amount / COMMISSION_OF;
    const uuid = randomUUID();
    const rest = { status: 'draft' as const, isMute: false, wasPaid: false, knownMs };
    const payment: Payment = { uuid, reference, card, amount, commission, dues: [], ...rest };
    // The sandbox takes two of one reference; whoever drafted under it twice is found by the auditor.
    this.#byReference.set(reference, payment);
    this.#byUuid.set(uuid, payment);
    this.#write({ t: 'draft', ...namesOf(payment), confirmable: true });
    return payment;
  }

  #confirm(uuid: string): RailReply<RailPayment> {
    this.#begin('PUT', `/payment/credit/${uuid}`);
    const payment = this.#byUuid.get(uuid);
    if (!payment) return refused('not-found');
    this.#happen(payment);
    const fault = this.#strikes('confirm', payment.card);
    if (fault.kind === 'refused') return refused(fault.because);
    if (fault.kind === 'unknown-before') return unknown;
    if (payment.status !== 'draft') return refused('already-applied');
    if (fault.kind === 'late') {
      payment.dues = [...payment.dues, { atMs: this.#clock.nowMs + fault.afterMs, to: 'success' }];
      return unknown;
    }
    this.#settle(payment, fault);
    return fault.kind === 'unknown-after' ||
      fault.kind === 'mute' ||
      (fault.kind === 'reverts' && !fault.isTold)
      ? unknown
      : this.#answer(payment);
  }

  #settle(payment: Payment, fault: Fault): void {
    const due = (afterMs: number, to: RailStatus) => {
      payment.dues = [{ atMs: this.#clock.nowMs + afterMs, to }];
    };
    payment.isMute = fault.kind === 'mute';
    payment.dues = [];
    if (fault.kind === 'fails') payment.status = 'error';
    else if (fault.kind === 'progress' || fault.kind === 'flaps') {
      payment.status = fault.kind === 'flaps' ? 'error' : 'progress';
      due(fault.afterMs, fault.to);
    } else {
      this.#pay(payment);
      if (fault.kind === 'reverts') due(fault.afterMs, 'revert');
    }
  }

  async #ask(method: string, path: string, payment: Payment | undefined): Promise<RailReply<RailPayment>> {
    this.#begin(method, path);
    if (!payment || payment.knownMs > this.#clock.nowMs) return this.#absent(path);
    this.#happen(payment);
    const fault = this.#strikes('ask', payment.card);
    if (payment.isMute || fault.kind === 'unknown-before') return unknown;
    return fault.kind === 'refused' ? refused(fault.because) : this.#answer(payment);
  }

  #absent(path: string): RailReply<RailPayment> {
    if (this.#clock.nowMs < this.awayUntilMs) return unknown;
    // A search that finds nothing says so.
    return path.endsWith('history')
      ? { kind: 'answered', value: null as unknown as RailPayment }
      : refused('not-found');
  }

  #answer({ uuid, reference, status, amount, commission, wasPaid }: Payment): RailReply<RailPayment> {
    const paidAt = wasPaid ? this.#clock.now() : null;
    return {
      kind: 'answered',
      value: { uuid, reference, status, amount, commission, total: amount + commission, paidAt },
    };
  }

  /** What has become of it by itself until now. */
  #happen(payment: Payment): void {
    const now = this.#clock.nowMs;
    const due = payment.dues.filter(({ atMs }) => atMs <= now);
    if (due.length === 0) return;
    payment.dues = payment.dues.filter(({ atMs }) => atMs > now);
    for (const { to } of due) {
      if (to !== 'success') {
        payment.status = to;
        this.#write({ t: 'moved', uuid: payment.uuid, status: to });
      } else if (!payment.wasPaid) this.#pay(payment);
    }
  }

  /** All that is still to come, at once: the run is over. */
  settleAll(): void {
    for (const payment of this.#byUuid.values())
      for (const { to } of payment.dues.splice(0)) this.#late(payment, to);
  }

  #late(payment: Payment, to: RailStatus): void {
    if (to === 'success' && !payment.wasPaid) this.#pay(payment);
    else if (to === 'revert') this.#write({ t: 'moved', uuid: payment.uuid, status: to });
  }

  #pay(payment: Payment): void {
    payment.status = 'success';
    payment.wasPaid = true;
    this.#write({ t: 'paid', ...namesOf(payment) });
  }
}

const namesOf = ({ uuid, reference, card, amount, commission }: Payment) => ({
  uuid,
  reference,
  card,
  amount: Number(amount),
  commission: Number(commission),
  total: Number(amount + commission),
});
