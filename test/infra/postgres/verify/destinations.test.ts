import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DeviceId } from '../../../../domain/identity/device/device.ts';
import { PersonId } from '../../../../domain/identity/person/person.ts';
import { destinations, liftLocks } from '../../../../infra/postgres/verify/destinations.ts';
import { openWorld, type World } from './world.ts';

let world: World;
let caller: Awaited<ReturnType<World['makeProject']>>;
let next = 0;
const freshPhone = () => `+99894${100 + next++}0000`;

beforeAll(async () => {
  world = await openWorld();
  caller = await world.makeProject({ sends_per_hour: 100 });
});
afterAll(() => world.close());

/** They approved for it before. */
const knows = (projectId: string, personId: string) =>
  world.pool.query(
    `insert into recipient (id, project_id, handle, address_hash, person_id, created_at, updated_at)
     values ($1, $2, $5, $3, $4, now(), now())`,
    [randomUUID(), projectId, world.hash('address', randomUUID()), personId, `known ${personId}`],
  );

describe('a person lifts the locks of their phones', () => {
  const lockIn = (projectId: string, addressHash: Buffer) =>
    world.pool.query(
      `insert into destination (project_id, address_hash, failed_checks, locked_at, updated_at) values ($1, $2, 100, now(), now())`,
      [projectId, addressHash],
    );
  const person = async (phones: readonly string[]) => {
    const personId = PersonId.parse(randomUUID());
    await world.pool.query('insert into person (id, created_at) values ($1, now())', [personId]);
    for (const phone of phones)
      await world.pool.query(
        `insert into person_phone (address_hash, person_id, phone, proof, proven_at) values ($1, $2, $3, 'code', now())`,
        [world.hash('address', phone), personId, phone],
      );
    return personId;
  };
  const locked = async (phone: string) =>
    (
      await world.pool.query('select from destination where address_hash = $1 and locked_at is not null', [
        world.hash('address', phone),
      ])
    ).rowCount;
  const told = async (personId: string) =>
    (await world.pool.query('select kind from person_notice where person_id = $1', [personId])).rows;

  const lockedIn = async (phone: string) => {
    const { rows } = await world.pool.query<{ project_id: string }>(
      'select project_id from destination where address_hash = $1 and locked_at is not null order by project_id',
      [world.hash('address', phone)],
    );
    return rows.map(({ project_id }) => project_id);
  };

  test('by an approval where it is asked for and where they are known, by themselves where they are known, and nowhere else', async () => {
    const mine = freshPhone();
    const personId = await person([mine]);
    const [asking, knowing, strange] = [caller, await world.makeProject(), await world.makeProject()];
    for (const { projectId } of [asking, knowing, strange])
      await lockIn(projectId, world.hash('address', mine));
    await knows(knowing.projectId, personId);
    const deviceId = DeviceId.parse(randomUUID());
    expect(await destinations(world.pool).lift(personId, deviceId, new Date())).toBe(1);
    expect(await lockedIn(mine)).toEqual([asking.projectId, strange.projectId].toSorted());
    await world.pool.query('update destination set locked_at = now() where project_id = $1', [
      knowing.projectId,
    ]);
    const approval = { projectId: asking.projectId, deviceId };
    expect(await liftLocks(world.pool, personId, approval, new Date())).toBe(2);
    expect(await lockedIn(mine)).toEqual([strange.projectId]);
  });

  test('in every project that knows them, of nobody else, and are told so once', async () => {
    const [mine, others] = [freshPhone(), freshPhone()];
    const [personId, other] = [await person([mine]), await world.makeProject()];
    for (const { projectId } of [caller, other]) {
      await knows(projectId, personId);
      for (const phone of [mine, others]) await lockIn(projectId, world.hash('address', phone));
    }
    const deviceId = DeviceId.parse(randomUUID());
    const lift = () => destinations(world.pool).lift(personId, deviceId, new Date());
    expect(await lift()).toBe(2);
    expect([await locked(mine), await locked(others)]).toEqual([0, 2]);
    expect(await lift()).toBe(0);
    expect(await told(personId)).toEqual([{ kind: 'lock-lifted' }]);
  });

  test('from a chat that is proven to be theirs, if their phone is proven too', async () => {
    const phone = freshPhone();
    const [withPhone, without] = [await person([phone]), await person([])];
    const chats = [7_100_000_001, 7_100_000_002] as const;
    for (const [index, personId] of [withPhone, without].entries())
      await world.pool.query(
        `insert into person_chat (mode, telegram_id, person_id, proven_at) values ('live', $1, $2, now())`,
        [chats[index], personId],
      );
    const other = await world.makeProject();
    for (const { projectId } of [caller, other]) await lockIn(projectId, world.hash('address', phone));
    const liftFrom = (chat: number) =>
      destinations(world.pool).liftFromChat(chat, caller.projectId, new Date());
    expect(await liftFrom(chats[1])).toBeNull();
    expect(await liftFrom(7_100_000_003)).toBeNull();
    expect(await liftFrom(chats[0])).toBe(1);
    // Where the bot is another's, only if they are known there.
    expect(await lockedIn(phone)).toEqual([other.projectId]);
    expect(await told(withPhone)).toEqual([{ kind: 'lock-lifted' }]);
  });
});
