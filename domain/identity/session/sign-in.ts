import type { DevicePublicKey } from '../device/public-key.ts';
import type { DeviceId } from '../device/device.ts';
import { Phone } from '../../shared/phone.ts';
import type { Caller } from '../../project/caller.ts';
import type { KeyMode } from '../../project/key.ts';
import { PLATFORM_PROJECT_ID } from '../../project/platform.ts';
import type { TelegramLogin, UsedLogins } from '../registration/login.ts';
import type { PersonId } from '../person/person.ts';
import type { Persons, ShownAddress } from '../person/persons.ts';
import { FRESH_PROOF_SECONDS, type SignInMethod } from './session.ts';
import type { Grant, Sessions } from './sessions.ts';

/** Codes of this purpose open sessions, and those of no other. */
export const SIGN_IN_PURPOSE = 'navbat.sign-in';

/** An approval that is fetched later is no proof of a moment ago. */
export const APPROVAL_KEPT_SECONDS = FRESH_PROOF_SECONDS;

/** A phone's clock is set by its network. What was signed before, or is signed ahead, is refused. */
const DEVICE_CLOCK_SKEW_SECONDS = 60;

export type SignInCaller = Pick<Caller, 'projectId' | 'access' | 'mode' | 'settings'>;

/** What became of an approval that somebody waits for. */
export type ApprovalStanding =
  | { readonly kind: 'pending' | 'closed' }
  /** `until` then nobody would have answered. */
  | { readonly kind: 'denied'; readonly until: Date }
  | {
      readonly kind: 'approved';
      readonly personId: PersonId;
      /** Where the project asked for a phone. */
      readonly phone: string | null;
      readonly at: Date;
    };

/** What a device says when it signs in: all of it is signed. */
export interface DeviceClaim {
  readonly deviceId: string;
  /** By its own clock, as it wrote it: RFC 3339. */
  readonly at: string;
  readonly nonce: string;
  readonly signature: Buffer;
}

export interface SigningDevice {
  readonly id: DeviceId;
  readonly personId: PersonId;
  readonly mode: KeyMode;
  readonly publicKey: DevicePublicKey;
}

/** What is known of codes and approvals. Implemented by the product that sends them. */
export interface CodeProofs {
  /** Nothing but a code serves here, and every message that carried it went to the phone itself. */
  wentToPhone(verificationId: string): Promise<boolean>;
  /** What became of this very send: null where the project asked for no such approval. */
  approvalOf(
    of: Pick<SignInCaller, 'projectId' | 'mode'>,
    sent: { readonly verificationId: string; readonly jobId: string },
    now: Date,
  ): Promise<ApprovalStanding | null>;
  /** Whoever asked with this send, and nobody else, can say this: who asked for the same person before, or after, has another. */
  pollTokenOf(jobId: string): string;
  /** The send that it is the token of; null where we never made it. */
  readPollToken(pollToken: string): string | null;
}

/** What devices prove. */
export interface DeviceProofs {
  /** A device that is bound and not revoked. */
  findDevice(deviceId: string): Promise<SigningDevice | null>;
  isSignedBy(device: SigningDevice, claim: DeviceClaim): boolean;
  /** Notes what its clock said; false where it has said that, or more, before. */
  takeDeviceTime(deviceId: DeviceId, at: Date, now: Date): Promise<boolean>;
}

interface Entry {
  readonly persons: Persons;
  readonly sessions: Sessions;
  readonly now: () => Date;
}

export interface CodeSignInDeps extends Entry {
  readonly proofs: CodeProofs;
}

export interface SignInDeps extends Entry {
  readonly proofs: DeviceProofs;
  /** Null where this installation has no bot, whose token Telegram would have signed for. */
  readonly login: TelegramLogin | null;
  readonly usedLogins: UsedLogins;
}

/** Why Telegram's word opens no session. */
export type TelegramRefusal =
  | 'malformed'
  | 'signature'
  | 'stale'
  | 'used'
  | 'no-bot'
  | 'not-enabled'
  | 'not-for-the-app';

export type SignInAnswer<Refusal extends string> =
  | { readonly signedIn: true; readonly grant: Grant }
  | { readonly signedIn: false; readonly because: Refusal };

interface Visitor {
  readonly caller: SignInCaller;
  readonly userAgent: string | null;
}

