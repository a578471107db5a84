import { z } from 'zod';
import { dayAfter } from '../../pay/ledger/head.ts';
import type { SessionId } from '../ids.ts';
import type { MoneyRefusal } from '../../pay/refusals.ts';
import type { Locale } from '../../shared/locale.ts';
import type { Page, PageOrder } from '../../shared/page.ts';
import type { DayState, KeptDay } from '../traffic/explain.ts';
import { dayBegins } from './day.ts';

export const AppealId = z.uuid().brand<'AppealId'>();
export type AppealId = z.infer<typeof AppealId>;

/** A day is appealed within so many days of its end: what it was metered of is kept for ten more. */
export const APPEAL_DAYS_MAX = 30;
/** Of one person, that wait for their answer: staff read each. */
export const APPEALS_OPEN_MAX = 20;
/** What a person says, and what they are answered. */
export const APPEAL_CHARACTERS_MAX = 500;

/** What one member of staff pays, gives again and takes back by their own decision within 24 hours: 1 000 000 UZS, as with promo codes. */
export const DECIDE_ALONE_TIYIN_MAX = 100_000_000n;

/** `upheld`: it stays unpaid; `overturned`: it is paid. */
export const appealStates = ['open', 'upheld', 'overturned'] as const;
export type AppealState = (typeof appealStates)[number];

/** As its person sees it. */
export interface Appeal {
  readonly id: AppealId;
  readonly state: AppealState;
  /** Null once it was forgotten. */
  readonly text: string | null;
  readonly askedAt: Date;
  readonly endedAt: Date | null;
  readonly answer: string | null;
}

/** Until when a day can be appealed: null where it is paid, was appealed, or is too long ago. */
export function appealUntil(
  { day, state, appeal }: { readonly day: string; readonly state: DayState; readonly appeal: Appeal | null },
  now: Date,
): Date | null {
  const until = dayBegins(dayAfter(day, 1 + APPEAL_DAYS_MAX));
  return appeal || state === 'open' || state === 'paid' || now >= until ? null : until;
}

export type AppealMade =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly reason: 'unknown-day' | 'appealed' | 'day-paid' | 'appeal-late' | 'appeal-open-limit';
    };

/** As staff see it. */
export interface AppealCase extends Appeal {
  readonly personId: string;
  readonly day: KeptDay;
  /** E-mail; null while it is open. */
  readonly endedBy: string | null;
}

/** A session with days that wait for a person. */
export interface ReviewedSession {
  readonly id: SessionId;
  readonly personId: string;
  readonly days: readonly KeptDay[];
}

export type AppealEnd =
  | { readonly ok: true; readonly state: Exclude<AppealState, 'open'> }
  | { readonly ok: false; readonly reason: 'unknown-appeal' | 'appeal-ended' | 'day-paid' }
  | { readonly ok: false; readonly refusal: MoneyRefusal };

export type DayEnd =
  | { readonly ok: true; readonly day: KeptDay }
  | {
      readonly ok: false;
      readonly reason: 'unknown-day' | 'day-posted' | 'nothing-to-take' | 'day-given-again';
    }
  | { readonly ok: false; readonly refusal: MoneyRefusal };

/** A day, with what its person said of it. */
export interface AppealedDay {
  readonly day: KeptDay;
  readonly appeal: Appeal | null;
}

/** In the language of the person. */
interface DaysOfSession {
  readonly locale: Locale;
  readonly days: readonly AppealedDay[];
}

interface DayOf {
  readonly personId: string;
  /** Whose language it is. */
  readonly recipientId: string;
  readonly sessionId: SessionId;
  /** Null for all of the session. */
  readonly day: string | null;
}

/** What people ask of their own days. */
export interface Appeals {
  /** What became of them: no days where the person has none of these. */
  readonly days: (of: DayOf) => Promise<DaysOfSession>;
  readonly make: (of: {
    readonly personId: string;
    readonly sessionId: SessionId;
    readonly day: string;
    readonly text: string;
  }) => Promise<AppealMade>;
}

interface DayAct {
  readonly sessionId: SessionId;
  readonly day: string;
  readonly staffId: string;
  readonly reason: string;
}

/** What staff do about days of which rules did not simply say pay. Nobody about their own. */
export interface DayReviews {
  /** Open ones the oldest first, others the newest. */
  readonly appeals: (state: AppealState, order: PageOrder) => Promise<Page<AppealCase>>;
  /** Sessions with days in review, oldest first. */
  readonly waiting: (order: PageOrder) => Promise<Page<ReviewedSession>>;
  /** Twice it does the same once. */
  readonly answer: (
    id: AppealId,
    overturns: boolean,
    by: { readonly staffId: string; readonly answer: string },
  ) => Promise<AppealEnd>;
  readonly decide: (act: DayAct, pays: boolean) => Promise<DayEnd>;
  readonly takeBack: (act: DayAct) => Promise<DayEnd>;
}
