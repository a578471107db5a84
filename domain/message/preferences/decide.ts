import type { Preferences } from './preferences.ts';
import { openMs, quietEnd, ZONE_DEFAULT } from './quiet-hours.ts';

/** 10 min: what a night has gathered does not leave in one second of the morning. */
const SPREAD_MS = 600_000;

export interface MessageFacts {
  readonly category: string;
  /** Passes quiet hours and a category that is off; never an opt-out. */
  readonly isCritical: boolean;
  readonly deadlineAt: Date;
  /** 0 to 1, the same at each look at the message: where in the minutes after quiet hours it leaves. */
  readonly share: number;
}

export type NotWanted = 'recipient-opted-out' | 'category-off' | 'quiet-hours';

export type Wish =
  | { readonly kind: 'send' }
  | { readonly kind: 'wait'; readonly until: Date }
  | { readonly kind: 'not'; readonly reason: NotWanted };

/**
 * May a message go to somebody now? Whoever said that they want nothing gets nothing, however critical. Quiet hours that outlast the
 * message's deadline end it.
 */
export function decideWish(preferences: Preferences, message: MessageFacts, now: Date): Wish {
  const { optedOutAt, categoriesOff, quietHours, timeZone } = preferences;
  if (optedOutAt !== null) return { kind: 'not', reason: 'recipient-opted-out' };
  if (message.isCritical) return { kind: 'send' };
  if (categoriesOff.includes(message.category)) return { kind: 'not', reason: 'category-off' };
  const end = quietHours && quietEnd(quietHours, timeZone ?? ZONE_DEFAULT, now);
  if (!quietHours || !end) return { kind: 'send' };
  const roomMs = message.deadlineAt.getTime() - end.getTime();
  if (roomMs <= 0) return { kind: 'not', reason: 'quiet-hours' };
  const spreadMs = Math.min(SPREAD_MS, roomMs, openMs(quietHours)) * message.share;
  return { kind: 'wait', until: new Date(end.getTime() + Math.floor(spreadMs)) };
}

/** The same where several recipients have one chat: whoever wants least decides. */
export function decideWishes(all: readonly Preferences[], message: MessageFacts, now: Date): Wish {
  const wishes = all.map((preferences) => decideWish(preferences, message, now));
  const not = wishes.find(({ kind }) => kind === 'not');
  if (not) return not;
  const waits = wishes.flatMap((wish) => (wish.kind === 'wait' ? wish.until.getTime() : []));
  return waits.length === 0 ? { kind: 'send' } : { kind: 'wait', until: new Date(Math.max(...waits)) };
}

/** 32 bits of a job's id, of its random end, as a share of 1. */
export const shareOf = (jobId: string): number => Number.parseInt(jobId.slice(-8), 16) / 2 ** 32;
