import { raw, type RawQueryFragment } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Staff, StaffBrowser } from './entities.ts';
import { findBrowser } from './browsers.ts';

/** Wrong passwords and second factors in a row before the account is locked: the fifth may still be the right one. */
export const FAILED_LOGINS_MAX = 5;
/** Long enough that guessing takes years, short enough that its owner need call nobody. */
export const LOCK_MINUTES = 15;

const MINUTE_MS = 60_000;

/** Who tries, and from where. */
export interface Trying {
  readonly who: { readonly id: string };
  readonly kind: 'password' | 'second-factor';
  /** What the browser's cookie says; it counts where this account logged in there before. */
  readonly browser: string | null;
}

export interface CountedTry {
  readonly staff: Staff;
  /** Where the account logged in before: the try was counted for it alone. */
  readonly browser: StaffBrowser | null;
  readonly secondFactorFailures: number;
  /** Why this try is not to be looked at, and was not counted; null where it is. */
  readonly barred: 'locked' | 'disabled' | null;
}

/**
 * Counts a try as failed before it is looked at, in one UPDATE, so that a hundred guesses sent at once count as a
 * hundred. A lock that has passed starts the count afresh.
 */
export async function countTry(
  em: EntityManager,
  { who, kind: what, browser: token }: Trying,
  now: Date,
): Promise<CountedTry | null> {
  const known = await em.findOne(Staff, who);
  const browser = await findBrowser(em, who.id, token, now);
  const isOpen = { $or: [{ lockedUntil: null }, { lockedUntil: { $lte: now } }] };
  const counted = known?.disabledAt
    ? 0
    : browser
      ? await em.nativeUpdate(StaffBrowser, { tokenHash: browser.tokenHash, ...isOpen }, oneMore(what, now))
      : await em.nativeUpdate(Staff, { id: who.id, disabledAt: null, ...isOpen }, oneMore(what, now));
  // Not sooner: whoever measures would learn which emails have a login.
  const staff = await em.findOne(Staff, who, { refresh: true });
  if (!staff) return null;
  const { secondFactorFailures } = browser ? await em.refreshOrFail(browser) : staff;
  const barred = counted > 0 ? null : staff.disabledAt ? 'disabled' : 'locked';
  return { staff, browser, secondFactorFailures, barred };
}

function oneMore(what: Trying['kind'], now: Date) {
  const count = `case when locked_until <= ? then 1 else failed_logins + 1 end`;
  const lockedUntil = new Date(now.getTime() + LOCK_MINUTES * MINUTE_MS);
  const factors = { secondFactorFailures: raw<RawQueryFragment>('second_factor_failures + 1') };
  return {
    failedLogins: raw<RawQueryFragment>(count, [now]),
    lockedUntil: raw<RawQueryFragment>(`case when ${count} >= ? then ?::timestamptz end`, [
      now,
      FAILED_LOGINS_MAX,
      lockedUntil,
    ]),
    ...(what === 'second-factor' ? factors : {}),
  };
}

/** A right password is no failure, and forgives none: a guesser who has it would get new guesses at the second factor. */
export async function takeBackTry(em: EntityManager, { staff, browser }: CountedTry): Promise<void> {
  const oneLess = {
    failedLogins: raw<RawQueryFragment>('greatest(failed_logins - 1, 0)'),
    lockedUntil: raw<RawQueryFragment>('case when failed_logins > ? then locked_until end', [
      FAILED_LOGINS_MAX,
    ]),
  };
  if (browser) await em.nativeUpdate(StaffBrowser, { tokenHash: browser.tokenHash }, oneLess);
  else await em.nativeUpdate(Staff, { id: staff.id }, oneLess);
}

const none = { failedLogins: 0, lockedUntil: null, secondFactorFailures: 0 } as const;

/** A right second factor comes after a right password. It forgives what was counted with it: not what strangers did elsewhere. */
export async function forgiveTries(
  em: EntityManager,
  staffId: string,
  browser: Pick<StaffBrowser, 'tokenHash'> | null,
): Promise<void> {
  if (browser) await em.nativeUpdate(StaffBrowser, { tokenHash: browser.tokenHash }, none);
  else await em.nativeUpdate(Staff, { id: staffId }, none);
}

/** Everybody, strangers and known browsers, may try again. */
export async function forgiveAll(em: EntityManager, staffId: string): Promise<void> {
  await em.nativeUpdate(Staff, { id: staffId }, none);
  await em.nativeUpdate(StaffBrowser, { staff: staffId }, none);
}
