import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Phone } from '../../../../domain/shared/phone.ts';
import { persons } from '../../../../infra/postgres/identity/person/persons.ts';
import { inTransaction } from '../../../../infra/postgres/engine/transaction.ts';
import { registrations } from '../../../../infra/postgres/identity/registration/registrations.ts';
import { blocksOf } from '../../../../infra/postgres/pay/payout-blocks.ts';
import { openGround } from '../world.ts';

const HOUR_MS = 3_600_000;
const now = new Date('2026-11-29T10:00:00Z');
const AT_ONCE = 50;

let ground: Awaited<ReturnType<typeof openGround>>;
let phone: Phone;
let telegramId = 7_000_000;
beforeAll(async () => {
  ground = await openGround();
});
afterAll(() => ground.close());
beforeEach(() => {
  telegramId += 100;
  phone = `+99890${telegramId}` as Phone;
});

const ofPhone = () => persons(ground.pool, ground.hash).ofPhone(phone, 'live', now);
const ofChat = (id = telegramId) => persons(ground.pool, ground.hash).ofChat(id, 'live', now);

/** Somebody at the bot of a project of their own shows this phone as their account's contact. */
async function showContact(id = telegramId): Promise<void> {
  const { projectId } = await ground.makeProject();
  const bot = registrations(ground.pool, ground.hash);
  const user = await bot.givePhone({ projectId, mode: 'live', telegramId: id }, phone, 'contact', now);
  await bot.confirm({ userId: user?.id ?? 0, phone, verificationId: null }, now);
}

interface Row {
  readonly reason: string;
  readonly hours: number;
  readonly by: string | null;
}
const rowsOf = async (person: string): Promise<Row[]> =>
  (
    await ground.pool.query<Row>(
      `select reason, by, extract(epoch from until - made_at)::int / 3600 hours from payout_block where person_id = $1`,
      [person],
    )
  ).rows;
const lost: Row = { reason: 'phone-lost', by: null, hours: 72 };

describe('a person is paid nothing for 72 hours', () => {
  test('whose phone another person has taken over by a contact', async () => {
    await showContact();
    const former = await ofChat();
    expect(await rowsOf(former)).toEqual([]);
    await showContact(telegramId + 1);
    expect(await rowsOf(former)).toEqual([lost]);
    expect(await rowsOf(await ofChat(telegramId + 1))).toEqual([]);
  });

  test('who had proved the phone by a code, and has another chat', async () => {
    const former = await ofPhone();
    await showContact();
    expect(await ofChat()).toBe(former);
    expect(await rowsOf(former)).toEqual([]);
    await showContact(telegramId + 1);
    expect(await rowsOf(former)).toEqual([lost]);
  });

  test('again each time that it happens', async () => {
    await showContact();
    await showContact(telegramId + 1);
    await showContact();
    await showContact(telegramId + 1);
    expect(await rowsOf(await ofChat())).toEqual([lost, lost]);
    expect(await rowsOf(await ofChat(telegramId + 1))).toEqual([lost]);
  });

  test('once for each time that it happens, however many take the phone at one moment', async () => {
    await showContact();
    await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => showContact(telegramId + 1 + n)));
    const { rows } = await ground.pool.query<{ n: number; people: number }>(
      `select count(*)::int n, count(distinct b.person_id)::int people from payout_block b
       join person_chat c on c.person_id = b.person_id where c.telegram_id between $1 and $1 + $2`,
      [telegramId, AT_ONCE],
    );
    // Each of them but the last one had it, and lost it.
    expect(rows).toEqual([{ n: AT_ONCE, people: AT_ONCE }]);
  });

  test('whose row of the phone becomes another phone, and the person stays', async () => {
    const person = await ofPhone();
    const moved = await ground.owner.query(
      `update person_phone set phone = phone || '0' where person_id = $1`,
      [person],
    );
    expect([moved.rowCount, await rowsOf(person)]).toEqual([1, [lost]]);
  });

  test('who is erased with the phone', async () => {
    const person = await ofPhone();
    await ground.pool.query('delete from person where id = $1', [person]);
    expect(await rowsOf(person)).toEqual([lost]);
  });
});

describe('a person is not blocked', () => {
  test('who proves the phone again, by a code or by a contact', async () => {
    const person = await ofPhone();
    expect(await ofPhone()).toBe(person);
    await showContact();
    await showContact();
    expect(await rowsOf(person)).toEqual([]);
  });

  test('by a takeover that was rolled back', async () => {
    const person = await ofPhone();
    const other = await ofChat();
    // By what is thrown, an expectation too: a transaction that stayed open would hold up all that follows.
    const rolledBack = inTransaction(ground.pool, async (tx) => {
      await tx.query('update person_phone set person_id = $2 where person_id = $1', [person, other]);
      expect((await blocksOf(tx, person, now)).map(({ reason }) => reason)).toEqual(['phone-lost']);
      throw new Error('rolled back');
    });
    await expect(rolledBack).rejects.toThrow('rolled back');
    expect(await rowsOf(person)).toEqual([]);
  });
});

describe('a block', () => {
  const block = async (person: string, until: Date | null) =>
    (
      await ground.owner.query<{ id: string }>(
        `insert into payout_block (person_id, reason, until, made_at) values ($1, 'by-hand', $2, $3) returning id`,
        [person, until, now],
      )
    ).rows[0]?.id;

  test('is in force until its time, or until it is lifted where it has none', async () => {
    const person = randomUUID();
    const until = new Date(now.getTime() + 72 * HOUR_MS);
    const [timed, endless] = [await block(person, until), await block(person, null)];
    const inForce = async (at: Date) => (await blocksOf(ground.pool, person, at)).map(({ id }) => id);
    expect(await inForce(new Date(until.getTime() - 1))).toEqual([timed, endless]);
    expect(await inForce(until)).toEqual([endless]);
    await ground.owner.query(
      `update payout_block set lifted_at = $2, lifted_by = $3, lifted_because = 'it is them' where id = $1`,
      [endless, now, randomUUID()],
    );
    expect(await inForce(until)).toEqual([]);
    expect(await blocksOf(ground.pool, randomUUID(), now)).toEqual([]);
  });

  test.each([
    ['shortened', `update payout_block set until = made_at + interval '1 s'`],
    ['given to another', 'update payout_block set person_id = id'],
    ['deleted', 'delete from payout_block'],
    ['emptied', 'truncate payout_block'],
  ])('is never %s, not even by the owner', async (_what, sql) => {
    await block(randomUUID(), null);
    await expect(ground.owner.query(sql)).rejects.toMatchObject({ code: 'NB009' });
  });

  test.each([
    [
      'make',
      `insert into payout_block (person_id, reason, made_at) values (uuidv7(), 'by-hand', navbat_now())`,
    ],
    ['lift', `update payout_block set lifted_at = navbat_now()`],
    ['delete', 'delete from payout_block'],
    ['empty', 'truncate payout_block'],
    ['stop the making of', 'alter table person_phone disable trigger payout_block_moved_phone'],
    ['replace the making of', 'drop function payout_block_lost_phone() cascade'],
  ])('is nothing that the role which runs may %s', async (_what, sql) => {
    await expect(ground.pool.query(sql)).rejects.toMatchObject({ code: '42501' });
  });

  test('is lifted once', async () => {
    const id = await block(randomUUID(), null);
    const lift = () =>
      ground.owner.query(
        `update payout_block set lifted_at = $2, lifted_by = $3, lifted_because = 'it is them' where id = $1`,
        [id, now, randomUUID()],
      );
    await lift();
    await expect(lift()).rejects.toMatchObject({ code: 'NB009' });
  });
});
