import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PersonId } from '../../../../../domain/identity/person/person.ts';
import type { Persons } from '../../../../../domain/identity/person/persons.ts';
import type { Sessions } from '../../../../../domain/identity/session/sessions.ts';
import type { ProjectId } from '../../../../../domain/shared/ids.ts';
import type { Phone } from '../../../../../domain/shared/phone.ts';
import type { Registrations } from '../../../../../domain/identity/registration/port.ts';
import type { PhoneProof } from '../../../../../domain/identity/registration/user.ts';
import { sessionTokens } from '../../../../../infra/identity/access-tokens.ts';
import { keyedHash } from '../../../../../infra/process/crypto.ts';
import { hotPool } from '../../../../../infra/postgres/engine/hot-pool.ts';
import { persons } from '../../../../../infra/postgres/identity/person/persons.ts';
import { registrations } from '../../../../../infra/postgres/identity/registration/registrations.ts';
import { sessions } from '../../../../../infra/postgres/identity/session/sessions.ts';
import { type FreshDatabase, freshDatabase } from '../../../../support/servers.ts';

const now = new Date('2026-01-15T10:00:00Z');
const AT_ONCE = 20;
const many = Array.from({ length: AT_ONCE }, (_, index) => index);
const hash = keyedHash(randomBytes(32).toString('base64url'));

let database: FreshDatabase;
let pool: pg.Pool;
let owner: pg.Pool;
let people: Persons;
let registered: Registrations;
let open: Sessions;
let projectId: ProjectId;
let phone: Phone;
let telegramId: number;
let next = 1_000_000;

beforeAll(async () => {
  database = await freshDatabase();
  pool = hotPool(database.url, AT_ONCE);
  owner = new pg.Pool({ connectionString: database.ownerUrl, max: 1 });
  people = persons(pool, hash);
  registered = registrations(pool, hash);
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const key = { kty: 'OKP', crv: 'Ed25519', x: jwk.x ?? '', d: jwk.d ?? '', kid: 'j1' } as const;
  open = sessions({ pool, hash, tokens: await sessionTokens(key) });
});
afterAll(async () => {
  await Promise.all([pool.end(), owner.end()]);
  await database.drop();
});
beforeEach(async () => {
  projectId = await newProject();
  telegramId = next++;
  phone = newPhone();
});

const newPhone = () => `+99890${next++}` as Phone;

async function newProject(): Promise<ProjectId> {
  const id = randomUUID() as string as ProjectId;
  await pool.query('insert into project (id, slug, created_at) values ($1, $2, $3)', [id, `p-${id}`, now]);
  return id;
}

/** A recipient that the project made before it met anybody. */
async function newRecipient(address: { phone?: Phone; handle?: string }): Promise<string> {
  const id = randomUUID();
  await pool.query(
    `insert into recipient (id, project_id, handle, phone, address_hash, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $6)`,
    [
      id,
      projectId,
      address.handle ?? null,
      address.phone ?? null,
      hash('address', address.phone ?? `recipient:${id}`),
      now,
    ],
  );
  return id;
}

const recipientRow = async (id: string) =>
  (await pool.query('select * from recipient where id = $1', [id])).rows[0];
const phoneHolder = async () =>
  (
    await pool.query('select person_id, proof from person_phone where address_hash = $1', [
      hash('address', phone),
    ])
  ).rows[0];
const chatHolder = async (id = telegramId) =>
  (await pool.query(`select person_id from person_chat where mode = 'live' and telegram_id = $1`, [id]))
    .rows[0]?.person_id;

/** Somebody at the bot, whose chat is verified by a code. */
async function register(id: number, proof: PhoneProof, number = phone) {
  const who = { projectId, mode: 'live' as const, telegramId: id };
  const user = await registered.givePhone(who, number, proof, now);
  await registered.confirm({ userId: user?.id ?? 0, phone: number, verificationId: null }, now);
}

async function openSession(personId: PersonId, at = projectId) {
  const recipientId = await people.recipientOf(personId, at, 'live', now);
  const how = { mode: 'live', method: 'code', deviceId: null, userAgent: null } as const;
  return open.open({ personId, projectId: at, recipientId, ...how }, now);
}
const endOf = async (sessionId: string) =>
  (await pool.query('select revoked_because from session where id = $1', [sessionId])).rows[0]
    .revoked_because;

