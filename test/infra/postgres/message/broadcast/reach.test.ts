import { randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BroadcastOrder } from '../../../../../domain/message/broadcast/broadcast.ts';
import { broadcastIntake } from '../../../../../infra/postgres/message/broadcast/intake.ts';
import { rowEncryption } from '../../../../../infra/process/crypto.ts';
import { type BroadcastWorld, broadcastWorld } from './world.ts';

/** Of a process with a key that ours lacks. */
const anotherKey = rowEncryption({ current: 'elsewhere', keys: new Map([['elsewhere', randomBytes(32)]]) });

let world: BroadcastWorld;
let caller: BroadcastOrder['caller'];
beforeAll(async () => {
  world = await broadcastWorld();
  caller = await world.makeCaller();
});
afterAll(() => world.close());

/** A recipient whose push token is stored as these bytes; of their own token where there are none. */
async function withToken(bytes?: Buffer, id = uuidv7()): Promise<string> {
  await world.pool.query(
    `insert into recipient (id, project_id, address_hash, push_token_encrypted, created_at, updated_at)
     values ($1, $2, $3, $4, now(), now())`,
    [id, caller.projectId, randomBytes(32), bytes ?? world.rowEncryption.encrypt(`device of ${id}`, id)],
  );
  return id;
}

test('a push token that cannot be opened makes its recipient unreachable, and no other order of the batch fails', async () => {
  const { pool, hash, rowEncryption: encryption } = world;
  const intake = broadcastIntake({ pool, hash, encryption, now: () => new Date() });
  const order = (...ids: string[]) =>
    world.orderOf(
      caller,
      'push',
      ids.map((recipientId) => ({ by: 'recipient', recipientId })) as BroadcastOrder['targets'],
    );
  const [damaged, sound] = [await withToken(Buffer.from('damaged')), await withToken()];
  const answers = await Promise.all([
    intake.accept(order(damaged)),
    intake.accept(order(sound)),
    intake.accept(order(damaged, sound)),
  ]);
  expect(answers).toMatchObject([
    { kind: 'unreachable' },
    { kind: 'accepted', total: 1 },
    { kind: 'accepted', named: 2, total: 1 },
  ]);
});

test('a destination that is named by its token and by its recipient is told once', async () => {
  const id = await withToken();
  const order = world.orderOf(caller, 'push', [
    { by: 'token', token: `device of ${id}` },
    { by: 'recipient', recipientId: id },
  ] as BroadcastOrder['targets']);
  const accepted = await world.accept(order);
  expect(accepted).toMatchObject({ named: 2, duplicates: 1, total: 1 });
  const { rows } = await world.pool.query(`select payload->'to' "to" from job where id = $1`, [
    accepted.jobId,
  ]);
  expect(rows).toEqual([{ to: { by: 'recipient', recipient_id: id } }]);
});

test('an order whose recipient needs a key that this process lacks fails, alone, and is not called unreachable', async () => {
  const id = uuidv7();
  await withToken(anotherKey.encrypt('device', id), id);
  const sound = await withToken();
  const [lacking, accepted] = await Promise.allSettled(
    [id, sound].map((recipientId) =>
      world.accept(
        world.orderOf(caller, 'push', [{ by: 'recipient', recipientId }] as BroadcastOrder['targets']),
      ),
    ),
  );
  expect(lacking).toMatchObject({ reason: { message: 'no encryption key elsewhere' } });
  expect(accepted).toMatchObject({ value: { total: 1 } });
});
