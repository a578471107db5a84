import type { Refused } from '../../job/decision.ts';
import { nextUtcDay } from '../../shared/time.ts';
import type { CodeFailure, CodeGuesser, CodeSender, CodeSent, PhoneCodes } from '../port.ts';
import type { Persons } from '../person/persons.ts';
import type { PersonId } from '../person/person.ts';
import type { Grant, Sessions } from '../session/sessions.ts';
import { knownPhone, type Phone } from '../../shared/phone.ts';
import type { KeyMode } from '../../project/key.ts';
import { PLATFORM_PROJECT_ID } from '../../project/platform.ts';
import type { DeviceId } from './device.ts';
import { BIND_PURPOSE, CONFIRM_SECONDS, type EnrolmentToken } from './enrolment.ts';
import type {
  ConfirmTry,
  DeviceClaim,
  Devices,
  DeviceView,
  EnrolmentPayer,
  EnrolmentPayers,
  PendingDevice,
} from './port.ts';
import type { DevicePublicKey } from './public-key.ts';
import { acceptedSteps, totpCode } from '../../shared/totp.ts';

export interface BinderDeps {
  readonly devices: Devices;
  readonly payers: EnrolmentPayers;
  readonly persons: Persons;
  readonly sessions: Sessions;
  readonly codes: PhoneCodes;
  /** Navbat as its own customer, with its settings as they are now. */
  readonly platform: () => Promise<CodeSender>;
  /** Over the device's id, its nonce and the thumbprint of its key. */
  readonly isSigned: (proof: DeviceProof) => Promise<boolean>;
  /** In a time that does not tell where they differ. */
  readonly sameText: (a: string, b: string) => boolean;
  readonly now: () => Date;
}

export interface DeviceProof {
  readonly deviceId: DeviceId;
  readonly nonce: string;
  readonly publicKey: DevicePublicKey;
  readonly signature: string;
}

export type ClaimRefusal =
  | { readonly kind: 'unusable-token' }
  | { readonly kind: 'too-many-devices' }
  /** The code to the phone. */
  | ({ readonly kind: 'refused' } & Refused);

export type ClaimAnswer =
  | ClaimRefusal
  | { readonly kind: 'pending'; readonly device: PendingDevice; readonly codeSentTo: Phone | null };

export interface ConfirmOrder {
  readonly deviceId: DeviceId;
  readonly signature: string;
  readonly totp: string;
  /** The one that was sent to the phone, where one was. */
  readonly code: string | null;
  /** Whose wrong codes are counted together. */
  readonly clients: CodeGuesser['clients'];
  readonly userAgent: string | null;
}

export type ConfirmRefusal =
  /** No such device waits, any more or ever. */
  | { readonly kind: 'unknown' }
  /** The signature or the TOTP. */
  | { readonly kind: 'wrong-proof'; readonly triesLeft: number }
  | { readonly kind: 'code-missing' }
  | { readonly kind: 'wrong-code'; readonly why: CodeFailure }
  | { readonly kind: 'too-many-devices' };

export type ConfirmAnswer =
  | ConfirmRefusal
  | {
      readonly kind: 'bound';
      readonly device: DeviceView;
      readonly grant: Grant;
    };

export interface AuthenticatorOrder {
  readonly personId: PersonId;
  readonly deviceId: DeviceId;
  readonly totp: string;
}

/** Makes a phone, or a standard authenticator, somebody's device. */
export interface Binder {
  /** Who pays for the code that a claim with this token would send; null where none would be sent. */
  payerOf(token: EnrolmentToken): Promise<EnrolmentPayer | null>;
  claim(claim: DeviceClaim, payer: EnrolmentPayer | null, requestId: string): Promise<ClaimAnswer>;
  confirm(order: ConfirmOrder): Promise<ConfirmAnswer>;
  confirmAuthenticator(
    order: AuthenticatorOrder,
  ): Promise<ConfirmRefusal | { readonly kind: 'bound'; readonly device: DeviceView }>;
}

export function binder(deps: BinderDeps): Binder {
  return {
    payerOf: (token) => deps.payers.of(token),
    claim: (claim, payer, requestId) => claimDevice(deps, claim, payer, requestId),
    confirm: (order) => confirmApp(deps, order),
    confirmAuthenticator: (order) => confirmAuthenticator(deps, order),
  };
}

async function claimDevice(
  deps: BinderDeps,
  claim: DeviceClaim,
  payer: EnrolmentPayer | null,
  requestId: string,
): Promise<ClaimAnswer> {
  const { devices, now } = deps;
  const claimed = await devices.claim(claim, now());
  if (claimed.claim === 'refused') return { kind: claimed.reason };
  const { device, phone } = claimed;
  if (phone === null) return { kind: 'pending', device, codeSentTo: null };

  if (!payer) throw new Error('a code is to be sent that no project asked for');
  const sent = await sendPaidCode(deps, { phone, token: claim.token, requestId }, payer);
  if (!sent.ok) {
    await devices.unclaim(device.id, claim.token);
    const { ok: _refused, ...refusal } = sent;
    return { kind: 'refused', ...refusal };
  }
  // Until this is written the device has neither an owner nor a code that could prove one, and is bound to nobody.
  await devices.noteCode(device.id, sent.id);
  return { kind: 'pending', device, codeSentTo: phone };
}

