import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Notices } from '../../../domain/identity/approval/notice.ts';
import { APP_PUSHES_PER_HOUR, PUSHES_PER_HOUR } from '../../../domain/identity/approval/push-limits.ts';
import { PLATFORM_PROJECT_ID } from '../../../domain/project/platform.ts';
import { broadcastIntake } from '../../../infra/postgres/message/broadcast/intake.ts';
import { notices } from '../../../infra/postgres/identity/approval/notices.ts';
import { announcer } from '../../../workers/message/notifier.ts';
import { openWorld, type World } from '../../infra/postgres/verify/world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const now = () => new Date();
const intake = () =>
  broadcastIntake({ pool: world.pool, hash: world.hash, encryption: world.rowEncryption, now });
const rounds = (store: Notices = notices(world.pool)) => announcer({ notices: store, intake: intake(), now });

/** Somebody with so many devices that can be pushed to, and a chat. */
async function makePerson({ devices = 1, mode = 'live', chat = null as number | null } = {}) {
  const id = randomUUID();
  await world.pool.query('insert into person (id, mode, created_at) values ($1, $2, now())', [id, mode]);
  const bound = Array.from({ length: devices }, async () => {
    const [device, recipient] = [randomUUID(), randomUUID()];
    await world.pool.query(
      `insert into recipient (id, project_id, handle, address_hash, push_token_encrypted, created_at, updated_at)
       values ($1, $2, $3, $4, $5, now(), now())`,
      [
        recipient,
        PLATFORM_PROJECT_ID,
        `device:${device}`,
        world.hash('address', recipient),
        world.rowEncryption.encrypt(`token ${device}`, recipient),
      ],
    );
    await world.pool.query(
      `insert into device (id, person_id, kind, name, public_key, recipient_id, totp_encrypted, created_at, bound_at)
       values ($1, $2, 'app', 'x', '{}', $3, '', now(), now())`,
      [device, id, recipient],
    );
    return { device, recipient };
  });
  if (chat !== null)
    await world.pool.query(
      `insert into person_chat (mode, telegram_id, person_id, proven_at) values ($1, $2, $3, now())`,
      [mode, chat, id],
    );
  return { id, devices: await Promise.all(bound) };
}

const insertNotice = async (personId: string, kind: string, subjectId: string) => {
  const id = randomUUID();
  await world.pool.query(
    'insert into person_notice (id, person_id, kind, subject_id, at) values ($1, $2, $3, $4, now())',
    [id, personId, kind, subjectId],
  );
  return id;
};

/** A challenge, with its notice; of a project that the person never approved for, where none is named. */
async function insertChallenge(
  personId: string,
  { projectId: of, askedBy = 'service' }: { projectId?: string; askedBy?: 'service' | 'stranger' } = {},
): Promise<string> {
  const [id, jobId, verificationId] = [randomUUID(), randomUUID(), randomUUID()];
  const projectId = of ?? (await world.makeProject()).projectId;
  await world.pool.query(
    `insert into verification (id, project_id, address_hash, purpose, mode, code_kid, code_length, checks_max, check_by_to, channels, locale,
       job_id, ttl_seconds, created_at, sent_at, expires_at, asked_by)
     values ($1, $2, $3, 'login', 'live', 'k1', 6, 5, false, '{push}', 'uz', $4, 300, now(), now(), now() + interval '5 minutes', $5)`,
    [verificationId, projectId, world.hash('address', verificationId), jobId, askedBy],
  );
  await world.pool.query(
    `insert into challenge (id, job_id, verification_id, project_id, person_id, created_at, expires_at)
     values ($1, $2, $3, $4, $5, now(), now() + interval '5 minutes')`,
    [id, jobId, verificationId, projectId, personId],
  );
  await insertNotice(personId, 'challenge', id);
  return id;
}

/** What was handed over: to whom, and in what words. */
async function toldBy(noticeId: string) {
  const { rows } = await world.pool.query<{ kind: string; content: Record<string, unknown>; to: string[] }>(
    `select b.kind, b.content, array(select coalesce(j.payload -> 'to' ->> 'recipient_id', j.payload ->> 'chat_id') from job j
       where j.subject_id = b.id order by 1) "to"
     from broadcast b where b.dedupe_key = $1 and b.project_id = $2 order by b.kind`,
    [`notice:${noticeId}`, PLATFORM_PROJECT_ID],
  );
  return rows;
}

const pushedOf = async (ids: readonly string[]) => {
  const { rows } = await world.pool.query<{ pushed: string | null }>(
    'select pushed from challenge where id = any($1) order by pushed',
    [ids],
  );
  return rows.map(({ pushed }) => pushed);
};

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

  test('pushes the id of a challenge, and nothing of what it asks', async () => {
    const person = await makePerson();
    const challenge = await insertChallenge(person.id);
    await rounds()();
    expect(await pushedOf([challenge])).toEqual(['sent']);
    const { rows } = await world.pool.query(
      `select content from broadcast where content -> 'data' ->> 'challenge_id' = $1`,
      [challenge],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0].content.data).toEqual({ kind: 'challenge', challenge_id: challenge });
    expect(rows[0].content.ttl_seconds).toBeLessThanOrEqual(300);
    expect(JSON.stringify(rows[0].content)).not.toMatch(/login|project-/);
  });

  test('says so where no device can be reached, and leaves alone what nobody waits for any more', async () => {
    const silent = await insertChallenge((await makePerson({ devices: 0 })).id);
    const late = await insertChallenge((await makePerson()).id);
    await world.pool.query(
      `update verification v set state = 'approved' from challenge c where c.verification_id = v.id and c.id = $1`,
      [late],
    );
    await rounds()();
    expect(await pushedOf([silent])).toEqual(['unreachable']);
    expect(await pushedOf([late])).toEqual([null]);
    const { rows } = await world.pool.query('select from person_notice where announced_at is null');
    expect(rows).toEqual([]);
  });

  test('rings for a service that the person knows, after strangers with its app’s key rang as often as they may', async () => {
    const person = await makePerson();
    const { projectId } = await world.makeProject();
    await world.pool.query(
      `insert into recipient (id, project_id, person_id, address_hash, created_at, updated_at) values ($1, $2, $3, $4, now(), now())`,
      [randomUUID(), projectId, person.id, world.hash('address', `known:${person.id}`)],
    );
    const asked: string[] = [];
    for (let bombs = 0; bombs < PUSHES_PER_HOUR + 2; bombs++)
      asked.push(await insertChallenge(person.id, { projectId, askedBy: 'stranger' }));
    for (let round = 0; round < asked.length; round++) await rounds()();
    expect((await pushedOf(asked)).filter((one) => one === 'sent')).toHaveLength(APP_PUSHES_PER_HOUR);
    const service = await insertChallenge(person.id, { projectId });
    await rounds()();
    expect(await pushedOf([service])).toEqual(['sent']);
  });
});
