import type { Phone } from '../../shared/phone.ts';

/** What a token says of itself. */
const HIDDEN = '[rail token]';

/**
 * A rail's token of somebody's card: who has it can send money there, and holds a piece of a payment card. It shows itself nowhere, neither
 * in a log line nor in JSON, in an error or a debugger; only a rail's client and what encrypts it ask for its text.
 */
export class RailToken {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** For the body of a rail's request and for encryption. Nothing else has a use for it. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return HIDDEN;
  }
}

/** Rails that pay cards one by one. */
export type CardRailId = 'multicard';

/** Why a rail did not do what was asked. Nothing was paid by the call that is refused. */
export type RailRefusal =
  /** The card is not known, closed, or takes no money. */
  | 'card'
  /** A field is missing or wrong. */
  | 'fields'
  /** The amount is above what the card, the rail or the law lets through. */
  | 'limit'
  /** There is too little in our wallet. */
  | 'wallet-empty'
  /** The rail is at work on it, or not yet ready for it. */
  | 'not-ready'
  /** We ask too often. */
  | 'too-many'
  /** Each payment needs a one-time password, which nobody here can type. */
  | 'otp-required'
  /** Our account, its secret or its store. Somebody has to change something. */
  | 'denied'
  /** Nobody could sign in to the rail, or not before it was too late to begin: what was asked did not leave. */
  | 'signed-out'
  /** The rail knows no such payment. Says nothing about others of the same reference. */
  | 'not-found'
  /** The payment is not a draft any more: read it to learn what it is. */
  | 'already-applied';

/** Why nobody can say whether it happened. */
export type RailUnknown =
  | 'timeout'
  /** The connection broke, before or after the rail had everything. */
  | 'reset'
  /** Nobody took the connection. Nothing left, and yet one reads the same as the others: ask. */
  | 'unreachable'
  | 'unreadable'
  | '5xx'
  /** The rail itself says that it does not know: `ERROR_UNKNOWN`, `ERROR_DEBIT_UNKNOWN`, `ERROR_CALLBACK_TIMEOUT`. */
  | 'rail-unknown';

/**
 * What came of one call.
 *
 * - `answered`: read, and whole.
 * - `refused`: of a draft, nothing was made; of a confirmation, this call paid nothing, and yet another may have: read it.
 *   `retryable`: the same payment may pass later (wallet, pace, sign-in), and is not at fault.
 * - `unknown`: it may have happened. Never repeat it blindly: ask.
 */
export type RailReply<T> =
  | { readonly kind: 'answered'; readonly value: T }
  | {
      readonly kind: 'refused';
      /** The rail's own word, or `HTTP 429`. Never its sentence, which may hold a card. */
      readonly code: string;
      readonly because: RailRefusal;
      readonly retryable: boolean;
      /** The rail asks to wait so long. */
      readonly retryAfterMs?: number;
    }
  | { readonly kind: 'unknown'; readonly why: RailUnknown };

/**
 * `draft`: made, not confirmed, pays nothing. `progress`, `billing`: on its way. `success`: paid. `error`: not paid, as far as the rail knows.
 * `revert`: was paid, came back.
 */
export type RailStatus = 'draft' | 'progress' | 'billing' | 'success' | 'error' | 'revert';

/** A payment as the rail tells of it. All amounts in tiyin. */
export interface RailPayment {
  /** The rail's own id. */
  readonly uuid: string;
  /** Ours, which we gave the draft. Null where the rail shows none: it is nobody's then. */
  readonly reference: string | null;
  readonly status: RailStatus;
  /** What the card gets. */
  readonly amount: bigint;
  /** What the rail takes for it. */
  readonly commission: bigint;
  /** What leaves our wallet. */
  readonly total: bigint;
  /** When it was paid; null before that. */
  readonly paidAt: Date | null;
}

/** What a draft was answered. `status` is `draft`, or the rail has paid in this very call. */
export type Draft = Pick<RailPayment, 'uuid' | 'status' | 'commission' | 'total'>;

export interface DraftOrder {
  /** Ours of this one attempt, at most 255 characters; no other payment ever has it. */
  readonly reference: string;
  readonly token: RailToken;
  /** Tiyin. */
  readonly amount: bigint;
}