/** Telegram's signature proves a chat, once and for five minutes. */
export async function signInWithTelegram(
  deps: SignInDeps,
  visitor: Visitor,
  signed: string,
): Promise<SignInAnswer<TelegramRefusal>> {
  // What Telegram signs names no project: a site that was given it could hand it on, and Navbat's app opens every project's door.
  if (visitor.caller.projectId === PLATFORM_PROJECT_ID) return refused('not-for-the-app');
  if (!visitor.caller.settings.telegram_sign_in) return refused('not-enabled');
  if (!deps.login) return refused('no-bot');
  const read = deps.login(signed, deps.now());
  if (!read.signed) return refused(read.reason);
  if (!(await deps.usedLogins.use(read.hash, deps.now()))) return refused('used');
  const { telegramId, authAt: provenAt } = read;
  const personId = await deps.persons.ofChat(telegramId, visitor.caller.mode, deps.now());
  const proof = { personId, method: 'telegram', shown: { telegramId }, provenAt } as const;
  return { signedIn: true, grant: await enter(deps, visitor, proof) };
}

/** A code that was right proves the phone, unless it was sent elsewhere too. */
export async function signInWithCode(
  deps: CodeSignInDeps,
  visitor: Visitor,
  approved: { readonly id: string; readonly phone: string | null },
): Promise<SignInAnswer<'proves-no-phone'>> {
  if (approved.phone === null || !(await deps.proofs.wentToPhone(approved.id)))
    return refused('proves-no-phone');
  const phone = Phone.parse(approved.phone);
  const personId = await deps.persons.ofPhone(phone, visitor.caller.mode, deps.now());
  const proof = { personId, method: 'code', shown: { phone }, provenAt: deps.now() } as const;
  return { signedIn: true, grant: await enter(deps, visitor, proof) };
}

/** Asked again until the person has answered on their device. */
export async function signInWithApproval(
  deps: CodeSignInDeps,
  visitor: Visitor,
  { id, pollToken }: { readonly id: string; readonly pollToken: string },
): Promise<SignInAnswer<'unknown' | 'pending' | 'denied' | 'closed'>> {
  const { proofs, now } = deps;
  const jobId = proofs.readPollToken(pollToken);
  if (jobId === null) return refused('unknown');
  const found = await proofs.approvalOf(visitor.caller, { verificationId: id, jobId }, now());
  if (!found) return refused('unknown');
  // Whoever has an app's public key would learn of any number whether the project knows its person.
  if (found.kind === 'denied' && visitor.caller.access === 'publishable')
    return refused(found.until > now() ? 'pending' : 'closed');
  if (found.kind !== 'approved') return refused(found.kind);
  const shown = found.phone === null ? {} : { shown: { phone: Phone.parse(found.phone) } };
  const proof = { personId: found.personId, method: 'approval', provenAt: found.at, ...shown } as const;
  const signedIn = await signedInAs(deps, visitor, proof);
  const grant = await deps.sessions.openOnce(signedIn, id, now());
  return grant ? { signedIn: true, grant } : refused('closed');
}

/** A bound device signs in to Navbat's own app with its key; what it signed is good once. */
export async function signInWithDevice(
  deps: SignInDeps,
  claim: DeviceClaim,
  userAgent: string | null,
): Promise<SignInAnswer<'not-proven'>> {
  const { proofs, persons, sessions, now } = deps;
  const at = new Date(claim.at);
  // Of a time that can't be read the difference is no number, and within nothing.
  if (!(Math.abs(now().getTime() - at.getTime()) <= DEVICE_CLOCK_SKEW_SECONDS * 1_000))
    return refused('not-proven');
  const device = await proofs.findDevice(claim.deviceId);
  if (!device || !proofs.isSignedBy(device, claim)) return refused('not-proven');
  if (!(await proofs.takeDeviceTime(device.id, at, now()))) return refused('not-proven');
  const { id: deviceId, personId, mode } = device;
  const projectId = PLATFORM_PROJECT_ID;
  const recipientId = await persons.recipientOf(personId, projectId, mode, now());
  const signedIn = { personId, projectId, mode, recipientId, deviceId, userAgent, method: 'device' } as const;
  return { signedIn: true, grant: await sessions.open(signedIn, now()) };
}

const refused = <Refusal extends string>(because: Refusal) => ({ signedIn: false, because }) as const;

interface Proof {
  readonly personId: PersonId;
  readonly method: SignInMethod;
  readonly shown?: ShownAddress;
  readonly provenAt: Date;
}

async function enter(deps: Entry, visitor: Visitor, proof: Proof): Promise<Grant> {
  return deps.sessions.open(await signedInAs(deps, visitor, proof), deps.now());
}

async function signedInAs(
  { persons, now }: Pick<Entry, 'persons' | 'now'>,
  { caller, userAgent }: Visitor,
  { personId, method, shown, provenAt }: Proof,
) {
  const { projectId, mode } = caller;
  const recipientId = await persons.recipientOf(personId, projectId, mode, now(), shown);
  return { personId, projectId, mode, recipientId, deviceId: null, userAgent, method, provenAt };
}
