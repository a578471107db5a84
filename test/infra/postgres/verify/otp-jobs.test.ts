import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobId } from '../../../../domain/shared/ids.ts';
import { openWorld, orderFor, sendCode, type World } from './world.ts';

let world: World;
let caller: Awaited<ReturnType<World['makeProject']>>;
let next = 0;
/** Each has a prefix of its own, or what is never verified would block the others. */
const freshPhone = () => `+99890${100 + next++}0000`;

beforeAll(async () => {
  world = await openWorld();
  caller = await world.makeProject();
});
afterAll(() => world.close());

test('a number that goes to another recipient takes no code along that was sent for the last one', async () => {
  const phone = freshPhone();
  const insert = (handle: string, chatId: number, to: string | null) =>
    world.pool.query(
      `insert into recipient (id, project_id, handle, phone, address_hash, telegram_chat_id, created_at, updated_at)
       values (gen_random_uuid(), $1, $2, $3, $4, $5, now(), now())`,
      [caller.projectId, handle, to, world.hash('address', to ?? handle), chatId],
    );
  await insert('alice-before', 4711, phone);
  const { jobId } = await sendCode(world, orderFor(caller, phone, { channels: ['telegram', 'sms'] }));
  expect((await world.jobs.read(jobId))?.addresses).toMatchObject({ phone, chatId: '4711' });
  await world.pool.query(
    `update recipient set phone = null, address_hash = $2 where project_id = $1 and handle = 'alice-before'`,
    [caller.projectId, world.hash('address', 'alice-before')],
  );
  await insert('bob-after', 4712, phone);
  expect((await world.jobs.read(jobId))?.addresses).toMatchObject({ phone, chatId: null });
});

test('a push token that no key opens any more spoils no other job of its batch', async () => {
  const phones = [freshPhone(), freshPhone()];
  for (const [index, phone] of phones.entries())
    await world.pool.query(
      `insert into recipient (id, project_id, phone, address_hash, push_token_encrypted, created_at, updated_at)
       values (gen_random_uuid(), $1, $2, $3, $4, now(), now())`,
      [
        caller.projectId,
        phone,
        world.hash('address', phone),
        index === 0 ? Buffer.from([2, 107, 57, 0, 0]) : null,
      ],
    );
  const [broken, whole] = await Promise.all(
    phones.map((phone) => sendCode(world, orderFor(caller, phone, { channels: ['push', 'sms'] }))),
  );
  const read = await Promise.all([broken, whole].map((sent) => world.jobs.read(sent?.jobId as JobId)));
  expect(read.map((found) => found?.addresses)).toEqual(
    phones.map((phone) => ({ phone, chatId: null, pushToken: null })),
  );
});

test('a job of another kind is not read, though its subject is a verification', async () => {
  const { jobId } = await sendCode(world, orderFor(caller, freshPhone(), { channels: ['sms'] }));
  await world.owner.query(`update job set kind = 'webhook' where id = $1`, [jobId]);
  expect(await world.jobs.read(jobId)).toBeNull();
});
