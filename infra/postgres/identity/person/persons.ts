import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { PersonId } from '../../../../domain/identity/person/person.ts';
import type { Persons, ShownAddress } from '../../../../domain/identity/person/persons.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import type { Phone } from '../../../../domain/shared/phone.ts';
import type { KeyMode } from '../../../../domain/project/key.ts';
import { RecipientId } from '../../../../domain/identity/recipient/recipient.ts';
import type { KeyedHash } from '../../../process/crypto.ts';
import { addressText, recipientAddressText } from '../../../../domain/shared/address.ts';
import { endSessions } from '../session/session-ends.ts';
import { inTransaction, type Queryable } from '../../engine/transaction.ts';

/** People, each known once; safe for any number who prove the same thing at one moment. */
export function persons(pool: pg.Pool, hash: KeyedHash): Persons {
  return {
    ofPhone: (phone, mode, now) => ofPhone(pool, hash, phone, mode, now),
    ofChat: async (telegramId, mode, now) =>
      (await chatHolder(pool, telegramId, mode)) ??
      inTransaction(pool, (tx) => personOfChat(tx, telegramId, mode, now)),
    recipientOf: async (personId, projectId, mode, now, shown) =>
      (await linkedRecipient(pool, personId, projectId)) ??
      inTransaction(pool, (tx) => linkRecipient({ tx, hash, now }, { personId, projectId, mode, shown })),
  };
}

interface Held {
  readonly person_id: PersonId;
}

async function ofPhone(
  pool: pg.Pool,
  hash: KeyedHash,
  phone: Phone,
  mode: KeyMode,
  now: Date,
): Promise<PersonId> {
  const addressHash = hash('address', addressText({ phone }, mode));
  const { rows } = await pool.query<Held>('select person_id from person_phone where address_hash = $1', [
    addressHash,
  ]);
  if (rows[0]) return rows[0].person_id;
  return inTransaction(pool, (tx) =>
    firstHolder(tx, mode, now, (personId) => tx.query<Held>(holdPhone, [addressHash, personId, phone, now])),
  );
}

/** Of two who come at once, the second waits here for the first, and finds it. */
const holdPhone = `
insert into person_phone (address_hash, person_id, phone, proof, proven_at) values ($1, $2, $3, 'code', $4)
on conflict (address_hash) do update set address_hash = excluded.address_hash returning person_id`;

const holdChat = `
insert into person_chat (mode, telegram_id, person_id, proven_at) values ($1, $2, $3, $4)
on conflict (mode, telegram_id) do update set telegram_id = excluded.telegram_id returning person_id`;

/** A new person who holds what `hold` writes; whoever held it already, where somebody did. */
async function firstHolder(
  tx: Queryable,
  mode: KeyMode,
  now: Date,
  hold: (personId: PersonId) => Promise<pg.QueryResult<Held>>,
): Promise<PersonId> {
  const made = PersonId.parse(uuidv7({ msecs: now.getTime() }));
  await tx.query('insert into person (id, mode, created_at) values ($1, $2, $3)', [made, mode, now]);
  const { rows } = await hold(made);
  const holder = rows[0]?.person_id ?? made;
  if (holder !== made) await tx.query('delete from person where id = $1', [made]);
  return holder;
}

async function chatHolder(db: Queryable, telegramId: number, mode: KeyMode): Promise<PersonId | null> {
  const { rows } = await db.query<Held>(
    'select person_id from person_chat where mode = $1 and telegram_id = $2',
    [mode, telegramId],
  );
  return rows[0]?.person_id ?? null;
}

/** The same as `ofChat`, in the transaction in which the chat is proven. */
export async function personOfChat(
  tx: Queryable,
  telegramId: number,
  mode: KeyMode,
  now: Date,
): Promise<PersonId> {
  const holder = await chatHolder(tx, telegramId, mode);
  return (
    holder ??
    firstHolder(tx, mode, now, (personId) => tx.query<Held>(holdChat, [mode, telegramId, personId, now]))
  );
}

interface Change {
  readonly tx: Queryable;
  readonly hash: KeyedHash;
  readonly now: Date;
}

/**
 * Telegram says that the account of this chat has this phone: from now on the phone is that person's. Whoever had it loses it,
 * and with it every session (X16).
 */
