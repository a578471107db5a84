import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SendReply } from '../../../../domain/job/reply.ts';
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

describe('an address that was given anew while the old one was found dead', () => {
  const dead: SendReply = { kind: 'refused', reason: 'token-unregistered', addressIsDead: true };
  const insertPerson = async (phone: string) => {
    const id = randomUUID();
    await world.pool.query(
      `insert into recipient (id, project_id, phone, address_hash, push_token_encrypted, telegram_chat_id, created_at, updated_at)
       values ($1, $2, $3, $4, $5, 1, now(), now())`,
      [
        id,
        caller.projectId,
        phone,
        world.hash('address', phone),
        world.rowEncryption.encrypt('old token', id),
      ],
    );
    return id;
  };
  const person = async (id: string) =>
    (await world.pool.query('select * from recipient where id = $1', [id])).rows[0];

  test('stays: a push token', async () => {
    const [phone, other] = [freshPhone(), freshPhone()];
    const [id, otherId] = [await insertPerson(phone), await insertPerson(other)];
    const { jobId } = await sendCode(world, orderFor(caller, phone, { channels: ['push'] }));
    const encrypted = world.rowEncryption.encrypt('new token', id);
    const push = async () => {
      await world.pool.query('update recipient set push_token_encrypted = $2 where id = $1', [id, encrypted]);
      return dead;
    };
    await world.wake({ push })(jobId);
    expect((await person(id)).push_token_encrypted).toEqual(encrypted);
    const { jobId: plain } = await sendCode(world, orderFor(caller, other, { channels: ['push'] }));
    await world.wake({ push: async () => dead })(plain);
    expect((await person(otherId)).push_token_encrypted).toBeNull();
  });

  test('stays: a chat', async () => {
    const phone = freshPhone();
    const id = await insertPerson(phone);
    const { jobId } = await sendCode(world, orderFor(caller, phone, { channels: ['telegram'] }));
    const telegram = async () => {
      await world.pool.query('update recipient set telegram_chat_id = 2 where id = $1', [id]);
      return dead;
    };
    await world.wake({ telegram })(jobId);
    expect((await person(id)).telegram_blocked_at).toBeNull();
  });
});
