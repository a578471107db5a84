import type { Refused } from '../../job/decision.ts';
import {
  type Blocked,
  checkGuarded,
  type GuardedChecks,
  nothingToCheck,
} from '../../verify/guarded-check.ts';
import type { Guesser } from '../../verify/failed-attempt-limiter.ts';
import { SERVICE } from '../../verify/asker.ts';
import type { OtpIntake, SendOrder } from '../../verify/intake.ts';
import type { Phone } from '../../shared/phone.ts';
import { ownSend, type SendCommand } from '../../verify/send.ts';
import type { Caller } from '../../project/caller.ts';
import type { Registrations } from './port.ts';
import { REGISTRATION_PURPOSE } from './purpose.ts';
import {
  type PhoneProof,
  isRegistrationCode,
  REGISTRATION_CODE_DIGITS,
  REGISTRATION_CODE_SECONDS,
  type RegisteredUser,
  type Registrant,
} from './user.ts';

export interface RegistrarDeps extends GuardedChecks {
  readonly registrations: Registrations;
  readonly intake: OtpIntake;
  readonly now: () => Date;
}

/** The project in whose name somebody registers. */
export type RegisterCaller = Pick<Caller, 'projectId' | 'slug' | 'settings' | 'mode'>;

export interface RegisterOrder {
  readonly caller: RegisterCaller;
  readonly telegramId: number;
  readonly phone: Phone;
  readonly proof: PhoneProof;
  readonly idempotency: SendOrder['idempotency'];
  readonly requestId: string;
}

export type RegisterAnswer =
  | { readonly answer: 'sent'; readonly id: string; readonly expiresAt: string }
  | { readonly answer: 'already-verified' }
  /** Their chat was verified before, and now their phone is proven. */
  | { readonly answer: 'phone-proved' }
  | ({ readonly answer: 'refused' } & Refused);

export interface VerifyOrder {
  readonly caller: RegisterCaller;
  readonly telegramId: number;
  readonly code: string;
  /** The verification that a stranger showed the check token of, null where the token is none; absent for a service. */
  readonly shownId?: string | null;
  readonly guesser: Pick<Guesser, 'clients' | 'keyId'>;
}

/** `wrong` is one answer to a wrong, expired, repeated or unknown code: whoever guesses learns nothing from it. */
export type VerifyAnswer =
  | { readonly answer: 'verified' | 'wrong' }
  | { readonly answer: 'refused'; readonly why: Blocked | { readonly result: 'locked' } };

/** Registers people by their Telegram chat (S4): over HTTP and at the bot, the same. */
export interface Registrar {
  register(order: RegisterOrder): Promise<RegisterAnswer>;
  verify(order: VerifyOrder): Promise<VerifyAnswer>;
  /** As they stand now, what a crash had left undone included. */
  find(who: Registrant): Promise<RegisteredUser | null>;
}

export function registrar(deps: RegistrarDeps): Registrar {
  return {
    register: (order) => register(deps, order),
    verify: (order) => verify(deps, order),
    find: (who) => findSettled(deps, who),
  };
}

const registrantOf = ({ caller, telegramId }: Pick<RegisterOrder, 'caller' | 'telegramId'>): Registrant => ({
  projectId: caller.projectId,
  mode: caller.mode,
  telegramId,
});

async function register(deps: RegistrarDeps, order: RegisterOrder): Promise<RegisterAnswer> {
  const { registrations, now } = deps;
  const who = registrantOf(order);
  const before = await findSettled(deps, who);
  if (before?.isVerified) return proveVerified(deps, before, order);
  const user = await registrations.givePhone(who, order.phone, order.proof, now());
  // Verified since we looked, by the code of another request.
  if (!user) return { answer: 'already-verified' };

  const { caller, idempotency, requestId } = order;
  const command = codeCommand(caller);
  const sent = await deps.intake.accept({
    caller,
    command,
    // The bot's own key, or Telegram's signature, says that it is they: no stranger asks for them.
    asker: SERVICE,
    destination: user.destination,
    idempotency,
    requestId,
  });
  if (sent.answer === 'closed') throw new Error('what is no resend was answered as one');
  if (sent.answer === 'key-reused') throw new Error('an update of the bot was given another meaning');
  if (sent.answer === 'refused') return sent;
  await registrations.noteCode(user.id, sent.id, now());
  return { answer: 'sent', id: sent.id, expiresAt: sent.expiresAt };
}