describe('a person', () => {
  test('is one, however many proofs of a phone or a chat come at one moment', async () => {
    const { rows: before } = await pool.query('select count(*)::int n from person');
    const ids = await Promise.all([
      ...many.map(() => people.ofPhone(phone, 'live', now)),
      ...many.map(() => people.ofChat(telegramId, 'live', now)),
    ]);
    expect(new Set(ids.slice(0, AT_ONCE)).size).toBe(1);
    expect(new Set(ids.slice(AT_ONCE)).size).toBe(1);
    // And nobody was made in vain.
    const { rows: after } = await pool.query('select count(*)::int n from person');
    expect(after[0].n - before[0].n).toBe(2);
    expect(await people.ofPhone(phone, 'live', now)).toBe(ids[0]);
  });

  test('of a test key is another', async () => {
    const live = [await people.ofPhone(phone, 'live', now), await people.ofChat(telegramId, 'live', now)];
    const apart = [await people.ofPhone(phone, 'test', now), await people.ofChat(telegramId, 'test', now)];
    expect(new Set([...live, ...apart]).size).toBe(4);
    const { rows } = await pool.query('select mode from person where id = any($1)', [apart]);
    expect(rows).toEqual([{ mode: 'test' }, { mode: 'test' }]);
  });
});

describe('what a project calls a person', () => {
  test('is one recipient for ever, however many ask at one moment', async () => {
    const personId = await people.ofPhone(phone, 'live', now);
    const ids = await Promise.all(
      many.map(() => people.recipientOf(personId, projectId, 'live', now, { phone })),
    );
    expect(new Set(ids).size).toBe(1);
    expect(await people.recipientOf(personId, projectId, 'live', now)).toBe(ids[0]);
    expect(await recipientRow(ids[0] ?? '')).toMatchObject({ phone, person_id: personId });
  });

  test('is another for each project', async () => {
    const personId = await people.ofPhone(phone, 'live', now);
    const ids = await Promise.all(
      [projectId, await newProject()].map((id) => people.recipientOf(personId, id, 'live', now, { phone })),
    );
    expect(new Set(ids).size).toBe(2);
  });

  test('is the recipient that it made for the phone, or for the chat', async () => {
    const ofPhone = await newRecipient({ phone });
    const ofChat = await newRecipient({ handle: `telegram:${telegramId}` });
    const byPhone = await people.ofPhone(phone, 'live', now);
    const byChat = await people.ofChat(telegramId, 'live', now);
    expect(await people.recipientOf(byPhone, projectId, 'live', now, { phone })).toBe(ofPhone);
    expect(await people.recipientOf(byChat, projectId, 'live', now, { telegramId })).toBe(ofChat);
  });

  test('is, where no address is named, that of any which they proved', async () => {
    const ofChat = await newRecipient({ handle: `telegram:${telegramId}` });
    await newRecipient({ handle: `telegram:${telegramId}0` });
    const personId = await people.ofChat(telegramId, 'live', now);
    expect(await people.recipientOf(personId, projectId, 'live', now)).toBe(ofChat);
  });

  test('betrays no address that they did not show it', async () => {
    await register(telegramId, 'contact');
    const other = await newProject();
    projectId = other;
    const known = await newRecipient({ phone });
    const personId = await chatHolder();
    const id = await people.recipientOf(personId, other, 'live', now, { telegramId });
    expect(id).not.toBe(known);
    expect(await recipientRow(id)).toMatchObject({ phone: null, telegram_chat_id: String(telegramId) });
  });

  test('is never a recipient that stands for somebody else', async () => {
    const mine = await people.ofPhone(phone, 'live', now);
    const id = await people.recipientOf(mine, projectId, 'live', now, { phone });
    const theirs = newPhone();
    const other = await people.ofPhone(theirs, 'live', now);
    // The project says that its recipient has another number now, and its owner comes.
    await pool.query('update recipient set phone = $2, address_hash = $3 where id = $1', [
      id,
      theirs,
      hash('address', theirs),
    ]);
    const second = await people.recipientOf(other, projectId, 'live', now, { phone: theirs });
    expect(second).not.toBe(id);
    expect(await recipientRow(second)).toMatchObject({ phone: null, person_id: other });
  });

  test('is nothing of the live one with a test key', async () => {
    const live = await newRecipient({ phone });
    const liveChat = await newRecipient({ handle: `telegram:${telegramId}` });
    const byPhone = await people.ofPhone(phone, 'test', now);
    const byChat = await people.ofChat(telegramId, 'test', now);
    const ids = [
      await people.recipientOf(byPhone, projectId, 'test', now, { phone }),
      await people.recipientOf(byChat, projectId, 'test', now, { telegramId }),
    ];
    expect(ids).not.toContain(live);
    expect(ids).not.toContain(liveChat);
    expect(await recipientRow(ids[0] ?? '')).toMatchObject({ phone: null });
    expect(await recipientRow(ids[1] ?? '')).toMatchObject({ telegram_chat_id: null });
  });
});

