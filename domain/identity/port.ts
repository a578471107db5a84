import type { Refused } from '../job/decision.ts';
import type { Caller } from '../project/caller.ts';
import type { KeyMode } from '../project/key.ts';
import type { ProjectId, VerificationId } from '../shared/ids.ts';
import type { Phone } from '../shared/phone.ts';

/** Where a code goes: a phone, or a recipient of the project. */
export type CodeDestination = { readonly phone: string } | { readonly recipientId: string };

/** The project in whose name, and under whose limits, a code is sent. */
export type CodeSender = Pick<Caller, 'projectId' | 'slug' | 'settings'>;

export interface PhoneCodeOrder {
  readonly sender: CodeSender;
  readonly phone: Phone;
  readonly purpose: string;
  readonly ttlSeconds: number;
  /** Each asker has codes of its own, and uses up nobody else's. */
  readonly asker: string;
  readonly requestId: string;
}

/** A code to a Telegram chat, at once a new one each time it is asked for. It says nothing of a phone. */
export interface ChatCodeOrder {
  readonly sender: CodeSender & Pick<Caller, 'mode'>;
  readonly destination: CodeDestination;
  readonly purpose: string;
  readonly digits: number;
  readonly ttlSeconds: number;
  /** Same key and same hash: the first answer again. */
  readonly idempotency: { readonly key: string; readonly bodyHash: string } | null;
  readonly requestId: string;
}

export type CodeSent =
  /** `expiresAt` is ISO 8601. */
  | { readonly ok: true; readonly id: VerificationId; readonly expiresAt: string }
  | ({ readonly ok: false } & Refused);

/** Whose wrong codes are counted together. */
export interface CodeGuesser {
  /** Where they call from. `times`: how many times as much as from one address. Empty when nobody said. */
  readonly clients: readonly { readonly subject: string; readonly times: number }[];
  /** A service that asks with a secret key; null where anybody can ask. */
  readonly keyId: string | null;
}

export interface CodeCheck {
  readonly projectId: ProjectId;
  readonly mode: KeyMode;
  /** By its id, or the latest one that was sent there. */
  readonly of: { readonly id: VerificationId } | { readonly destination: CodeDestination };
  /** A code of another purpose is unknown. */
  readonly purpose: string;
  readonly code: string;
  readonly guesser: CodeGuesser;
}

/** Why a code was not right. */
export type CodeFailure =
  /** `remaining` is null where it may not be told. */
  | { readonly kind: 'incorrect'; readonly remaining: number | null }
  | {
      readonly kind: 'closed';
      readonly reason: 'used' | 'denied' | 'cancelled' | 'expired' | 'max-checks-reached';
    }
  | { readonly kind: 'locked' }
  | { readonly kind: 'unknown' }
  /** Nothing was checked: too many wrong ones came from this guesser. */
  | { readonly kind: 'blocked'; readonly retryAfterSeconds: number };

export type CodeChecked =
  /** `phone` is where it was sent; null where that was none. */
  | { readonly ok: true; readonly id: VerificationId; readonly phone: string | null }
  | { readonly ok: false; readonly failure: CodeFailure };

/** Codes that prove to us that a phone, or a chat, is in somebody's hand. Implemented by `domain/verify/phone-codes.ts`. */
export interface PhoneCodes {
  /** The most that one code to a phone may cost, in 10^-6 USD. */
  readonly phoneCodeMicros: number;
  /** On channels that prove the phone. */
  sendToPhone(order: PhoneCodeOrder): Promise<CodeSent>;
  sendToChat(order: ChatCodeOrder): Promise<CodeSent>;
  /** A right code works once. */
  check(check: CodeCheck): Promise<CodeChecked>;
  /** Counts a wrong code of this guesser; no code is checked and none loses a check. */
  countGuess(projectId: ProjectId, guesser: CodeGuesser): Promise<CodeFailure>;
}
