import type { PersonId } from '../person/person.ts';
import type { ProjectId } from '../../shared/ids.ts';
import type { VerificationId } from '../../shared/ids.ts';
import type { Phone } from '../../shared/phone.ts';
import type { Page, PageOrder } from '../../shared/page.ts';
import type { KeyMode } from '../../project/key.ts';
import type { RecipientId } from '../recipient/recipient.ts';
import type { DeviceId } from './device.ts';
import type { EnrolmentToken } from './enrolment.ts';
import type { DevicePublicKey } from './public-key.ts';

/** An app holds a key and signs; an authenticator shows codes and nothing else. */
export type DeviceKind = 'app' | 'authenticator';

/** A bound device, as its person sees it. */
export interface DeviceView {
  readonly id: DeviceId;
  readonly kind: DeviceKind;
  readonly name: string;
  readonly platform: string | null;
  /** The address itself is encrypted and never shown. */
  readonly hasPushAddress: boolean;
  /** It should fetch a new secret for its codes; an authenticator should be replaced. */
  readonly rotationWanted: boolean;
  readonly boundAt: Date;
  readonly lastUsedAt: Date | null;
}

/** Whose device it will be: a person who just proved themselves, or whoever proves the phone of this recipient. */
export type EnrolmentFor = { readonly personId: PersonId } | { readonly recipientId: RecipientId };

export interface Enrolments {
  open(whose: EnrolmentFor, now: Date): Promise<{ readonly token: EnrolmentToken; readonly expiresAt: Date }>;
}

/** The project that asked for an enrolment. */
export interface EnrolmentPayer {
  readonly projectId: ProjectId;
  readonly dailyBudgetMicros: number;
}

/**
 * Whoever asked for an enrolment pays for its code out of the day's budget for paid messages: the code goes out in Navbat's name,
 * on Navbat's own account, which nobody else is to spend.
 */
export interface EnrolmentPayers {
  /** Null where a person asked for themselves, whose devices get no code, and where there is no such token; used and expired ones have theirs. */
  of(token: EnrolmentToken): Promise<EnrolmentPayer | null>;
  /** False, and nothing booked, where the budget would be exceeded. Exact, whatever is booked at the same moment. */
  charge(payer: EnrolmentPayer, micros: number, at: Date): Promise<boolean>;
  /** Of what was charged `at` that time, for a code that was not sent. */
  refund(payer: EnrolmentPayer, micros: number, at: Date): Promise<void>;
}

/** What a phone says of itself when it comes with a token. */
export interface DeviceClaim {
  readonly token: EnrolmentToken;
  readonly name: string;
  readonly platform: string | null;
  /** As `domain/push/address.ts` writes it. */
  readonly pushAddress: string | null;
  readonly publicKey: DevicePublicKey;
}

/** A device that is to prove itself; its secret is told this once. */
export interface PendingDevice {
  readonly id: DeviceId;
  readonly secret: Uint8Array;
  /** What it must sign, base64url. */
  readonly nonce: string;
  readonly confirmUntil: Date;
}

/** `unusable-token`: unknown, used and expired read the same. */
export type Claimed =
  | { readonly claim: 'refused'; readonly reason: 'unusable-token' | 'too-many-devices' }
  /** `phone` must be proven too, where a project's word is all we have. */
  | { readonly claim: 'pending'; readonly device: PendingDevice; readonly phone: Phone | null };

/** A pending device whose try was counted before anything of it is compared. */
export interface ConfirmTry {
  readonly id: DeviceId;
  readonly secret: Uint8Array;
  /** Null for an authenticator, which signs nothing. */
  readonly signs: { readonly publicKey: DevicePublicKey; readonly nonce: string } | null;
  /** Null until their phone is proven. */
  readonly person: { readonly id: PersonId; readonly mode: KeyMode } | null;
  readonly verificationId: VerificationId | null;
  /** The project on whose page it began, and the phone that the project knows. */
  readonly askedBy: { readonly projectId: ProjectId; readonly phone: Phone } | null;
  readonly triesLeft: number;
}

export type Bound =
  | { readonly bound: true; readonly device: DeviceView }
  | { readonly bound: false; readonly reason: 'too-many-devices' | 'gone' };

export interface Devices {
  /** Uses the token up: of any number of phones that bring it at once, one goes on. */
  claim(claim: DeviceClaim, now: Date): Promise<Claimed>;
  /** Nothing came of the claim: the token may be used again. */
  unclaim(id: DeviceId, token: EnrolmentToken): Promise<void>;
  noteCode(id: DeviceId, verificationId: VerificationId): Promise<void>;
  /** Null where the person has as many devices as they may. */
  startAuthenticator(personId: PersonId, name: string, now: Date): Promise<PendingDevice | null>;

  /** Null where there is no such pending device, its time is up, or its tries are. An authenticator is its person's alone. */
  countTry(id: DeviceId, authenticatorOf: PersonId | null, now: Date): Promise<ConfirmTry | null>;
  /** Its phone was proven: from now on no code is asked for again. */
  noteOwner(id: DeviceId, personId: PersonId): Promise<void>;
  /** Exact about how many, whatever is bound at the same moment. `step` is used up by it. */
  bind(id: DeviceId, personId: PersonId, step: number, now: Date): Promise<Bound>;
  /** Forgets a device that was never bound. */
  drop(id: DeviceId): Promise<void>;

  /** Those that are bound, newest first. */
  list(personId: PersonId, order: PageOrder): Promise<Page<DeviceView>>;
  /** Null where the person has no such device. An absent field stays as it is; a null address is taken away. */
  change(
    personId: PersonId,
    id: DeviceId,
    change: { readonly name?: string | undefined; readonly pushAddress?: string | null | undefined },
  ): Promise<DeviceView | null>;
  /** Its codes, its signatures and its sessions end in one commit. False where the person has no such device. */
  revoke(personId: PersonId, id: DeviceId, now: Date): Promise<boolean>;

  /** A new secret, beside the one that stands until it is confirmed. Null where the person has no such app. */
  offerSecret(personId: PersonId, id: DeviceId): Promise<Uint8Array | null>;
  /** The secret that was offered takes the place of the old one, whose codes are still taken for a moment. */
  takeSecret(
    personId: PersonId,
    id: DeviceId,
    isRight: (secret: Uint8Array) => boolean,
    now: Date,
  ): Promise<'taken' | 'wrong' | 'none'>;
}

/** Asks devices to fetch a new secret for their codes; until they have, the old one counts. */
export interface Rotations {
  /** Of one device, or of any that are not asked yet: how many were, a bounded number at a time. */
  ask(
    deviceId: DeviceId | null,
    now: Date,
  ): Promise<{ readonly apps: number; readonly authenticators: number }>;
  isBound(deviceId: DeviceId): Promise<boolean>;
  /** How many were asked and have not. */
  waiting(): Promise<number>;
}