describe('a registration at the bot', () => {
  test('proves a chat, and with a contact the phone of the same person', async () => {
    await register(telegramId, 'none');
    expect(await chatHolder()).toBeTruthy();
    expect(await phoneHolder()).toBeUndefined();
    await register(telegramId + 1, 'contact');
    expect(await phoneHolder()).toEqual({ person_id: await chatHolder(telegramId + 1), proof: 'contact' });
  });

  test('gives the chat to whoever proved that phone by a code and has none, and tells their devices', async () => {
    const personId = await people.ofPhone(phone, 'live', now);
    const session = await openSession(personId);
    await register(telegramId, 'contact');
    expect(await chatHolder()).toBe(personId);
    expect(await phoneHolder()).toEqual({ person_id: personId, proof: 'contact' });
    expect(await endOf(session.sessionId)).toBeNull();
    const { rows } = await pool.query('select kind from person_notice where person_id = $1', [personId]);
    expect(rows).toEqual([{ kind: 'chat-bound' }]);
  });

  test('by another account takes the phone, and ends every session of whoever had it (X16)', async () => {
    await register(telegramId, 'contact');
    const former = await chatHolder();
    const other = await newProject();
    const ended = [await openSession(former), await openSession(former, other)];
    await register(telegramId + 1, 'contact');
    expect(await phoneHolder()).toMatchObject({ person_id: await chatHolder(telegramId + 1) });
    expect(await chatHolder()).toBe(former);
    for (const { sessionId } of ended) expect(await endOf(sessionId)).toBe('superseded');
    // Who had nothing of theirs keeps their sessions.
    const session = await openSession(await chatHolder(telegramId + 1));
    await register(telegramId + 2, 'none');
    expect(await endOf(session.sessionId)).toBeNull();
  });

  test('that takes a phone takes no sub with it, and no project reaches the next holder by it', async () => {
    await register(telegramId, 'contact');
    const former = await chatHolder();
    const other = await newProject();
    const sub = await people.recipientOf(former, other, 'live', now, { phone });
    await register(telegramId + 1, 'contact');
    expect(await recipientRow(sub)).toMatchObject({ phone: null, person_id: former });
    const successor = await people.ofPhone(phone, 'live', now);
    expect(successor).toBe(await chatHolder(telegramId + 1));
    const next = await people.recipientOf(successor, other, 'live', now, { phone });
    expect(next).not.toBe(sub);
    expect(await recipientRow(next)).toMatchObject({ phone });
  });

  test('that takes a phone leaves its next holder neither the chat nor the app of the last one, in any project', async () => {
    await register(telegramId, 'contact');
    const [here] = (
      await pool.query('select id from recipient where project_id = $1 and phone = $2', [projectId, phone])
    ).rows;
    const elsewhere = { projectId: await newProject(), mode: 'live' as const, telegramId };
    const there = await registered.givePhone(elsewhere, phone, 'contact', now);
    await registered.confirm({ userId: there?.id ?? 0, phone, verificationId: null }, now);
    await pool.query(
      `update recipient set handle = 'alice', push_token_encrypted = 'x', push_token_hash = 'y' where phone = $1`,
      [phone],
    );
    await register(telegramId + 1, 'contact');
    const { rows } = await pool.query(
      'select project_id, telegram_chat_id::int chat, push_token_encrypted, push_token_hash from recipient where phone = $1',
      [phone],
    );
    const none = { push_token_encrypted: null, push_token_hash: null };
    expect(rows).toHaveLength(2);
    expect(rows).toContainEqual({ project_id: projectId, chat: telegramId + 1, ...none });
    expect(rows).toContainEqual({ project_id: elsewhere.projectId, chat: null, ...none });
    expect(await recipientRow(here.id)).toMatchObject({ handle: 'alice' });
    next++;
  });

  test('that is undone leaves persons and sessions as they were', async () => {
    await register(telegramId, 'contact');
    const former = await chatHolder();
    const session = await openSession(former);
    await owner.query(`alter table user_event add constraint no_more check (kind <> 'superseded') not valid`);
    await expect(register(telegramId + 1, 'contact')).rejects.toThrow('no_more');
    await owner.query('alter table user_event drop constraint no_more');
    expect(await phoneHolder()).toMatchObject({ person_id: former });
    expect(await endOf(session.sessionId)).toBeNull();
    expect(await chatHolder(telegramId + 1)).toBeUndefined();
  });

  test('of twenty at one moment leaves the phone with one person, who is the last user that holds it', async () => {
    await Promise.all([
      ...many.map((n) => register(telegramId + n, 'contact')),
      ...many.map(() => people.ofPhone(phone, 'live', now)),
    ]);
    const { rows } = await pool.query(
      `select telegram_id::int from users where project_id = $1 and is_verified and phone_proof = 'contact'`,
      [projectId],
    );
    expect(rows).toHaveLength(1);
    expect(await phoneHolder()).toMatchObject({ person_id: await chatHolder(rows[0].telegram_id) });
    next += AT_ONCE;
  });
});
