import { afterAll } from 'vitest';
import type { JobId } from '../../../../domain/shared/ids.ts';
import { openWorld } from './world.ts';

export const prefixOf = (phone: string) => phone.slice(0, -4);

/** A project that pays for its messages, in a world of this file's own; each number has a prefix of its own. */
export async function openPaidSends() {
  const world = await openWorld();
  afterAll(() => world.close());
  const caller = await world.makeProject({ sends_per_hour: 100 });
  let next = 0;
  const openPaid = (jobId: JobId, phone: string, channel: 'sms' | 'telegram-gateway', n = 1) =>
    world.paid.open({
      jobId,
      n,
      channel,
      provider: channel,
      projectId: caller.projectId,
      addressHash: world.hash('address', phone),
      scored: { prefix: prefixOf(phone), ip: null, device: null },
      isTrusted: false,
      isLater: false,
      askedBy: 'service',
      budget: { budgetMicros: 20_000_000, strangerBudgetMicros: 10_000_000 },
      reservedMicros: 10_000,
    });
  const refuse = (jobId: JobId, n = 1) =>
    world.store.close({
      jobId,
      n,
      outcome: 'rejected',
      reason: 'not-on-telegram',
      providerReference: null,
      costMicros: null,
      costCurrency: null,
      latencyMs: 5,
      next: { runAt: new Date() },
    });
  return { world, caller, freshPhone: () => `+99893${100 + next++}0000`, openPaid, refuse };
}
