import type { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { TOTP_FAILURES_MAX } from '../../domain/device/totp.ts';
import type { PersonId } from '../../domain/identity/person.ts';
import { lockedSince } from '../../domain/otp/check.ts';
import type { Destinations } from '../../domain/otp/destinations.ts';

export function destinations(pool: Pool): Destinations {
  const lift = async (personId: PersonId, subjectId: string, now: Date) => {
    const { rows } = await pool.query<{ lifted: number }>(liftLocks, [
      personId,
      now,
      lockedSince(now),
      TOTP_FAILURES_MAX,
      uuidv7({ msecs: now.getTime() }),
      subjectId,
    ]);
    return rows[0]?.lifted ?? 0;
  };
  return {
    lift,
    liftFromChat: async (telegramId, now) => {
      const { rows } = await pool.query<{ person_id: PersonId }>(personWithPhone, [telegramId]);
      const personId = rows[0]?.person_id;
      return personId === undefined ? null : lift(personId, personId, now);
    },
  };
}

/** Test keys' people have no bot. */
const personWithPhone = `
select person_id from person_chat c where mode = 'live' and telegram_id = $1
  and exists (select from person_phone p where p.person_id = c.person_id)`;

/** In sorted order, as the intake locks them. */
const liftLocks = `
with mine as materialized (
  select address_hash from person_phone where person_id = $1
  union select address_hash from recipient where person_id = $1),
held as (
  select d.address_hash, d.project_id, coalesce(d.locked_at > $3, false) or d.totp_failures >= $4 was_locked from destination d
  where d.address_hash in (select address_hash from mine) and (d.failed_checks > 0 or d.locked_at is not null or d.totp_failures > 0)
  order by d.address_hash, d.project_id for update),
opened as (
  update destination d set locked_at = null, failed_checks = 0, totp_failures = 0, updated_at = $2 from held
  where d.address_hash = held.address_hash and d.project_id = held.project_id returning was_locked),
told as (
  insert into person_notice (id, person_id, kind, subject_id, at)
  select $5, $1, 'lock-lifted', $6, $2 where exists (select from opened where was_locked))
select count(*)::int lifted from opened where was_locked`;
