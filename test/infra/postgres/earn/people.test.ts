import { randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { describe, expect, test } from 'vitest';
import { PersonId } from '../../../../domain/identity/person/person.ts';
import { addressText } from '../../../../domain/shared/address.ts';
import type { Phone } from '../../../../domain/shared/phone.ts';
import { earnerBlocks } from '../../../../infra/postgres/earn/people/blocks.ts';
import { earners } from '../../../../infra/postgres/earn/people/earners.ts';
import { persons } from '../../../../infra/postgres/identity/person/persons.ts';
import { recipientStore } from '../../../../infra/postgres/identity/recipient/recipients.ts';
import { openOrm } from '../../../../infra/postgres/engine/orm.ts';
import { blocksOf } from '../../../../infra/postgres/pay/payout-blocks.ts';
import type { StaffChange } from '../../../../infra/postgres/earn/note-change.ts';
import type { Queryable } from '../../../../infra/postgres/engine/transaction.ts';
import { eventually } from '../../../support/eventually.ts';
import { MINUTE_MS, openEarnWorld } from './earn-world.ts';
import { rowsRead } from './rows-read.ts';

const WHY = 'Case 4711: three phones of one address';
const PAGE = { after: null, limit: 100 };

async function openPeople() {
  const world = await openEarnWorld();
  const { pool, hash, owner, projectId } = world;
  const known = persons(pool, hash);
  let number = 0;
  const addressHash = (phone: string) => hash('address', addressText({ phone: phone as Phone }, 'live'));
  const at = (db: Queryable) => earners({ pool: db, book: projectId, addressHash });
  const admin = randomUUID();
  const notes: StaffChange[] = [];
  await owner.query(
    `insert into staff (id, email, role, password_hash, created_at) values ($1, $2, 'admin', 'none', now())`,
    [admin, `${admin}@navbat.example`],
  );
  return {
    ...world,
    at,
    earners: at(pool),
    blocks: earnerBlocks(pool, projectId, async (_tx, change) => notes.push(change)),
    notes,
    admin: { id: admin, email: `${admin}@navbat.example`, role: 'admin' } as const,
    clerk: { id: world.finance, email: `${world.finance}@navbat.example`, role: 'finance' } as const,
    /** Who proved a phone and a chat, and signed in to the project. */
    signIn: async (name?: string) => {
      number += 1;
      const phone = `+99890123${String(number).padStart(4, '0')}` as Phone;
      const telegramId = 900_000 + number;
      const id = await known.ofPhone(phone, 'live', world.now());
      await pool.query(
        `insert into person_chat (mode, telegram_id, person_id, proven_at) values ('live', $1, $2, now())`,
        [telegramId, id],
      );
      const recipientId = await known.recipientOf(id, projectId, 'live', world.now(), { phone });
      if (name !== undefined) await at(pool).rename(id, name, world.now());
      return { id, recipientId, phone, telegramId: String(telegramId) };
    },
  };
}

/** Two thousand people with a phone, a name and a session each. */
const many = `
with people as materialized (select uuidv7() as id, i from generate_series(1, 2000) i),
  made as (insert into person (id, mode, created_at) select id, 'live', now() from people returning id),
  phones as (
    insert into person_phone (address_hash, person_id, phone, proof, proven_at)
    select sha256(id::text::bytea), id, '+99893' || lpad(i::text, 7, '0'), 'code', now() from people),
  named as (insert into earner (project_id, person_id, name, named_at) select $1, id, 'Aziza ' || i, now() from people),
  shared as (
    insert into traffic_session (id, project_id, person_id, installation_id, started_at) select uuidv7(), $1, id, uuidv7(), now() from people)
insert into recipient (id, project_id, person_id, phone, address_hash, created_at, updated_at)
select uuidv7(), $1, id, '+99893' || lpad(i::text, 7, '0'), sha256(id::text::bytea), now(), now() from people`;

describe('people who earn', () => {
  test('are listed, who signed in last first, and found by phone, account and the beginning of a name', async () => {
    const world = await openPeople();
    const [aziza, bobur, nameless] = [
      await world.signIn('Aziza'),
      await world.signIn('Bobur'),
      await world.signIn(),
    ];
    const found = async (search: Parameters<typeof world.earners.list>[0]) =>
      (await world.earners.list(search, PAGE)).rows.map(({ personId }) => personId);
    expect(await found({})).toEqual([nameless.id, bobur.id, aziza.id]);
    expect(await found({ phone: aziza.phone })).toEqual([aziza.id]);
    expect(await found({ telegramId: bobur.telegramId })).toEqual([bobur.id]);
    expect(await found({ name: 'AZI' })).toEqual([aziza.id]);
    // What has a meaning in a pattern is a letter like any other.
    expect(await found({ name: '%' })).toEqual([]);
    expect(await found({ name: 'bo', phone: aziza.phone })).toEqual([]);
    expect(await found({ phone: '+998901239999' })).toEqual([]);
    const first = await world.earners.list({}, { after: null, limit: 2 });
    expect(first.rows.map(({ personId }) => personId)).toEqual([nameless.id, bobur.id]);
    const second = await world.earners.list({}, { after: first.next, limit: 2 });
    expect(second.rows.map(({ personId }) => personId)).toEqual([aziza.id]);
    expect(second.next).toBeNull();
  });

  test('are told with what is known of them', async () => {
    const world = await openPeople();
    const { id, phone, telegramId } = await world.signIn('Aziza');
    expect(await world.earners.find(id)).toMatchObject({
      personId: id,
      name: 'Aziza',
      phone,
      telegramId,
      locale: null,
      openSessions: 0,
      lastSessionAt: null,
      blockedAt: null,
    });
    await world.start(id);
    expect(await world.earners.find(id)).toMatchObject({
      openSessions: 1,
      lastSessionAt: expect.any(Date) as Date,
    });
    expect(await world.earners.installations(id, world.now())).toMatchObject([{ sessions: 1 }]);
    expect(await world.earners.find(randomUUID())).toBeNull();
    await world.earners.rename(id, null, world.now());
    expect(await world.earners.find(id)).toMatchObject({ name: null });
  });

  test('of test keys have no money, and are not among them', async () => {
    const world = await openPeople();
    const known = persons(world.pool, world.hash);
    const id = await known.ofChat(4_711, 'test', world.now());
    await known.recipientOf(PersonId.parse(id), world.projectId, 'test', world.now(), { telegramId: 4_711 });
    expect((await world.earners.list({}, PAGE)).rows).toEqual([]);
  });

  test('lose their name with their handle', async () => {
    const world = await openPeople();
    const { id, recipientId } = await world.signIn('Aziza');
    await world.signIn('Bobur');
    const orm = await openOrm(world.url);
    const store = recipientStore(orm.em, { keyedHash: world.hash, encryption: world.rowEncryption });
    expect(await store.erase(world.projectId, recipientId)).toBe(true);
    await orm.close(true);
    const { rows } = await world.pool.query('select name from earner');
    expect(rows).toEqual([{ name: 'Bobur' }]);
    expect(await world.earners.find(id)).toBeNull();
  });

  test('are read one by one: a page of two costs the rows of two', async () => {
    const world = await openPeople();
    await world.owner.query(many, [world.projectId]);
    await world.owner.query('analyze');
    for (const table of ['recipient', 'person_phone', 'traffic_session', 'earner']) {
      const { out, read } = await rowsRead(world.pool, table, (db) =>
        world.at(db).list({}, { after: null, limit: 2 }),
      );
      expect(out.rows).toHaveLength(2);
      // One more than the page, and each of its sessions twice: open ones, and the newest.
      expect(read, table).toBeLessThanOrEqual(2 * 3);
    }
  });
});

describe('a block by staff', () => {
  const start = async (world: Awaited<ReturnType<typeof openPeople>>, id: string) =>
    world.sessions.start(id, randomUUID(), world.now());

  test('ends open sessions, and stops starts and withdrawals, until it is lifted', async () => {
    const world = await openPeople();
    const { id } = await world.signIn();
    await world.start(id);
    const other = await world.signIn();
    await world.start(other.id);
    await world.forward(MINUTE_MS);
    expect(await world.blocks.block(id, world.admin, WHY)).toEqual({ ok: true });
    expect(await world.earners.find(id)).toMatchObject({
      openSessions: 0,
      blockedAt: expect.any(Date) as Date,
    });
    expect(await world.earners.find(other.id)).toMatchObject({ openSessions: 1, blockedAt: null });
    expect(await start(world, id)).toEqual({ ok: false, reason: 'person-blocked' });
    // What payouts ask.
    expect((await blocksOf(world.pool, id, world.now())).map(({ reason }) => reason)).toEqual(['by-staff']);
    expect(await world.blocks.block(id, world.admin, 'again')).toEqual({
      ok: false,
      reason: 'already-blocked',
    });
    expect(await world.blocks.unblock(id, world.admin, 'It is them')).toEqual({ ok: true });
    expect(await start(world, id)).toMatchObject({ ok: true });
    expect(await world.blocks.unblock(id, world.admin, 'again')).toEqual({
      ok: false,
      reason: 'not-blocked',
    });
    const { email } = world.admin;
    const done = { by: world.admin, action: 'people.block', subject: id };
    expect(world.notes).toEqual([
      { ...done, did: 'block' },
      { ...done, did: 'unblock' },
    ]);
    expect(await world.earners.blocks(id)).toMatchObject([
      { reason: 'by-staff', by: email, because: WHY, liftedBy: email, liftedBecause: 'It is them' },
    ]);
  });

  test('that happened to them, such as a lost phone, is lifted by nobody, and stops no start', async () => {
    const world = await openPeople();
    const { id } = await world.signIn();
    await world.owner.query(
      `insert into payout_block (person_id, reason, made_at) values ($1, 'phone-lost', navbat_now())`,
      [id],
    );
    expect(await start(world, id)).toMatchObject({ ok: true });
    expect(await world.blocks.unblock(id, world.admin, WHY)).toEqual({ ok: false, reason: 'not-blocked' });
  });

  test('is lifted by no member of staff who has the phone of the person', async () => {
    const world = await openPeople();
    const { id, phone } = await world.signIn();
    await world.pool.query('select payout_handler_declare($1, $2, null)', [world.admin.id, phone]);
    await world.blocks.block(id, world.admin, WHY);
    expect(await world.blocks.unblock(id, world.admin, WHY)).toEqual({ ok: false, reason: 'own-person' });
    expect(await start(world, id)).toEqual({ ok: false, reason: 'person-blocked' });
  });

  test('is lifted by no member of staff who has bound the same card', async () => {
    const world = await openPeople();
    const [{ id }, other] = [await world.signIn(), await world.signIn()];
    await world.owner.query(
      `insert into payout_destination (project_id, person_id, rail, token_encrypted, holder_hash, last4, usable_from, made_at)
       select $3, p, 'multicard', 'x', sha256('card'), '1234', now(), now() from unnest(array[$1, $2]::uuid[]) p`,
      [id, other.id, world.projectId],
    );
    await world.pool.query('select payout_handler_declare($1, $2, null)', [world.admin.id, other.phone]);
    await world.blocks.block(id, world.admin, WHY);
    expect(await world.blocks.unblock(id, world.admin, WHY)).toEqual({ ok: false, reason: 'own-person' });
  });

  test('is made by an admin alone, and of somebody who is there', async () => {
    const world = await openPeople();
    const { id } = await world.signIn();
    await expect(world.blocks.block(id, world.clerk, WHY)).rejects.toThrow('role');
    await expect(world.blocks.unblock(id, world.clerk, WHY)).rejects.toThrow('role');
    const stranger = randomUUID();
    const unknown = { ok: false, reason: 'unknown-person' };
    expect(await world.blocks.block(stranger, world.admin, WHY)).toEqual(unknown);
    expect(await world.blocks.unblock(stranger, world.admin, WHY)).toEqual(unknown);
  });

  test('and a start at the same time leave no open session, whichever is first', async () => {
    const world = await openPeople();
    const waits = () =>
      eventually(async () => {
        const { rows } = await world.pool.query<{ n: number }>(
          `select count(*)::int as n from pg_locks where locktype = 'advisory' and not granted`,
        );
        expect(rows).toEqual([{ n: 1 }]);
      });
    const [early, late] = [await world.signIn(), await world.signIn()];
    const client = await world.pool.connect();
    try {
      await client.query('begin');
      await client.query('select traffic_start($1, $2, $3, $4)', [
        world.projectId,
        uuidv7(),
        early.id,
        randomUUID(),
      ]);
      const blocking = world.blocks.block(early.id, world.admin, WHY);
      await waits();
      await client.query('commit');
      expect(await blocking).toEqual({ ok: true });
      expect(await world.earners.find(early.id)).toMatchObject({ openSessions: 0 });

      await client.query('begin');
      await client.query('select earner_block($1, $2, $3, $4)', [
        world.projectId,
        late.id,
        world.admin.id,
        WHY,
      ]);
      const starting = start(world, late.id);
      await waits();
      await client.query('commit');
      expect(await starting).toEqual({ ok: false, reason: 'person-blocked' });
    } finally {
      client.release();
    }
  });

  test('is made and lifted by the functions that ask who does it, and by no statement of a process', async () => {
    const world = await openPeople();
    const { id } = await world.signIn();
    for (const sql of ['payout_block_make($1, $2, $3)', 'payout_block_lift($1, $2, $3)'])
      await expect(world.pool.query(`select ${sql}`, [id, world.admin.id, WHY])).rejects.toMatchObject({
        code: '42501',
      });
  });
});
