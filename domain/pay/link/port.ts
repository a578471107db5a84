import type { Phone } from '../../shared/phone.ts';
import type { PayoutId } from '../ids.ts';
import type { BoundCard } from '../rail/port.ts';
import type { MoneyRefusal } from '../refusals.ts';

/** What a payee sees who opens their link. */
export interface LinkView {
  readonly payoutId: string;
  /** `live`: a card may be bound. `replaced`: a newer link was sent. */
  readonly state: 'live' | 'replaced' | 'expired' | 'cancelled' | 'bound' | 'paid' | 'failed';
  /** In tiyin. */
  readonly amount: bigint;
  /** Who pays, by the name that the project shows. */
  readonly payer: string;
  readonly purpose: string | null;
  readonly phone: Phone;
  /** Of the card that was bound. */
  readonly last4: string | null;
  readonly expiresAt: Date;
  /** The form that was opened last, while nobody knows how it ended. */
  readonly bindingId: string | null;
}

/** A form of the rail that somebody opened by a link. */
export interface OpenBinding {
  /** The rail's id of it. */
  readonly session: string;
  readonly phone: Phone;
  /** As the list says it; null where nobody said. */
  readonly payeeName: string | null;
  readonly isEnded: boolean;
}

export interface PayoutLinks {
  /** Null for a token that was never given. */
  find(token: string, now: Date): Promise<LinkView | null>;
  /** Counts a form, before the rail is asked to open it. */
  begin(token: string, bindingId: string): Promise<'begun' | 'gone' | 'too-many'>;
  /** The rail has opened the form. `gone`: the link has ended since it was counted. */
  opened(bindingId: string, session: string): Promise<'opened' | 'gone'>;
  binding(bindingId: string): Promise<OpenBinding | null>;
  /** The destination, the payout and the end of the link, in one commit. `nameScore`: 0 to 100; null where no name is known. */
  bind(
    bindingId: string,
    card: BoundCard,
    of: { readonly phone: Phone; readonly nameScore: number | null },
  ): Promise<{ readonly ok: true } | { readonly ok: false; readonly refusal: MoneyRefusal }>;
}

/** A payee who is to be sent a link. */
export interface DueLink {
  readonly payoutId: string;
  readonly phone: Phone;
}

export interface LinkOutbox {
  due(limit: number, now: Date): Promise<readonly DueLink[]>;
  /** The link with its job, in one commit. False where none is due: somebody else was first, or the payout ended. */
  make(due: DueLink, token: string): Promise<boolean>;
}

/** What became of a link that finance asked for once more. */
export type SentAgain =
  | 'made'
  | 'unknown'
  /** The payout waits for no card. */
  | 'not-waiting'
  /** The one before has not left yet. */
  | 'on-its-way'
  /** Less than an hour ago somebody asked for it. */
  | 'too-soon'
  /** Three times is enough. */
  | 'too-many';

/** For finance: the link once more, to the phone that the payout has. */
export type SendLinkAgain = (
  payoutId: PayoutId,
  staffId: string,
  token: string,
) => Promise<SentAgain | MoneyRefusal>;
