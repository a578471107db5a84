import { randomBytes, randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ProjectId } from '../../../../../domain/shared/ids.ts';
import type { Phone } from '../../../../../domain/shared/phone.ts';
import type { Registrations } from '../../../../../domain/identity/registration/port.ts';
import { keyedHash } from '../../../../../infra/process/crypto.ts';
import { hotPool } from '../../../../../infra/postgres/engine/hot-pool.ts';
import { registrations } from '../../../../../infra/postgres/identity/registration/registrations.ts';
import { type FreshDatabase, freshDatabase } from '../../../../support/servers.ts';

const now = new Date('2026-01-15T10:00:00Z');
const phone = '+998901234567' as Phone;
const PEOPLE = 20;

let database: FreshDatabase;
let pool: pg.Pool;
let people: Registrations;
let projectId: ProjectId;

beforeAll(async () => {
  database = await freshDatabase();
  pool = hotPool(database.url, PEOPLE);
  people = registrations(pool, keyedHash(randomBytes(32).toString('base64url')));
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});
beforeEach(async () => {
  projectId = randomUUID() as string as ProjectId;
  await pool.query('insert into project (id, slug, created_at) values ($1, $2, $3)', [
    projectId,
    `p-${projectId.slice(0, 8)}`,
    now,
  ]);
});

const who = (telegramId: number) => ({ projectId, mode: 'live' as const, telegramId });
const all = Array.from({ length: PEOPLE }, (_, index) => index + 1);
const holders = async () =>
  (
    await pool.query(
      `select telegram_id::int from users where project_id = $1 and is_verified and phone_proof = 'contact'`,
      [projectId],
    )
  ).rows;

async function prove(telegramId: number) {
  const user = await people.givePhone(who(telegramId), phone, 'contact', now);
  return people.confirm({ userId: user?.id ?? 0, phone, verificationId: randomUUID() }, now);
}

test('of twenty who prove one phone at one moment one has it in the end, and nobody is refused', async () => {
  expect(await Promise.all(all.map(prove))).toEqual(all.map(() => true));
  const [holder, ...more] = await holders();
  expect(more).toEqual([]);
  const { rows } = await pool.query(
    `select count(*)::int n from users where project_id = $1 and revoked_at is not null and superseded_by is not null and not is_verified`,
    [projectId],
  );
  // Whoever gave it after the last proof has an unfinished one of their own; all others lost theirs.
  expect(rows[0].n).toBeLessThan(PEOPLE);
  const bound = await pool.query(
    'select telegram_chat_id::int from recipient where project_id = $1 and phone = $2',
    [projectId, phone],
  );
  expect(bound.rows).toEqual([{ telegram_chat_id: holder.telegram_id }]);
});

test('whoever proves it again and again takes it again and again, without a deadlock', async () => {
  await Promise.all(all.map((id) => people.givePhone(who(id), phone, 'contact', now)));
  const users = await Promise.all(all.map((id) => people.find(who(id))));
  const rounds = users.flatMap((user) => [
    people.confirm({ userId: user?.id ?? 0, phone, verificationId: null }, now),
    people.provePhone(user?.id ?? 0, phone, now),
    people.provePhone(user?.id ?? 0, '+998907654321' as Phone, now),
  ]);
  const ends = await Promise.allSettled(rounds);
  expect(ends.filter(({ status }) => status === 'rejected')).toEqual([]);
  const { rows } = await pool.query(
    `select phone_number from users where project_id = $1 and is_verified and phone_proof = 'contact'`,
    [projectId],
  );
  expect(new Set(rows.map((row) => row.phone_number)).size).toBe(rows.length);
});

test('a phone that changed while its code was checked is not confirmed as the other', async () => {
  const user = await people.givePhone(who(1), phone, 'contact', now);
  await people.givePhone(who(1), '+998907654321' as Phone, 'none', now);
  expect(await people.confirm({ userId: user?.id ?? 0, phone, verificationId: null }, now)).toBe(false);
  expect(await holders()).toEqual([]);
});

test('a claim of the same phone keeps its proof, one of another phone has none', async () => {
  await people.givePhone(who(1), phone, 'contact', now);
  expect(await people.givePhone(who(1), phone, 'none', now)).toMatchObject({ phoneProof: 'contact' });
  expect(await people.givePhone(who(1), '+998907654321' as Phone, 'none', now)).toMatchObject({
    phoneProof: 'none',
  });
  expect(await people.givePhone(who(1), phone, 'none', now)).toMatchObject({ phoneProof: 'none' });
});

test('a verified person’s phone is not changed by giving one', async () => {
  await prove(1);
  expect(await people.givePhone(who(1), '+998907654321' as Phone, 'contact', now)).toBeNull();
  expect(await people.find(who(1))).toMatchObject({ phone, isVerified: true });
});
