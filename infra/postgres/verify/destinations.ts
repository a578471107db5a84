import type { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { TOTP_FAILURES_MAX } from '../../../domain/shared/totp.ts';
import type { PersonId } from '../../../domain/identity/person/port.ts';
import { lockedSince } from '../../../domain/verify/check.ts';
import type { Destinations } from '../../../domain/identity/person/port.ts';
import type { Queryable } from '../engine/transaction.ts';

export function destinations(pool: Pool): Destinations {
  return {
    lift: (personId, deviceId, now) =>
      openAll(pool, { personId, subjectId: deviceId, projectId: null, forgivesTotp: true }, now),
    liftFromChat: async (telegramId, projectId, now) => {
      const { rows } = await pool.query<{ person_id: PersonId }>(personWithPhone, [telegramId]);
      const personId = rows[0]?.person_id;
      if (personId === undefined) return null;
      return openAll(pool, { personId, subjectId: personId, projectId, forgivesTotp: true }, now);
    },
  };
}

/**
 * What an approval opens, in its transaction: the locks, and not the wrong codes of a device, which count until the person says
 * so (`lift`). Who approves something each day would else forgive a guesser each day, and never hear of them.
 */
export const liftLocks = (
  db: Queryable,
  personId: PersonId,
  { projectId, deviceId }: { readonly projectId: string; readonly deviceId: string },
  now: Date,
): Promise<number> => openAll(db, { personId, subjectId: deviceId, projectId, forgivesTotp: false }, now);

interface Opening {
  readonly personId: PersonId;
  /** What they act by, for the notice. */
  readonly subjectId: string;
  /** Where they act, which need not know them yet; null where they act in no project. */
  readonly projectId: string | null;
  readonly forgivesTotp: boolean;
}

async function openAll(
  db: Queryable,
  { personId, subjectId, projectId, forgivesTotp }: Opening,
  now: Date,
): Promise<number> {
  const { rows } = await db.query<{ lifted: number }>(openLocked, [
    personId,
    now,
    lockedSince(now),
    TOTP_FAILURES_MAX,
    uuidv7({ msecs: now.getTime() }),
    subjectId,
    forgivesTotp,
    projectId,
  ]);
  return rows[0]?.lifted ?? 0;
}

/** Holds all of a person's destinations and one more, in the order in which the intake does, for a transaction that needs both. */
export async function holdDestinations(
  tx: Queryable,
  personId: PersonId,
  beside: { readonly addressHash: Uint8Array; readonly projectId: string },
): Promise<void> {
  await tx.query(holdMine, [personId, beside.addressHash, beside.projectId]);
}

/** Test keys' people have no bot. */
const personWithPhone = `
select person_id from person_chat c where mode = 'live' and telegram_id = $1
  and exists (select from person_phone p where p.person_id = c.person_id)`;

/**
 * The phones that they proved, and what has no phone. The phone of a recipient is the project's word, which could be anybody's: by
 * it whoever owns a project would open the locks of any number, in all projects.
 */
const mineSql = `
mine as materialized (
  select address_hash from person_phone where person_id = $1
  union select address_hash from recipient where person_id = $1 and phone is null)`;

const holdMine = `
with ${mineSql}
select from destination d where d.address_hash in (select address_hash from mine) or (d.address_hash = $2 and d.project_id = $3)
order by d.address_hash, d.project_id for update`;

/**
 * In sorted order, as the intake locks them. Only where they are known, and where they act right now: a lock that opens before its
 * day tells whoever set it that there is somebody.
 */
const openLocked = `
with ${mineSql},
held as (
  select d.address_hash, d.project_id, coalesce(d.locked_at > $3, false) or ($7 and d.totp_failures >= $4) was_locked from destination d
  where d.address_hash in (select address_hash from mine)
    and (d.project_id = $8 or exists (select from recipient r where r.project_id = d.project_id and r.person_id = $1))
    and (d.failed_checks > 0 or d.locked_at is not null or ($7 and d.totp_failures > 0))
  order by d.address_hash, d.project_id for update),
opened as (
  update destination d set locked_at = null, failed_checks = 0, totp_failures = case when $7 then 0 else d.totp_failures end, updated_at = $2 from held
  where d.address_hash = held.address_hash and d.project_id = held.project_id returning was_locked),
told as (
  insert into person_notice (id, person_id, kind, subject_id, at)
  select $5, $1, 'lock-lifted', $6, $2 where exists (select from opened where was_locked))
select count(*)::int lifted from opened where was_locked`;
