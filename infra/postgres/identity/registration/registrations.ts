import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { Phone } from '../../../../domain/shared/phone.ts';
import type { Locale } from '../../../../domain/shared/locale.ts';
import { recipientAddressText } from '../../../../domain/shared/address.ts';
import type { Arrival, Confirmation, Registrations } from '../../../../domain/identity/registration/port.ts';
import type {
  PhoneProof,
  RegisteredUser,
  Registrant,
} from '../../../../domain/identity/registration/user.ts';
import type { KeyedHash } from '../../../process/crypto.ts';
import { personOfChat, proveContact } from '../person/persons.ts';
import { inTransaction } from '../../engine/transaction.ts';
import { verificationSql } from '../../verification-sql.ts';

interface UserRow {
  readonly id: number;
  readonly phone_number: string | null;
  readonly phone_proof: PhoneProof;
  readonly is_verified: boolean;
  readonly verification_id: string | null;
  readonly is_approved: boolean;
  readonly recipient_id: string;
  readonly recipient_phone: string | null;
  readonly locale: Locale | null;
}

/** People who register by their Telegram chat, each with the recipient that stands for it. */
export function registrations(pool: pg.Pool, hash: KeyedHash): Registrations {
  return {
    find: async ({ projectId, mode, telegramId }) => {
      const { rows } = await pool.query<UserRow>(findUser, [projectId, mode, telegramId]);
      return rows[0] ? toUser(rows[0]) : null;
    },
    arrive: async (who, arrival, now) => {
      const user = await enter(pool, hash, who, { ...arrival, phone: null, proof: 'none' }, now);
      if (!user) throw new Error('who only arrives is never refused');
      return user;
    },
    givePhone: (who, phone, proof, now) =>
      enter(pool, hash, who, { locale: null, payload: null, phone, proof }, now),
    provePhone: (userId, phone, now) =>
      inTransaction(pool, (tx) => provePhone({ tx, hash, now }, userId, phone)),
    noteCode: async (userId, verificationId, now) => {
      await pool.query('update users set verification_id = $2, updated_at = $3 where id = $1', [
        userId,
        verificationId,
        now,
      ]);
    },
    confirm: (confirmation, now) => inTransaction(pool, (tx) => confirm({ tx, hash, now }, confirmation)),
    chooseLocale: async ({ projectId, telegramId }, locale, now) => {
      await pool.query(
        'update recipient set locale = $3, updated_at = $4 where project_id = $1 and telegram_chat_id = $2',
        [projectId, telegramId, locale, now],
      );
    },
  };
}

function toUser(row: UserRow): RegisteredUser {
  return {
    id: row.id,
    phone: row.phone_number,
    phoneProof: row.phone_proof,
    isVerified: row.is_verified,
    isApproved: row.is_approved,
    verificationId: row.verification_id,
    // A project that gave this recipient a phone of its own has moved its limits to that phone.
    destination:
      row.recipient_phone === null ? { recipientId: row.recipient_id } : { phone: row.recipient_phone },
    locale: row.locale,
  };
}

const userColumns = `
u.id, u.phone_number, u.phone_proof, u.is_verified, u.verification_id, ${verificationSql.isApproved('u.verification_id')} is_approved,
r.id recipient_id, r.phone recipient_phone, r.locale`;

const findUser = `
select ${userColumns} from users u join recipient r on r.id = u.recipient_id
where u.project_id = $1 and u.mode = $2 and u.telegram_id = $3`;

async function enter(
  pool: pg.Pool,
  hash: KeyedHash,
  { projectId, mode, telegramId }: Registrant,
  { locale, payload, phone, proof }: Arrival & { phone: Phone | null; proof: PhoneProof },
  now: Date,
): Promise<RegisteredUser | null> {
  const recipientId = uuidv7({ msecs: now.getTime() });
  const { rows } = await pool.query<UserRow>(enterUser, [
    projectId,
    mode,
    telegramId,
    recipientId,
    // By its chat and not by its phone: a mere claim of a number must not reach whoever has it.
    hash('address', recipientAddressText(recipientId, null)),
    locale,
    payload === null ? {} : { start: payload },
    phone,
    proof,
    now,
  ]);
  return rows[0] ? toUser(rows[0]) : null;
}

/**
 * A claim takes no proof away from the same phone, and gives none; a verified person's phone is changed by proof alone. A test
 * key's people have recipients of their own, which reach no chat.
 */
const enterUser = `
with r as (
  insert into recipient (id, project_id, handle, address_hash, telegram_chat_id, locale, created_at, updated_at)
  values ($4, $1, case $2 when 'test' then 'test:' else '' end || 'telegram:' || $3::bigint, $5, case $2 when 'live' then $3::bigint end,
    $6, $10, $10)
  on conflict (project_id, handle) do update set telegram_chat_id = excluded.telegram_chat_id,
    locale = coalesce(recipient.locale, excluded.locale), updated_at = excluded.updated_at
  returning *),
u as (
  insert into users (project_id, mode, telegram_id, recipient_id, metadata, phone_number, phone_proof, created_at, updated_at)
  select $1, $2, $3, r.id, $7, $8, $9, $10, $10 from r
  on conflict (project_id, mode, telegram_id) do update set recipient_id = excluded.recipient_id,
    metadata = users.metadata || excluded.metadata,
    phone_number = coalesce(excluded.phone_number, users.phone_number),
    phone_proof = case when excluded.phone_number is null then users.phone_proof
      when excluded.phone_proof = 'none' and excluded.phone_number = users.phone_number then users.phone_proof
      else excluded.phone_proof end,
    updated_at = excluded.updated_at
  where excluded.phone_number is null or not users.is_verified
  returning *)
select ${userColumns} from u cross join r`;