export async function proveContact(
  change: Change,
  { telegramId, mode, phone }: { telegramId: number; mode: KeyMode; phone: Phone },
): Promise<void> {
  const { tx, hash, now } = change;
  const addressHash = hash('address', addressText({ phone }, mode));
  const personId =
    (await chatHolder(tx, telegramId, mode)) ??
    (await joinHolder(change, addressHash, telegramId, mode)) ??
    (await personOfChat(tx, telegramId, mode, now));
  const { rows } = await tx.query<{ former: PersonId | null }>(movePhone, [
    addressHash,
    personId,
    phone,
    now,
  ]);
  const former = rows[0]?.former ?? null;
  if (former === null || former === personId) return;
  // Two who take two phones of theirs do so one after the other.
  await tx.query('select from person where id = $1 for no key update', [former]);
  await loseAddress(change, { former, holder: personId }, addressHash);
  await endSessions(tx, { personId: former }, 'superseded', now);
}

const movePhone = `
insert into person_phone as p (address_hash, person_id, phone, proof, proven_at) values ($1, $2, $3, 'contact', $4)
on conflict (address_hash) do update set person_id = excluded.person_id, proof = 'contact', proven_at = excluded.proven_at
returning old.person_id former`;

/**
 * Who proved the phone by a code and has no Telegram chat yet gets this one: a contact says as much of them as that code. A person
 * who has another chat is another account's, and loses the phone.
 */
async function joinHolder(
  { tx, now }: Change,
  addressHash: Buffer,
  telegramId: number,
  mode: KeyMode,
): Promise<PersonId | null> {
  const { rows } = await tx.query<{ id: PersonId }>(
    `select p.id from person p join person_phone held on held.person_id = p.id where held.address_hash = $1
     for no key update of p`,
    [addressHash],
  );
  const [holder] = rows;
  if (!holder) return null;
  const joined = await tx.query<Held>(joinChat, [mode, telegramId, holder.id, now]);
  return joined.rows[0]?.person_id ?? null;
}

/** Asked once the person is locked, so that two chats can't both be their first. Their devices are told. */
const joinChat = `
with joined as (
  insert into person_chat (mode, telegram_id, person_id, proven_at)
  select $1, $2, $3, $4 where not exists (select from person_chat where person_id = $3)
  on conflict do nothing returning person_id),
told as (
  insert into person_notice (id, person_id, kind, subject_id, at) select uuidv7(), person_id, 'chat-bound', person_id, $4 from joined)
select person_id from joined`;

/**
 * Recipients that stand for them keep standing for them, and for nobody else: a project must not reach the phone's next holder by
 * the sub of its last one.
 */
async function loseAddress(
  { tx, hash, now }: Change,
  { former, holder }: { readonly former: PersonId; readonly holder: PersonId },
  addressHash: Buffer,
): Promise<void> {
  const held = await tx.query<{ id: RecipientId; person_id: PersonId | null }>(
    'select id, person_id from recipient where address_hash = $1 order by id for update',
    [addressHash],
  );
  const rows = held.rows.filter(({ person_id }) => person_id === former);
  const hashes = rows.map(({ id }) => hash('address', recipientAddressText(id, null)).toString('hex'));
  await tx.query(
    `update recipient r set phone = null, address_hash = decode(w.hash, 'hex'), updated_at = $3
     from unnest($1::uuid[], $2::text[]) as w (id, hash) where r.id = w.id`,
    [rows.map(({ id }) => id), hashes, now],
  );
  // Where projects know the number only, its next holder's codes must not reach the chat and the app of the last one.
  const others = held.rows.filter(({ person_id }) => person_id !== former && person_id !== holder);
  await tx.query(dropReach, [others.map(({ id }) => id), now]);
}

const dropReach = `
update recipient set telegram_chat_id = null, telegram_blocked_at = null, push_token_encrypted = null, push_token_hash = null, updated_at = $2
where id = any($1::uuid[])`;

interface Link {
  readonly personId: PersonId;
  readonly projectId: ProjectId;
  readonly mode: KeyMode;
  readonly shown: ShownAddress | undefined;
}

async function linkedRecipient(
  db: Queryable,
  personId: PersonId,
  projectId: ProjectId,
): Promise<RecipientId | null> {
  const { rows } = await db.query<{ id: RecipientId }>(
    'select id from recipient where project_id = $1 and person_id = $2',
    [projectId, personId],
  );
  return rows[0]?.id ?? null;
}

