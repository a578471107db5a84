import type { EntityManager } from '@mikro-orm/postgresql';
import {
  type GivenFactor,
  readFactor,
  SECOND_FACTOR_FAILURES_MAX,
  type Shown,
} from '../../../domain/staff/second-factor.ts';
import type { StaffBrowser } from './entities.ts';
import { countTry } from './lock.ts';

/** What was given, counted as failed before it is looked at, whatever becomes of the rest; or why it isn't looked at. */
export async function countedFactor(
  em: EntityManager,
  staffId: string,
  shown: Shown,
  now: Date,
): Promise<{
  readonly given: GivenFactor | 'malformed' | 'locked' | 'blocked' | 'gone';
  readonly browser: StaffBrowser | null;
}> {
  const given = readFactor(shown.code);
  // A slip of the finger that no code can be is no guess.
  if (!given) return { given: 'malformed', browser: null };
  const trying = { who: { id: staffId }, kind: 'second-factor', browser: shown.browser } as const;
  const counted = await countTry(em.fork(), trying, now);
  if (!counted || counted.barred === 'disabled') return { given: 'gone', browser: null };
  const { browser, secondFactorFailures, barred } = counted;
  if (secondFactorFailures > SECOND_FACTOR_FAILURES_MAX) return { given: 'blocked', browser };
  return { given: barred ?? given, browser };
}
