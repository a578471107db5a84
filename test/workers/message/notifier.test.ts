import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Notices } from '../../../domain/identity/approval/notice.ts';
import { PLATFORM_PROJECT_ID } from '../../../domain/project/platform.ts';
import { notices } from '../../../infra/postgres/identity/approval/notices.ts';
import { openGround } from '../../infra/postgres/world.ts';
import {
  announcing,
  insertNotice as noticeOf,
  makePerson as personIn,
  toldBy as toldIn,
} from './announcer-world.ts';

let world: Awaited<ReturnType<typeof openGround>>;
beforeAll(async () => {
  world = await openGround();
});
afterAll(() => world.close());

const rounds = (store?: Parameters<typeof announcing>[1]) => announcing(world, store);
const makePerson = (person: Parameters<typeof personIn>[1] = {}) => personIn(world, person);
const insertNotice = (personId: string, kind: string, subjectId: string) =>
  noticeOf(world, personId, kind, subjectId);
const toldBy = (noticeId: string) => toldIn(world, noticeId);

describe('the announcer', () => {
  test('tells a person’s other devices and chats what one device did, in their language', async () => {
    const person = await makePerson({ devices: 3, chat: 7_001 });
    await world.pool.query(
      `insert into recipient (id, project_id, person_id, address_hash, locale, created_at, updated_at) values ($1, $2, $3, $4, 'ru', now(), now())`,
      [randomUUID(), PLATFORM_PROJECT_ID, person.id, world.hash('address', person.id)],
    );
    const [first, ...others] = person.devices;
    const notice = await insertNotice(person.id, 'device-bound', first?.device ?? '');
    await rounds()();
    expect(await toldBy(notice)).toMatchObject([
      {
        kind: 'push',
        content: { notification: { title: 'Подключено новое устройство' }, data: { kind: 'device-bound' } },
        to: others.map(({ recipient }) => recipient).toSorted(),
      },
      { kind: 'telegram-message', to: ['7001'] },
    ]);
  });

  test('tells a device itself that it should fetch a new secret', async () => {
    const person = await makePerson({ devices: 2 });
    const notice = await insertNotice(person.id, 'rotate', person.devices[0]?.device ?? '');
    await rounds()();
    expect(await toldBy(notice)).toMatchObject([
      { kind: 'push', to: [expect.any(String), expect.any(String)] },
    ]);
  });

  test('pushes and writes to nobody of a test key', async () => {
    const person = await makePerson({ mode: 'test', devices: 2, chat: 7_002 });
    const notice = await insertNotice(person.id, 'device-revoked', person.devices[0]?.device ?? '');
    await rounds()();
    expect(await toldBy(notice)).toEqual([]);
  });

  test('tells nobody what happened more than a week ago, and does not look at it again', async () => {
    const person = await makePerson({ devices: 2 });
    const [old, young] = [
      await insertNotice(person.id, 'device-revoked', randomUUID()),
      await insertNotice(person.id, 'device-revoked', randomUUID()),
    ];
    const age = (id: string, days: string) =>
      world.owner.query('update person_notice set at = at - $2::interval where id = $1', [id, days]);
    await age(old, '7 days 1 minute');
    await age(young, '6 days 23 hours');
    await rounds()();
    expect(await toldBy(old)).toEqual([]);
    expect(await toldBy(young)).toHaveLength(1);
    const { rows } = await world.pool.query('select from person_notice where announced_at is null');
    expect(rows).toEqual([]);
  });

  test('tells once, though it died between handing over and writing that down', async () => {
    const person = await makePerson({ devices: 2 });
    const notice = await insertNotice(person.id, 'device-bound', randomUUID());
    const dying: Notices = {
      takeDue: (limit, at, announce) =>
        notices(world.pool).takeDue(limit, at, async (due) => {
          await announce(due);
          throw new Error('killed');
        }),
    };
    await expect(rounds(dying)()).rejects.toThrow('killed');
    expect(await toldBy(notice)).toHaveLength(1);
    await rounds()();
    await rounds()();
    const told = await toldBy(notice);
    expect(told).toHaveLength(1);
    expect(told[0]?.to).toHaveLength(2);
  });
});
