/** Why a person or a customer is not paid what they ask for. */
export const askRefusals = [
  'below-minimum',
  'above-limit',
  'too-many-open',
  /** It was bound less than a day ago. */
  'destination-new',
  /** Removed, distrusted, another's, or of another rail. */
  'destination-gone',
  /** Every device of the person was bound, or one was revoked, less than a day ago. */
  'device-new',
  'blocked',
  /** The person owes money. */
  'receivable-open',
  'rail-closed',
  'too-many-destinations',
  /** A key has asked for as much as it may in a day. */
  'key-day-limit',
] as const;
export type AskRefusal = (typeof askRefusals)[number];

/** Of a proof that approves nothing; as `staff_proof_outcome` says. */
export const proofFaults = ['unknown', 'used', 'stale', 'other-subject'] as const;
export type ProofFault = (typeof proofFaults)[number];

/** Of many, the payout that was refused, and which line of the batch it is. */
export interface RefusedOf {
  readonly payoutId: string;
  readonly line?: number | undefined;
}

/**
 * Why money does not move, a payout does not change or a batch does not go on. One kind for each SQLSTATE of the functions of `pay`;
 * `infra/postgres/pay/money-faults.ts` has the table.
 */
export type MoneyRefusal =
  | { readonly kind: 'insufficient' }
  /** The key stands for another transfer or payout. */
  | { readonly kind: 'key-reused' }
  | { readonly kind: 'no-such-move' }
  /** `state` is the one that it is in. */
  | { readonly kind: 'payout-state'; readonly state: string | null; readonly of?: RefusedOf | undefined }
  | { readonly kind: 'not-payable'; readonly because: AskRefusal; readonly of?: RefusedOf | undefined }
  | { readonly kind: 'stale-version' }
  /** Who made it does not approve it. */
  | { readonly kind: 'maker' }
  | { readonly kind: 'role' }
  | { readonly kind: 'proof'; readonly because: ProofFault }
  /** Hash, count or total are not those of the rows. */
  | { readonly kind: 'content-differs'; readonly of?: RefusedOf | undefined }
  /** It pays somebody who handles it. */
  | { readonly kind: 'own-money' }
  /** One person decides of no more earnings in a day: another does. */
  | { readonly kind: 'decide-limit' }
  /** Account or second factor are younger than a day. */
  | { readonly kind: 'approver-new' }
  | { readonly kind: 'batch-state'; readonly state: string | null }
  /** Nothing of the batch goes on any more. */
  | { readonly kind: 'rest-cancelled' }
  | { readonly kind: 'unknown'; readonly of?: RefusedOf | undefined }
  /** A dispatch or item does not go from that state to this one. */
  | { readonly kind: 'arrow'; readonly state: string | null }
  /** The rail, or all of them, are stopped. */
  | { readonly kind: 'stopped' }
  /** What the rail says and what we know differ, and nobody has said why: no batch of it begins. */
  | { readonly kind: 'rail-differs' }
  /** The rail wants a one-time password for each payment: no batch of it begins. */
  | { readonly kind: 'rail-otp' }
  /** One of two people counts no more: who, by their logins. */
  | { readonly kind: 'approval-gone'; readonly who: string | null }
  /** A statement of the bank may still have the payment: people settle it 72 hours after its file. */
  | { readonly kind: 'settle-later' }
  /** Somebody else holds the rows; asked again a moment later it works. */
  | { readonly kind: 'busy' };

/** Thrown by what moves money, so that the transaction which it was part of ends: nothing that it wrote stays. */
export class MoneyRefusedError extends Error {
  override readonly name = 'MoneyRefusedError';
  readonly refusal: MoneyRefusal;

  constructor(refusal: MoneyRefusal, options?: ErrorOptions) {
    super(`refused: ${refusal.kind}`, options);
    this.refusal = refusal;
  }
}