/** A verified person is done, unless Telegram now proves a phone that was only claimed, or a new one. */
async function proveVerified(
  { registrations, now }: RegistrarDeps,
  user: RegisteredUser,
  { phone, proof }: RegisterOrder,
): Promise<RegisterAnswer> {
  const isNews = proof === 'contact' && (user.phoneProof !== 'contact' || user.phone !== phone);
  const isProved = isNews && (await registrations.provePhone(user.id, phone, now()));
  return { answer: isProved ? 'phone-proved' : 'already-verified' };
}

/** A second ask is a new code at once (the first may lie unread in another chat); the hourly limit stays. */
const codeCommand = ({ mode }: RegisterCaller): SendCommand =>
  ownSend({
    // Not the phone's verification: a code to a chat says nothing of a number, and earns its prefix no trust.
    phone: null,
    mode,
    channels: ['telegram'],
    purpose: REGISTRATION_PURPOSE,
    length: REGISTRATION_CODE_DIGITS,
    ttlSeconds: REGISTRATION_CODE_SECONDS,
    onResend: 'rotate',
    checkByTo: true,
    gapsSeconds: [],
  });

async function verify(deps: RegistrarDeps, order: VerifyOrder): Promise<VerifyAnswer> {
  const who = registrantOf(order);
  const user = await findSettled(deps, who);
  if (!user?.phone || user.isVerified || !isRegistrationCode(order.code)) return { answer: 'wrong' };
  const { projectId, mode } = who;
  const of = { destination: user.destination, purpose: REGISTRATION_PURPOSE };
  // Whoever shows no token of it guesses at somebody else's code: it is counted for them, and takes no check away.
  const isTheirs = order.shownId === undefined || order.shownId === user.verificationId;
  const result = await checkGuarded(
    isTheirs ? deps : { ...deps, checks: nothingToCheck },
    { ...order.guesser, projectId },
    { projectId, mode, of, code: order.code },
  );
  if (result.result === 'blocked' || result.result === 'locked') return { answer: 'refused', why: result };
  if (result.result !== 'approved') return { answer: 'wrong' };
  await confirmSurely(deps, who, result.id);
  return { answer: 'verified' };
}

/** A code is used up by its check: a crash between that and the confirmation is made good here. */
async function findSettled(deps: RegistrarDeps, who: Registrant): Promise<RegisteredUser | null> {
  const user = await deps.registrations.find(who);
  if (!user?.isApproved || user.isVerified || user.verificationId === null) return user;
  await confirmSurely(deps, who, user.verificationId);
  return deps.registrations.find(who);
}

/** Two at the most change a phone while its code is checked; the third time something else is wrong. */
const CONFIRM_TRIES_MAX = 3;

/** The chat is proven, whatever phone was given meanwhile: the row is read again until both fit. */
async function confirmSurely(deps: RegistrarDeps, who: Registrant, verificationId: string): Promise<void> {
  for (let tries = 1; tries <= CONFIRM_TRIES_MAX; tries++) {
    const user = await deps.registrations.find(who);
    if (!user || user.isVerified || user.phone === null) return;
    const confirmation = { userId: user.id, phone: user.phone, verificationId };
    if (await deps.registrations.confirm(confirmation, deps.now())) return;
  }
  throw new Error(`a registration changed ${CONFIRM_TRIES_MAX} times while it was confirmed`);
}
