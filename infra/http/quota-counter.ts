import type { Redis } from 'ioredis';
import { type Quota, type QuotaCounter, windowSecondsOf } from '../../domain/project/quota.ts';
import { type Subject, windowCounts } from './window-counts.ts';

export { LIMIT_TIMEOUT_MS, limitConnection } from './window-counts.ts';

export interface OpenQuotaCounter extends QuotaCounter {
  /** `local` while Redis does not answer in time: each process then goes on from what it was last told. */
  state(): 'shared' | 'local';
  close(): void;
}

/** Counts in Redis over all processes; see `window-counts.ts` for what holds while Redis is away. */
export function quotaCounter(redis: Redis): OpenQuotaCounter {
  const counts = windowCounts(redis);
  return {
    take: (quota) => (quota.failsClosed ? counts.addShared(subjectOf(quota)) : counts.add(subjectOf(quota))),
    state: () => counts.state(),
    close: () => counts.close(),
  };
}

/** The key names the window too: a limit whose window was changed begins anew, and never ends with the old one's. */
function subjectOf(quota: Quota): Subject {
  const windowSeconds = windowSecondsOf(quota);
  return { key: `${quota.name}:${windowSeconds}:${quota.subject}`, windowSeconds };
}
