import type { Refused } from '../../job/decision.ts';
import type { Phone } from '../../shared/phone.ts';
import type { Caller } from '../../project/caller.ts';
import type { ChatCodeOrder, CodeFailure, CodeGuesser, PhoneCodes } from '../port.ts';
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

export interface RegistrarDeps {
  readonly registrations: Registrations;
  readonly codes: PhoneCodes;
  readonly now: () => Date;
}

/** The project in whose name somebody registers. */
export type RegisterCaller = Pick<Caller, 'projectId' | 'slug' | 'settings' | 'mode'>;

export interface RegisterOrder {
  readonly caller: RegisterCaller;
  readonly telegramId: number;
  readonly phone: Phone;
  readonly proof: PhoneProof;
  readonly idempotency: ChatCodeOrder['idempotency'];
  readonly requestId: string;
}

export type RegisterAnswer =
  | { readonly kind: 'sent'; readonly id: string; readonly expiresAt: string }
  | { readonly kind: 'already-verified' }
  /** Their chat was verified before, and now their phone is proven. */
  | { readonly kind: 'phone-proved' }
  | ({ readonly kind: 'refused' } & Refused);

export interface VerifyOrder {
  readonly caller: RegisterCaller;
  readonly telegramId: number;
  readonly code: string;
  /** The verification that a stranger showed the check token of, null where the token is none; absent for a service. */
  readonly shownId?: string | null;
  readonly guesser: CodeGuesser;
}

/** `wrong` is one answer to a wrong, expired, repeated or unknown code: whoever guesses learns nothing from it. */
export type VerifyAnswer =
  | { readonly kind: 'verified' | 'wrong' }
  | {
      readonly kind: 'refused';
      readonly why: Extract<CodeFailure, { kind: 'blocked' | 'locked' }>;
    };

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
  if (!user) return { kind: 'already-verified' };

  const { caller, idempotency, requestId } = order;
  const sent = await deps.codes.sendToChat({
    sender: caller,
    destination: user.destination,
    purpose: REGISTRATION_PURPOSE,
    digits: REGISTRATION_CODE_DIGITS,
    ttlSeconds: REGISTRATION_CODE_SECONDS,
    idempotency,
    requestId,
  });
  if (!sent.ok) {
    const { ok: _refused, ...refusal } = sent;
    return { kind: 'refused', ...refusal };
  }
  await registrations.noteCode(user.id, sent.id, now());
  return { kind: 'sent', id: sent.id, expiresAt: sent.expiresAt };
}

/** A verified person is done, unless Telegram now proves a phone that was only claimed, or a new one. */
async function proveVerified(
  { registrations, now }: RegistrarDeps,
  user: RegisteredUser,
  { phone, proof }: RegisterOrder,
): Promise<RegisterAnswer> {
  const isNews = proof === 'contact' && (user.phoneProof !== 'contact' || user.phone !== phone);
  const isProved = isNews && (await registrations.provePhone(user.id, phone, now()));
  return { kind: isProved ? 'phone-proved' : 'already-verified' };
}

async function verify(deps: RegistrarDeps, order: VerifyOrder): Promise<VerifyAnswer> {
  const who = registrantOf(order);
  const user = await findSettled(deps, who);
  if (!user?.phone || user.isVerified || !isRegistrationCode(order.code)) return { kind: 'wrong' };
  const { projectId, mode } = who;
  const { code, guesser } = order;
  // Whoever shows no token of it guesses at somebody else's code: it is counted for them, and takes no check away.
  const isTheirs = order.shownId === undefined || order.shownId === user.verificationId;
  if (!isTheirs) return refusedOrWrong(await deps.codes.countGuess(projectId, guesser));
  const of = { destination: user.destination };
  const checked = await deps.codes.check({
    projectId,
    mode,
    of,
    purpose: REGISTRATION_PURPOSE,
    code,
    guesser,
  });
  if (!checked.ok) return refusedOrWrong(checked.failure);
  await confirmSurely(deps, who, checked.id);
  return { kind: 'verified' };
}

const refusedOrWrong = (why: CodeFailure): VerifyAnswer =>
  why.kind === 'blocked' || why.kind === 'locked' ? { kind: 'refused', why } : { kind: 'wrong' };

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