/** Booked before it is sent: a crash in between costs the project one code, and Navbat none. */
async function sendPaidCode(
  deps: BinderDeps,
  claimed: ClaimedPhone,
  payer: EnrolmentPayer,
): Promise<CodeSent> {
  const at = deps.now();
  const { phoneCodeMicros: micros } = deps.codes;
  if (!(await deps.payers.charge(payer, micros, at)))
    return { ok: false, reason: 'budget-spent', retryAfterSeconds: null, facts: { until: nextUtcDay(at) } };
  const sent = await sendCode(deps, claimed);
  if (!sent.ok) await deps.payers.refund(payer, micros, at);
  return sent;
}

interface ClaimedPhone {
  readonly phone: Phone;
  readonly token: EnrolmentToken;
  readonly requestId: string;
}

/** Each device that claims has a code of its own: who scans another code for the same number can't use it up. */
const sendCode = async ({ codes, platform }: BinderDeps, { phone, token, requestId }: ClaimedPhone) =>
  codes.sendToPhone({
    sender: await platform(),
    phone,
    purpose: BIND_PURPOSE,
    ttlSeconds: CONFIRM_SECONDS,
    // Each QR code is an asker of its own, wherever it is scanned: a project vouches for it, and pays.
    asker: token,
    requestId,
  });

async function confirmApp(deps: BinderDeps, order: ConfirmOrder): Promise<ConfirmAnswer> {
  const { devices, sessions, persons, now } = deps;
  const attempt = await devices.countTry(order.deviceId, null, now());
  if (!attempt?.signs) return { kind: 'unknown' };
  const step = stepOf(deps.sameText, attempt.secret, order.totp, now());
  const proof = { ...attempt.signs, deviceId: attempt.id, signature: order.signature };
  if (step === null || !(await deps.isSigned(proof))) return refuseProof(deps, attempt);

  const owner = attempt.person ?? (await proveOwner(deps, attempt, order));
  if ('kind' in owner) return owner;
  const bound = await devices.bind(attempt.id, owner.id, step, now());
  if (!bound.bound) return { kind: bound.reason === 'gone' ? 'unknown' : bound.reason };

  await noteApproval(deps, attempt, owner);
  const recipientId = await persons.recipientOf(owner.id, PLATFORM_PROJECT_ID, owner.mode, now());
  const grant = await sessions.open(
    {
      personId: owner.id,
      projectId: PLATFORM_PROJECT_ID,
      mode: owner.mode,
      recipientId,
      method: 'device',
      deviceId: attempt.id,
      userAgent: order.userAgent,
    },
    now(),
  );
  return { kind: 'bound', device: bound.device, grant };
}

interface Owner {
  readonly id: PersonId;
  readonly mode: KeyMode;
}

/**
 * Whose phone the code was sent to. It works once, so that of two devices that wait for the same phone it binds one; a crash
 * before the owner is noted costs the person a second enrolment, and gives nobody anything.
 */
async function proveOwner(
  deps: BinderDeps,
  { id, verificationId }: ConfirmTry,
  { code, clients }: ConfirmOrder,
): Promise<Owner | ConfirmRefusal> {
  if (verificationId === null) return { kind: 'unknown' };
  if (code === null) return { kind: 'code-missing' };
  const checked = await deps.codes.check({
    projectId: PLATFORM_PROJECT_ID,
    mode: 'live',
    of: { id: verificationId },
    purpose: BIND_PURPOSE,
    code,
    // Anybody may enrol a device: no key and no project is blocked for it.
    guesser: { clients, keyId: null },
  });
  if (!checked.ok) return { kind: 'wrong-code', why: checked.failure };
  const phone = checked.phone === null ? null : knownPhone(checked.phone);
  if (!phone) throw new Error('a code that binds a device was sent to no phone');
  const personId = await deps.persons.ofPhone(phone.e164, 'live', deps.now());
  await deps.devices.noteOwner(id, personId);
  return { id: personId, mode: 'live' };
}

/** They scanned the project's own code and proved their phone for it: from now on it may know them. */
async function noteApproval(
  { persons, now }: BinderDeps,
  { askedBy }: ConfirmTry,
  { id, mode }: Owner,
): Promise<void> {
  if (askedBy) await persons.recipientOf(id, askedBy.projectId, mode, now(), { phone: askedBy.phone });
}

async function confirmAuthenticator(
  deps: BinderDeps,
  { personId, deviceId, totp }: AuthenticatorOrder,
): ReturnType<Binder['confirmAuthenticator']> {
  const { devices, now } = deps;
  const attempt = await devices.countTry(deviceId, personId, now());
  if (!attempt) return { kind: 'unknown' };
  const step = stepOf(deps.sameText, attempt.secret, totp, now());
  if (step === null) return refuseProof(deps, attempt);
  const bound = await devices.bind(attempt.id, personId, step, now());
  if (bound.bound) return { kind: 'bound', device: bound.device };
  return { kind: bound.reason === 'gone' ? 'unknown' : bound.reason };
}

async function refuseProof({ devices }: BinderDeps, { id, triesLeft }: ConfirmTry): Promise<ConfirmRefusal> {
  if (triesLeft === 0) await devices.drop(id);
  return { kind: 'wrong-proof', triesLeft };
}

/** The step whose code it is, or null. */
export function stepOf(
  sameText: BinderDeps['sameText'],
  secret: Uint8Array,
  code: string,
  now: Date,
): number | null {
  return acceptedSteps(now).find((step) => sameText(totpCode(secret, step), code)) ?? null;
}