interface Change {
  readonly tx: pg.PoolClient;
  readonly hash: KeyedHash;
  readonly now: Date;
}

interface Holder {
  readonly id: number;
  readonly project_id: string;
  readonly mode: 'live' | 'test';
  readonly telegram_id: string;
  readonly phone_number: string;
  readonly phone_proof: PhoneProof;
}

async function confirm(change: Change, { userId, phone, verificationId }: Confirmation): Promise<boolean> {
  const { tx, now } = change;
  await lockPhone(tx, phone);
  const { rows } = await tx.query<Holder>(
    'select * from users where id = $1 and phone_number = $2 and not is_verified for update',
    [userId, phone],
  );
  const [user] = rows;
  if (!user) return false;
  if (user.phone_proof === 'contact') await takePhone(change, user, Phone.parse(phone));
  else await personOfChat(tx, Number(user.telegram_id), user.mode, now);
  await tx.query(
    'update users set is_verified = true, verified_at = $3, verification_id = $2, updated_at = $3 where id = $1',
    [userId, verificationId, now],
  );
  await noteEvent(change, user, 'verified', { phone_proof: user.phone_proof });
  return true;
}

async function provePhone(change: Change, userId: number, phone: Phone): Promise<boolean> {
  const { tx, now } = change;
  await lockPhone(tx, phone);
  const { rows } = await tx.query<Holder>('select * from users where id = $1 and is_verified for update', [
    userId,
  ]);
  const [user] = rows;
  if (!user) return false;
  if (user.phone_proof === 'contact') await releasePhone(change, user);
  await takePhone(change, user, phone);
  await tx.query(
    `update users set phone_number = $2, phone_proof = 'contact', updated_at = $3 where id = $1`,
    [userId, phone, now],
  );
  await noteEvent(change, user, 'phone-proved', {});
  return true;
}

/** Two who prove one phone at the same moment take it one after the other. */
const lockPhone = (tx: pg.PoolClient, phone: string) =>
  tx.query(`select pg_advisory_xact_lock(hashtextextended('users ' || $1, 0))`, [phone]);

/** Whoever had the phone loses it, with whatever hung on it, as a person too; codes to it go to this chat from now on. */
async function takePhone(change: Change, user: Holder, phone: Phone): Promise<void> {
  const { tx, hash, now } = change;
  const { id, project_id: projectId, mode } = user;
  await proveContact(change, { telegramId: Number(user.telegram_id), mode, phone });
  await tx.query(supersede, [projectId, mode, phone, id, now]);
  // A test key's people get nothing, and take nothing from those of the live one.
  if (mode === 'test') return;
  const recipientId = uuidv7({ msecs: now.getTime() });
  const addressHash = hash('address', recipientAddressText(recipientId, phone));
  await tx.query(bindChat, [recipientId, projectId, phone, addressHash, user.telegram_id, now]);
}

/** An older proof of the same phone is worth nothing any more, also to somebody who never finished. */
const supersede = `
with held as (
  select id, is_verified from users where project_id = $1 and mode = $2 and phone_number = $3 and id <> $4 order by id for update),
lost as (
  update users u set phone_proof = 'none', is_verified = false, updated_at = $5,
    verification_id = case when held.is_verified then null else u.verification_id end,
    revoked_at = case when held.is_verified then $5 else u.revoked_at end,
    superseded_by = case when held.is_verified then $4 else u.superseded_by end
  from held where u.id = held.id returning u.id, held.is_verified)
insert into user_event (project_id, user_id, kind, detail, at)
select $1, id, 'superseded', jsonb_build_object('by', $4::int), $5 from lost where is_verified`;

/** Another account's chat takes the place of the one that was: an app of the former holder gets the number's codes no more. */
const bindChat = `
insert into recipient as r (id, project_id, phone, address_hash, telegram_chat_id, locale, created_at, updated_at)
values ($1, $2, $3, $4, $5, (select locale from recipient where project_id = $2 and handle = 'telegram:' || $5::bigint), $6, $6)
on conflict (address_hash, project_id) do update set telegram_chat_id = excluded.telegram_chat_id,
  telegram_blocked_at = case when r.telegram_chat_id = excluded.telegram_chat_id then r.telegram_blocked_at end,
  push_token_encrypted = case when r.telegram_chat_id is distinct from excluded.telegram_chat_id and r.telegram_chat_id is not null then null else r.push_token_encrypted end,
  push_token_hash = case when r.telegram_chat_id is distinct from excluded.telegram_chat_id and r.telegram_chat_id is not null then null else r.push_token_hash end,
  locale = coalesce(r.locale, excluded.locale), updated_at = excluded.updated_at`;

/** Their number before: who has it now must not be answered by this chat. */
async function releasePhone({ tx, hash, now }: Change, user: Holder): Promise<void> {
  await tx.query(
    'update recipient set telegram_chat_id = null, updated_at = $4 where project_id = $1 and address_hash = $2 and telegram_chat_id = $3',
    [user.project_id, hash('address', user.phone_number), user.telegram_id, now],
  );
}

async function noteEvent(
  { tx, now }: Change,
  { id, project_id: projectId }: Holder,
  kind: 'verified' | 'phone-proved',
  detail: Readonly<Record<string, string>>,
): Promise<void> {
  await tx.query(
    'insert into user_event (project_id, user_id, kind, detail, at) values ($1, $2, $3, $4, $5)',
    [projectId, id, kind, detail, now],
  );
}
