import type { Redis } from 'ioredis';
import {
  FAILURE_WINDOW_SECONDS,
  FAILURES_MAX,
  type FailedAttemptLimiter,
  type Guesser,
} from '../../domain/shared/failed-attempt-limiter.ts';
import { type Subject, windowCounts } from './window-counts.ts';

/** Counts wrong checks in Redis over all processes. */
export function failedAttemptLimiter(redis: Redis): FailedAttemptLimiter & { readonly close: () => void } {
  const counts = windowCounts(redis);
  return {
    enter: async (guesser) => {
      const counted: Subject[] = [];
      const waitsMs = await Promise.allSettled(
        limitsOf(guesser).map(async ({ subject, max }) => {
          const { taken, resetMs } = await counts.addShared(subject);
          counted.push(subject);
          return taken > max ? resetMs : 0;
        }),
      );
      const failed = waitsMs.find((each) => each.status === 'rejected');
      const longestMs = Math.max(0, ...waitsMs.map((each) => (each.status === 'fulfilled' ? each.value : 0)));
      // A guesser who is blocked by one limit does not use up the others. What could not be counted took its count back already:
      // to take it back here would take back another guess's.
      if (failed || longestMs > 0) for (const subject of counted) counts.forgive(subject);
      if (failed) throw failed.reason;
      return longestMs > 0 ? Math.ceil(longestMs / 1_000) : null;
    },
    forgive: (guesser) => {
      for (const { subject } of limitsOf(guesser)) counts.forgive(subject);
    },
    close: () => counts.close(),
  };
}

interface Limit {
  readonly subject: Subject;
  readonly max: number;
}

function limitsOf({ clients, keyId, projectId }: Guesser): Limit[] {
  const from = clients.map(({ subject, times }) =>
    limit(`client:${projectId}:${subject}`, FAILURES_MAX.client * times),
  );
  if (keyId === null) return from;
  return [
    ...from,
    limit(`key:${keyId}`, FAILURES_MAX.key),
    limit(`project:${projectId}`, FAILURES_MAX.project),
  ];
}

const limit = (name: string, max: number): Limit => ({
  subject: { key: `failures-${name}`, windowSeconds: FAILURE_WINDOW_SECONDS, forgives: true },
  max,
});
