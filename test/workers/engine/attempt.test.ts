import { expect, test } from 'vitest';
import type { JobId } from '../../../domain/shared/ids.ts';
import type { ClosingAttempt, JobStore } from '../../../domain/job/store.ts';
import { closeSurely, outcomeOf, saidBy } from '../../../workers/engine/attempt.ts';

const closing: ClosingAttempt = {
  jobId: 'job' as JobId,
  n: 1,
  outcome: 'completed',
  reason: null,
  providerReference: null,
  costMicros: null,
  costCurrency: null,
  latencyMs: 1,
  next: { state: 'completed', reason: null },
};
/** Loses the answer to so many closes. */
function losing(times: number) {
  let tries = 0;
  const store = {
    close: async () => {
      if (++tries <= times) throw new Error(`answer ${tries} lost`);
      return { reported: false, settled: false };
    },
  } as Partial<JobStore> as JobStore;
  return { store, tries: () => tries };
}

test('a close whose answer is lost is repeated; after the fifth the loss is told', async () => {
  const twice = losing(2);
  expect(await closeSurely(twice.store, closing)).toEqual({ reported: false, settled: false });
  expect(twice.tries()).toBe(3);
  const always = losing(Number.POSITIVE_INFINITY);
  await expect(closeSurely(always.store, closing)).rejects.toThrow('answer 5 lost');
});

test('only a provider that is busy costs no attempt, and how long it asked for is kept with the attempt', () => {
  const busy = { kind: 'busy', because: 'provider-busy', retryAfterMs: 7_000 } as const;
  const faulted = { kind: 'faulted', reason: 'network', retryAfterMs: 5_000 } as const;
  expect(outcomeOf(busy)).toEqual({ outcome: 'snoozed', reason: 'provider-busy', retryAfterMs: 7_000 });
  expect(outcomeOf(faulted)).toEqual({ outcome: 'failed', reason: 'network', retryAfterMs: 5_000 });
  expect(outcomeOf({ kind: 'faulted', reason: 'network' })).toEqual({ outcome: 'failed', reason: 'network' });
  expect(outcomeOf({ kind: 'unknown', reason: 'timeout' })).toEqual({
    outcome: 'unknown',
    reason: 'timeout',
  });
  expect(saidBy(faulted)).toEqual({ detail: undefined, retryAfterMs: 5_000 });
});