/** The same as `recipientOf`, in the transaction in which they approve. */
export async function linkRecipient(change: Change, link: Link): Promise<RecipientId> {
  const { tx } = change;
  const { personId, projectId, shown } = link;
  // One at a time for each person, or they would get two.
  await tx.query('select from person where id = $1 for no key update', [personId]);
  const linked = await linkedRecipient(tx, personId, projectId);
  if (linked) return linked;
  const met = await (shown ? meetRecipient(change, link, shown) : findRecipient(change, link));
  if (met) return met;
  const made = await insertRecipient(change, link, noAddress, '');
  if (!made) throw new Error('the new recipient returned no row');
  return made;
}

interface NewAddress {
  readonly handle: string | null;
  readonly phone: Phone | null;
  readonly telegramId: number | null;
}

const noAddress: NewAddress = { handle: null, phone: null, telegramId: null };

/** The recipient of the address that they showed, found or made; null where it stands for somebody else already. */
async function meetRecipient(change: Change, link: Link, shown: ShownAddress): Promise<RecipientId | null> {
  const isLive = link.mode === 'live';
  if ('telegramId' in shown) {
    const handle = chatHandle(shown.telegramId, link.mode);
    const telegramId = isLive ? shown.telegramId : null;
    return insertRecipient(change, link, { ...noAddress, handle, telegramId }, joinBy('project_id, handle'));
  }
  // A test key shows its codes, so that its people have no part in the recipient of a live phone.
  if (!isLive || !(await holdsPhone(change, link, shown.phone))) return null;
  return insertRecipient(
    change,
    link,
    { ...noAddress, phone: shown.phone },
    joinBy('address_hash, project_id'),
  );
}

/** A phone that moved to another person meanwhile leads the former one to nobody's recipient. */
async function holdsPhone({ tx, hash }: Change, { personId, mode }: Link, phone: Phone): Promise<boolean> {
  const { rowCount } = await tx.query('select from person_phone where address_hash = $1 and person_id = $2', [
    hash('address', addressText({ phone }, mode)),
    personId,
  ]);
  return rowCount === 1;
}

/** As registration names the recipient that stands for a chat. */
const chatHandle = (telegramId: number | '', mode: KeyMode) =>
  `${mode === 'test' ? 'test:' : ''}telegram:${telegramId}`;

const joinBy = (key: 'project_id, handle' | 'address_hash, project_id') => `
on conflict (${key}) do update set person_id = excluded.person_id, updated_at = excluded.updated_at where recipient.person_id is null`;

async function insertRecipient(
  { tx, hash, now }: Change,
  { personId, projectId }: Link,
  { handle, phone, telegramId }: NewAddress,
  onConflict: string,
): Promise<RecipientId | null> {
  const id = RecipientId.parse(uuidv7({ msecs: now.getTime() }));
  const { rows } = await tx.query<{ id: RecipientId }>(
    `insert into recipient (id, project_id, handle, phone, address_hash, telegram_chat_id, person_id, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $8) ${onConflict} returning id`,
    [
      id,
      projectId,
      handle,
      phone,
      hash('address', recipientAddressText(id, phone)),
      telegramId,
      personId,
      now,
    ],
  );
  return rows[0]?.id ?? null;
}

/** A recipient of any address that they proved. */
async function findRecipient(
  { tx, now }: Change,
  { personId, projectId, mode }: Link,
): Promise<RecipientId | null> {
  const { rows } = await tx.query<{ id: RecipientId }>(takeRecipient, [
    personId,
    projectId,
    chatHandle('', mode),
    mode,
    now,
  ]);
  return rows[0]?.id ?? null;
}

/** By a phone rather than by a chat, and the oldest of several. A test key's phones hash to no recipient. */
const takeRecipient = `
with found as (
  select id from (
    select r.id, 1 place from person_phone held join recipient r on r.address_hash = held.address_hash
    where held.person_id = $1 and r.project_id = $2 and r.person_id is null
    union all
    select r.id, 2 from person_chat chat join recipient r on r.handle = $3 || chat.telegram_id
    where chat.person_id = $1 and chat.mode = $4 and r.project_id = $2 and r.person_id is null) either
  order by place, id limit 1)
update recipient r set person_id = $1, updated_at = $5 from found where r.id = found.id and r.person_id is null returning r.id`;
