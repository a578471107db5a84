import { raw, type RawQueryFragment } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Staff } from '../entities.ts';

/** Wrong passwords and second factors in a row before the account is locked: the fifth may still be the right one. */
export const FAILED_LOGINS_MAX = 5;
/** Long enough that guessing takes years, short enough that its owner need call nobody. */
export const LOCK_MINUTES = 15;

const MINUTE_MS = 60_000;

export interface CountedTry {
  readonly staff: Staff;
  /** Why this try is not to be looked at, and was not counted; null where it is. */
  readonly barred: 'locked' | 'disabled' | null;
}

/**
 * Counts a try as failed before it is looked at, in one UPDATE, so that a hundred guesses sent at once count as a
 * hundred. A lock that has passed starts the count afresh.
 */
export async function countTry(
  em: EntityManager,
  who: { readonly email: string } | { readonly id: string },
  what: 'password' | 'second-factor',
  now: Date,
): Promise<CountedTry | null> {
  const count = `case when locked_until <= ? then 1 else failed_logins + 1 end`;
  const lockedUntil = new Date(now.getTime() + LOCK_MINUTES * MINUTE_MS);
  const open = { ...who, disabledAt: null, $or: [{ lockedUntil: null }, { lockedUntil: { $lte: now } }] };
  const factors = { secondFactorFailures: raw<RawQueryFragment>('second_factor_failures + 1') };
  const counted = await em.nativeUpdate(Staff, open, {
    failedLogins: raw<RawQueryFragment>(count, [now]),
    lockedUntil: raw<RawQueryFragment>(`case when ${count} >= ? then ?::timestamptz end`, [
      now,
      FAILED_LOGINS_MAX,
      lockedUntil,
    ]),
    ...(what === 'second-factor' ? factors : {}),
  });
  const staff = await em.findOne(Staff, who);
  if (!staff) return null;
  return { staff, barred: counted > 0 ? null : staff.disabledAt ? 'disabled' : 'locked' };
}

/** A right password is no failure, and forgives none: a guesser who has it would get new guesses at the second factor. */
export async function takeBackTry(em: EntityManager, id: string): Promise<void> {
  await em.nativeUpdate(
    Staff,
    { id },
    {
      failedLogins: raw<RawQueryFragment>('greatest(failed_logins - 1, 0)'),
      lockedUntil: raw<RawQueryFragment>('case when failed_logins > ? then locked_until end', [
        FAILED_LOGINS_MAX,
      ]),
    },
  );
}

/** A right second factor comes after a right password. */
export async function forgiveTries(em: EntityManager, id: string): Promise<void> {
  await em.nativeUpdate(Staff, { id }, { failedLogins: 0, lockedUntil: null, secondFactorFailures: 0 });
}
