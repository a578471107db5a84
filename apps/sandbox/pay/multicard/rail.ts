import { type Card, simulatedCard } from './cards.ts';
import { Faults } from './faults.ts';
import type { LineOf, LogLine, PaymentStatus } from './lines.ts';
import type { LogFile } from './log-file.ts';
import { Settings } from './settings.ts';

export interface Payment {
  readonly id: number;
  readonly uuid: string;
  readonly reference: string;
  /** The card's token. */
  readonly card: string;
  readonly amount: number;
  readonly commission: number;
  readonly total: number;
  readonly addedAt: number;
  status: PaymentStatus;
  paidAt: number | null;
}

export interface Binding extends Omit<LineOf<'bind'>, 't'> {
  card: Card | null;
  declined: boolean;
}

type Due = Omit<LineOf<'due'>, 't'>;

/** Everything that this rail is: what the lines of its log make, in their order, whether they are read or have just happened. */
export class Rail {
  readonly #payments = new Map<string, Payment>();
  readonly #byAge: Payment[] = [];
  readonly #cards = new Map<string, Card>();
  readonly #bindings = new Map<string, Binding>();
  readonly #people = new Map<string, LineOf<'person'>>();
  readonly #dues = new Map<string, Due>();
  readonly faults = new Faults();
  settings = Settings.parse({});
  /** Tiyin. */
  wallet: number;
  tokensExpiredAt = 0;
  /** People who still answer by themselves. */
  peopleLeft = 0;
  #requests = 0;
  #log: LogFile | null = null;

  /** @param walletTiyin what is in the wallet of a rail without a log. */
  constructor(walletTiyin: number) {
    this.wallet = walletTiyin;
  }

  /** From here on lines are written. */
  writeTo(log: LogFile): void {
    this.#log = log;
  }

  /** It happens, and is on its way to the disk. Nothing of it may be told before `flushed`. */
  commit(line: LogLine): void {
    this.replay(line);
    this.#log?.append(line);
  }

  /** Resolves when all that has happened is on the disk. */
  async flushed(): Promise<void> {
    await this.#log?.flushed();
  }

  replay(line: LogLine): void {
    const happen = this.#happenings[line.t] as (line: LogLine) => void;
    happen(line);
  }

  nextRequest(): number {
    return this.#requests + 1;
  }

  payment(uuid: string): Payment | undefined {
    return this.#payments.get(uuid);
  }

  /** Oldest first. */
  get payments(): readonly Payment[] {
    return this.#byAge;
  }

  card(token: string): Card | undefined {
    return this.#cards.get(token) ?? simulatedCard(token);
  }

  binding(session: string): Binding | undefined {
    return this.#bindings.get(session);
  }

  get bindings(): readonly Binding[] {
    return [...this.#bindings.values()];
  }

  person(phone: string): LineOf<'person'> | undefined {
    return this.#people.get(phone);
  }

  get dues(): readonly Due[] {
    return [...this.#dues.values()];
  }

  readonly #happenings: { readonly [T in LogLine['t']]: (line: LineOf<T>) => void } = {
    start: () => undefined,
    begin: ({ id }) => (this.#requests = Math.max(this.#requests, id)),
    end: ({ fault }) => fault !== undefined && this.#log === null && this.faults.replayHit(fault),
    draft: (line) => this.#add(line),
    paid: (line) => this.#pay(line),
    moved: (line) => this.#move(line),
    due: (due) => this.#dues.set(due.uuid, due),
    wallet: ({ balance }) => (this.wallet = balance),
    settings: ({ settings }) => {
      this.settings = settings;
      this.faults.seed(settings.seed);
      this.peopleLeft = settings.people === true ? Infinity : Number(settings.people);
    },
    faults: ({ orders }) => this.faults.order(orders),
    'tokens-expired': ({ at }) => (this.tokensExpiredAt = at),
    bind: (line) => this.#bindings.set(line.session, { ...line, card: null, declined: false }),
    card: (line) => this.#bind(line),
    declined: ({ session }) => {
      const binding = this.#bindings.get(session);
      if (binding) binding.declined = true;
    },
    person: (line) => this.#people.set(line.phone, line),
    webhook: () => undefined,
  };

  #add({ uuid, reference, card, amount, commission, total, addedAt }: LineOf<'draft'>): void {
    const made = { uuid, reference, card, amount, commission, total, addedAt };
    const payment: Payment = { id: this.#byAge.length + 1, ...made, status: 'draft', paidAt: null };
    this.#payments.set(uuid, payment);
    this.#byAge.push(payment);
  }

  #pay({ uuid, total, paidAt }: LineOf<'paid'>): void {
    const payment = this.#payments.get(uuid);
    if (!payment) return;
    payment.status = 'success';
    payment.paidAt = paidAt;
    this.wallet -= total;
    this.#dues.delete(uuid);
  }

  #move({ uuid, status }: LineOf<'moved'>): void {
    const payment = this.#payments.get(uuid);
    if (!payment) return;
    payment.status = status;
    if (status === 'revert') this.wallet += payment.total;
    if (status !== 'progress') this.#dues.delete(uuid);
  }

  #bind({ session, token, pan, system, phone, pinfl, holderName }: LineOf<'card'>): void {
    const card: Card = { token, pan, system, phone, pinfl, holderName };
    this.#cards.set(token, card);
    const binding = this.#bindings.get(session);
    if (binding) binding.card = card;
  }
}
