import type { AttemptOutcome } from '../job/job.ts';
import type { ProjectId } from '../shared/ids.ts';
import { dayOf } from '../shared/time.ts';

/** A quarter of a year: what an invoice covers, and a bounded read. */
export const USAGE_DAYS_MAX = 92;
/** What is shown where no span is asked for. */
export const USAGE_DAYS_DEFAULT = 30;

const DAY_MS = 86_400_000;

export interface UsageLine {
  /** UTC, as YYYY-MM-DD: the day on which the attempts were opened. */
  readonly day: string;
  /** Empty for a kind of job that has no channel. */
  readonly channel: string;
  readonly outcome: AttemptOutcome;
  readonly attempts: number;
  readonly costMicros: bigint;
}

export interface UsageReader {
  /** Closed attempts from the day `from` to the day `to`, both included. */
  usage(projectId: ProjectId, span: UsageSpan): Promise<UsageLine[]>;
}

export interface UsageSpan {
  readonly from: string;
  readonly to: string;
}

/** The span asked for, its missing ends filled in; null where it is backwards or too long. */
export function usageSpan(
  asked: { from?: string | undefined; to?: string | undefined },
  now: Date,
): UsageSpan | null {
  const to = asked.to ?? dayOf(now);
  const from = asked.from ?? dayOf(new Date(Date.parse(to) - (USAGE_DAYS_DEFAULT - 1) * DAY_MS));
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
  return days >= 1 && days <= USAGE_DAYS_MAX ? { from, to } : null;
}
