import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Notices } from '../../../domain/identity/approval/notice.ts';
import { PUSHES_PER_HOUR, STRANGER_PUSHES_PER_HOUR } from '../../../domain/identity/approval/push-limits.ts';
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
  test('pushes and writes to nobody of a test key', async () => {
    const person = await makePerson({ mode: 'test', devices: 2, chat: 7_002 });
    const notice = await insertNotice(person.id, 'device-revoked', person.devices[0]?.device ?? '');
    await rounds()();
    expect(await toldBy(notice)).toEqual([]);
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

  test('rings a phone no more than it may, however many processes announce at once', async () => {
    const person = await makePerson();
    const challenges: string[] = [];
    for (let bombs = 0; bombs < 3 * PUSHES_PER_HOUR; bombs++)
      challenges.push(await insertChallenge(person.id));
    // Few at a time, so that each process has some of them in hand.
    const few: Notices = {
      takeDue: (_limit, at, announce) => notices(world.pool).takeDue(3, at, announce),
    };
    const busy = Array.from({ length: 4 }, () => rounds(few));
    for (let round = 0; round < challenges.length; round++) await Promise.all(busy.map((tick) => tick()));
    const pushed = await pushedOf(challenges);
    expect(pushed.filter((one) => one === 'sent')).toHaveLength(STRANGER_PUSHES_PER_HOUR);
    expect(pushed.filter((one) => one === 'limited')).toHaveLength(
      challenges.length - STRANGER_PUSHES_PER_HOUR,
    );
  });

  test('what it told, and what nobody answered, leaves with retention; what was signed stays', async () => {
    const person = await makePerson();
    const challenge = await insertChallenge(person.id);
    await rounds()();
    await world.pool.query(
      `insert into approval (challenge_id, verification_id, project_id, person_id, device_id, result, statement, signature, public_key, at)
       values ($1, $2, $2, $2, $2, 'denied', '{}', '', '{}', now() - interval '1 year')`,
      [challenge, randomUUID()],
    );
    await world.reconciler.retire(now(), { jobDays: 30, phoneDays: 7 });
    expect(await pushedOf([challenge])).toEqual(['sent']);
    await world.pool.query(`update challenge set expires_at = now() - interval '31 days' where id = $1`, [
      challenge,
    ]);
    await world.pool.query(
      `update person_notice set announced_at = now() - interval '31 days' where person_id = $1`,
      [person.id],
    );
    await world.reconciler.retire(now(), { jobDays: 30, phoneDays: 7 });
    const left = async (table: string, column: string, id: string) =>
      (await world.pool.query(`select from ${table} where ${column} = $1`, [id])).rowCount;
    expect(await left('challenge', 'id', challenge)).toBe(0);
    expect(await left('person_notice', 'person_id', person.id)).toBe(0);
    expect(await left('approval', 'challenge_id', challenge)).toBe(1);
  });
});
