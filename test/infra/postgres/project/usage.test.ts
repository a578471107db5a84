import { afterAll, beforeAll, expect, test } from 'vitest';
import { usageReader } from '../../../../infra/postgres/project/usage.ts';
import { broadcastWorld, type BroadcastWorld } from '../message/broadcast/world.ts';

let world: BroadcastWorld;
beforeAll(async () => {
  world = await broadcastWorld();
});
afterAll(() => world.close());

test('what a busy provider asked to wait is no usage, before retention and after it', async () => {
  const caller = await world.makeCaller();
  await world.sendToChats(caller, [1]);
  const [entry] = await world.schedulerRound('telegram-message', 1);
  if (!entry) throw new Error('nothing was scheduled');
  const { jobId } = entry;
  for (const n of [1, 2, 3]) {
    await world.store.open({ jobId, n, channel: 'telegram', provider: 'telegram' });
    await world.store.close({
      jobId,
      n,
      outcome: n < 3 ? 'snoozed' : 'completed',
      reason: n < 3 ? 'provider-busy' : null,
      providerReference: null,
      costMicros: null,
      costCurrency: null,
      latencyMs: 1,
      next: n < 3 ? { runAt: new Date() } : { state: 'completed', reason: null },
    });
  }
  const today = new Date().toISOString().slice(0, 10);
  const usage = () => usageReader(world.pool).usage(caller.projectId, { from: today, to: today });
  const line = { channel: 'telegram', outcome: 'completed', attempts: 1 };
  expect(await usage()).toMatchObject([line]);
  await world.reconciler.retire(new Date(Date.now() + 40 * 86_400_000), { jobDays: 30, phoneDays: 7 });
  expect((await world.pool.query('select from attempt')).rowCount).toBe(0);
  expect(await usage()).toMatchObject([line]);
});
