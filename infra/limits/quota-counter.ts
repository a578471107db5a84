import type { Redis } from 'ioredis';
import {
  type Quota,
  type QuotaCounter,
  type Quotas,
  type Taken,
  windowSecondsOf,
} from '../../domain/project/quota.ts';
import { type Subject, type WindowCounts, windowCounts } from './window-counts.ts';

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
    take: (quotas) => take(counts, quotas),
    state: () => counts.state(),
    close: () => counts.close(),
  };
}

/**
 * A limit that this process knows to be used up is not asked for again: a flood costs Redis nothing. Otherwise all are counted
 * together, and where one turns out to be exceeded, by what other processes counted, those behind it are given back.
 */
async function take(counts: WindowCounts, quotas: Quotas): Promise<readonly [Taken, ...Taken[]]> {
  const known = quotas.map((quota) => counts.next(subjectOf(quota)));
  const used = quotas.findIndex((quota, n) => (known[n]?.taken ?? 0) > quota.limit);
  const wanted = used === -1 ? quotas : quotas.slice(0, used);
  const counted = await Promise.allSettled(
    wanted.map((quota) =>
      quota.failsClosed ? counts.addShared(subjectOf(quota)) : counts.add(subjectOf(quota)),
    ),
  );
  const giveBack = (from: number) =>
    counted.forEach((each, n) => {
      if (n >= from && each.status === 'fulfilled') counts.forgive(subjectOf(wanted[n] as Quota));
    });
  const told: Taken[] = [];
  for (const [n, each] of counted.entries()) {
    if (each.status === 'rejected') {
      giveBack(0);
      throw each.reason;
    }
    told.push(each.value);
    if (each.value.taken <= (wanted[n] as Quota).limit) continue;
    giveBack(n + 1);
    return told as [Taken, ...Taken[]];
  }
  const full = known[used];
  return [...told, ...(full ? [full] : [])] as unknown as [Taken, ...Taken[]];
}

/** The key names the window too: a limit whose window was changed begins anew, and never ends with the old one's. */
function subjectOf(quota: Quota): Subject {
  const windowSeconds = windowSecondsOf(quota);
  return { key: `${quota.name}:${windowSeconds}:${quota.subject}`, windowSeconds };
}