export interface Wallet {
  /** Tiyin. */
  readonly balance: bigint;
  /** True: the rail wants a one-time password for each payment, and unattended batches can't run. */
  readonly otpRequired: boolean;
}

/** Half open. */
export interface RailPeriod {
  readonly from: Date;
  readonly to: Date;
}

export interface RailPage {
  readonly payments: readonly RailPayment[];
  /** For the next page; null: this was the last. */
  readonly cursor: string | null;
}

/** What the rail's own form is asked for. */
export interface BindingOrder {
  /** Ours; it stands in the address of the rail's callback. */
  readonly bindingId: string;
  /** The rail refuses a card of another phone. */
  readonly phone: Phone;
  /** Where the person's browser goes when they are done, or give up. */
  readonly returnTo: string;
}

export interface BindingForm {
  /** The rail's id of the binding, which `readBinding` takes. Keep it. */
  readonly session: string;
  /** Where the person types their card; good for 15 minutes. */
  readonly formUrl: string;
}

/** A card that its holder has typed at the rail. Its number was never here. */
export interface BoundCard {
  readonly token: RailToken;
  readonly last4: string;
  /** Uzcard, Humo: as the rail says it. */
  readonly system: string;
  /** Of the holder, as far as the rail tells. */
  readonly phone: Phone | null;
  readonly pinfl: string | null;
  readonly holderName: string | null;
}

/**
 * What a message from the rail is good for. Only its address or its signature proves it, never its content: a status and a card are read
 * from the rail itself (`read`, `readBinding`).
 */
export type RailNotice<Look> =
  | ({ readonly kind: 'look' } & Look)
  | { readonly kind: 'forged' }
  | { readonly kind: 'unreadable' };

/** Which payment the rail says to look at. */
export interface PaymentNotice {
  readonly uuid: string;
  readonly reference: string;
}

/**
 * The last look, right before a request leaves: a sign-in may have been waited for since the call was allowed, and a rail been stopped. False:
 * it does not leave, and the call is refused as `signed-out`.
 */
export type MayBegin = () => boolean;

/**
 * A rail that pays cards: a payment is made as a draft, its uuid committed, and then confirmed. It knows no idempotency key.
 */
export interface CardRail {
  readonly id: CardRailId;
  /** Makes a payment that pays nothing until it is confirmed. */
  draft(order: DraftOrder, signal: AbortSignal, mayBegin?: MayBegin): Promise<RailReply<Draft>>;
  /** Pays the draft. */
  confirm(uuid: string, signal: AbortSignal, mayBegin?: MayBegin): Promise<RailReply<RailPayment>>;
  read(uuid: string, signal: AbortSignal): Promise<RailReply<RailPayment>>;
  /**
   * The payment of exactly this reference (`…-2` is neither `…-1` nor `…-20`), over all pages of the rail's history from a little before
   * `since`, or null. Should there be several, the one that went furthest: `success` before `revert`, `billing`, `progress`, `draft`, `error`.
   *
   * @param since when the draft was sent, by our clock.
   */
  find(reference: string, since: Date, signal: AbortSignal): Promise<RailReply<RailPayment | null>>;
  wallet(signal: AbortSignal): Promise<RailReply<Wallet>>;
  /** A page of all payments of the period, whatever their status. @param cursor null: the first page. */
  history(period: RailPeriod, cursor: string | null, signal: AbortSignal): Promise<RailReply<RailPage>>;
  /** Asks for the rail's own form, on which a person types their card. */
  beginBinding(order: BindingOrder, signal: AbortSignal): Promise<RailReply<BindingForm>>;
  /** The card of a binding; null while the person has not finished. */
  readBinding(session: string, signal: AbortSignal): Promise<RailReply<BoundCard | null>>;
  /** Whose status changed, by a signature over `uuid`, reference and amount. The status in it is not signed, and not read. */
  readWebhook(body: Uint8Array): RailNotice<PaymentNotice>;
  /** @param bindingId and @param token of the address that was called. */
  readBindingCallback(bindingId: string, token: string): RailNotice<{ readonly bindingId: string }>;
}
