import { afterAll, beforeAll, expect, test } from 'vitest';
import { messageSettle } from '../../../../infra/postgres/message/settle.ts';
import { broadcastWorld, type BroadcastWorld } from './broadcast/world.ts';

let world: BroadcastWorld;
beforeAll(async () => {
  world = await broadcastWorld();
});
afterAll(() => world.close());

async function waitsUntil(broadcastId: string, now: Date): Promise<Date | null> {
  const { rows } = await world.pool.query<{ until: Date | null }>(
    `select ${messageSettle.waitsUntil?.('$2::timestamptz')} until from job where subject_id = $1`,
    [broadcastId, now],
  );
  return rows[0]?.until ?? null;
}

test('a message is waited for until its broadcast expires, and not once that was cancelled', async () => {
  const caller = await world.makeCaller();
  const expiresAt = new Date(Date.now() + 3_600_000);
  const { id } = await world.sendToChats(caller, [1], { expiresAt });
  expect(await waitsUntil(id, new Date(expiresAt.getTime() - 1))).toEqual(expiresAt);
  expect(await waitsUntil(id, expiresAt)).toBeNull();
  await world.command(caller, id, 'pause');
  expect(await waitsUntil(id, new Date())).toEqual(expiresAt);
  await world.command(caller, id, 'cancel');
  expect(await waitsUntil(id, new Date())).toBeNull();
});
