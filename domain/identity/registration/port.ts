import type { Phone } from '../../shared/phone.ts';
import type { Locale } from '../../shared/locale.ts';
import type { PhoneProof, RegisteredUser, Registrant } from './user.ts';

/** A person at the bot, before or after they gave a phone. */
export interface Arrival {
  /** Theirs, where they have chosen none before. */
  readonly locale: Locale | null;
  /** Behind `/start` in the link that brought them. */
  readonly payload: string | null;
}

/** The verification that proved the chat, where one did, and the phone as it was read when that was decided. */
export interface Confirmation {
  readonly userId: number;
  readonly phone: string;
  readonly verificationId: string | null;
}

export interface Registrations {
  find(who: Registrant): Promise<RegisteredUser | null>;
  /** Notes that they opened the bot. Again, it changes the payload alone. */
  arrive(who: Registrant, arrival: Arrival, now: Date): Promise<RegisteredUser>;
  /** Writes the phone of somebody who is not verified, and makes their row where there is none; null where they are. */
  givePhone(who: Registrant, phone: Phone, proof: PhoneProof, now: Date): Promise<RegisteredUser | null>;
  /** Telegram proved the phone of somebody whose chat is verified: it is theirs now. False when they are not verified any more. */
  provePhone(userId: number, phone: Phone, now: Date): Promise<boolean>;
  /** Which verification their latest code belongs to. */
  noteCode(userId: number, verificationId: string, now: Date): Promise<void>;
  /** The chat is proven. Where the phone is too, whoever had it loses it in the same commit. False when the phone changed meanwhile. */
  confirm(confirmation: Confirmation, now: Date): Promise<boolean>;
  chooseLocale(who: Registrant, locale: Locale, now: Date): Promise<void>;
}

/** `claimed`: nobody else works on it, or on another one of its chat. `busy`: somebody does, or died over it a moment ago. */
export type Claim = 'claimed' | 'done' | 'busy';

/** Updates that the bot has acted on: Telegram delivers each at least once. */
export interface BotUpdates {
  /** @param chatId whose updates are worked on one after the other; null for one that is about no chat. */
  claim(updateId: number, chatId: number | null, now: Date): Promise<Claim>;
  finish(updateId: number, now: Date): Promise<void>;
  /** It could not be acted on: whoever gets it next may try. */
  release(updateId: number): Promise<void>;
}

/** `just-exceeded` once in each window, so that a person is told once. */
export interface ChatPace {
  take(chatId: number): Promise<'within' | 'just-exceeded' | 'exceeded'>;
}
