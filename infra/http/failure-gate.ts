import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import {
  FAILURE_WINDOW_SECONDS,
  FAILURES_MAX,
  type FailureGate,
  type Guesser,
} from '../../domain/otp/failure-gate.ts';

type Who = keyof typeof FAILURES_MAX;

/** Counts wrong checks in Redis over all processes; while it is away, in this one. */
export function failureGate(redis: Redis): FailureGate {
  const limiters = Object.fromEntries(
    Object.entries(FAILURES_MAX).map(([who, points]) => {
      const options = { keyPrefix: `failures-${who}`, points, duration: FAILURE_WINDOW_SECONDS };
      return [
        who,
        new RateLimiterRedis({
          ...options,
          storeClient: redis,
          insuranceLimiter: new RateLimiterMemory(options),
        }),
      ];
    }),
  ) as Record<Who, RateLimiterRedis>;
  return {
    blockedSeconds: async (guesser) => {
      const waits = await Promise.all(
        subjects(guesser).map(async ([who, subject]) => {
          const found = await limiters[who].get(subject);
          return found && found.consumedPoints >= FAILURES_MAX[who]
            ? Math.ceil(found.msBeforeNext / 1_000)
            : 0;
        }),
      );
      const longest = Math.max(...waits);
      return longest > 0 ? longest : null;
    },
    count: async (guesser) => {
      await Promise.all(subjects(guesser).map(([who, subject]) => limiters[who].penalty(subject)));
    },
  };
}

function subjects({ client, keyId, projectId }: Guesser): [Who, string][] {
  const shared: [Who, string][] = [
    ['key', keyId],
    ['project', projectId],
  ];
  return client === null ? shared : [['client', `${projectId}:${client}`], ...shared];
}
