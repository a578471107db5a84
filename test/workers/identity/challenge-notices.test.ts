import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Notices } from '../../../domain/identity/approval/notice.ts';
import {
  APP_PUSHES_PER_HOUR,
  PUSHES_PER_HOUR,
  STRANGER_PUSHES_PER_HOUR,
} from '../../../domain/identity/approval/push-limits.ts';
import { notices } from '../../../infra/postgres/identity/approval/notices.ts';
import { openGround } from '../../infra/postgres/world.ts';
import { announcing, insertNotice as noticeOf, makePerson as personIn } from '../message/announcer-world.ts';

let world: Awaited<ReturnType<typeof openGround>>;
beforeAll(async () => {
  world = await openGround();
});
afterAll(() => world.close());

const now = () => new Date();
const rounds = (store?: Parameters<typeof announcing>[1]) => announcing(world, store);
const makePerson = (person: Parameters<typeof personIn>[1] = {}) => personIn(world, person);
const insertNotice = (personId: string, kind: string, subjectId: string) =>
  noticeOf(world, personId, kind, subjectId);

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

const pushedOf = async (ids: readonly string[]) => {
  const { rows } = await world.pool.query<{ pushed: string | null }>(
    'select pushed from challenge where id = any($1) order by pushed',
    [ids],
  );
  return rows.map(({ pushed }) => pushed);
};

describe('the announcer of challenges', () => {
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
    await world.owner.query(`update challenge set expires_at = now() - interval '31 days' where id = $1`, [
      challenge,
    ]);
    await world.owner.query(
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
