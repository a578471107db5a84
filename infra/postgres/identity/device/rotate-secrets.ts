import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { DeviceId } from '../../../../domain/identity/device/device.ts';
import type { Devices, Rotations } from '../../../../domain/identity/device/port.ts';
import { TOTP_SECRET_BYTES, TOTP_STEP_SECONDS } from '../../../../domain/shared/totp.ts';
import type { PersonId } from '../../../../domain/identity/person/person.ts';
import type { DeviceSecrets } from '../../../identity/device/secrets.ts';
import { inTransaction, type Queryable } from '../../engine/transaction.ts';

/** A code that a person read off their screen before the change is taken as long as it would have been: three steps. */
const PREVIOUS_SECRET_SECONDS = 3 * TOTP_STEP_SECONDS;

/** A new secret for a device that keeps everything else. */
export function rotating(pool: pg.Pool, secrets: DeviceSecrets): Pick<Devices, 'offerSecret' | 'takeSecret'> {
  return {
    offerSecret: async (personId, id) => {
      const secret = randomBytes(TOTP_SECRET_BYTES);
      const { rowCount } = await pool.query(offerSecret, [id, personId, secrets.encrypt(secret, id)]);
      return rowCount === 0 ? null : secret;
    },
    takeSecret: (personId, id, isRight, now) =>
      inTransaction(pool, (tx) => takeSecret({ tx, secrets, now }, personId, id, isRight)),
  };
}

/** Asked for again, because the answer was lost: the latest one counts. */
const offerSecret = `
update device set totp_next_encrypted = $3
where id = $1 and person_id = $2 and kind = 'app' and bound_at is not null and revoked_at is null`;

async function takeSecret(
  { tx, secrets, now }: { tx: Queryable; secrets: DeviceSecrets; now: Date },
  personId: PersonId,
  id: DeviceId,
  isRight: (secret: Uint8Array) => boolean,
): Promise<'taken' | 'wrong' | 'none'> {
  const { rows } = await tx.query<{ totp_next_encrypted: Buffer }>(
    `select totp_next_encrypted from device
     where id = $1 and person_id = $2 and totp_next_encrypted is not null and revoked_at is null for update`,
    [id, personId],
  );
  const [row] = rows;
  if (!row) return 'none';
  if (!isRight(secrets.decrypt(row.totp_next_encrypted, id))) return 'wrong';
  await tx.query(swapSecret, [id, new Date(now.getTime() + PREVIOUS_SECRET_SECONDS * 1_000)]);
  return 'taken';
}

/**
 * The last step stays what it was: a code of the old secret for this very step may be on its way, and each step is still taken
 * once, whichever of the two secrets it is of.
 */
const swapSecret = `
update device set totp_previous_encrypted = totp_encrypted, totp_previous_until = $2, totp_encrypted = totp_next_encrypted, totp_next_encrypted = null,
  rotation_wanted_at = null
where id = $1`;

/** Some milliseconds of work, and as many notices at a time. */
const ASKED_AT_ONCE_MAX = 500;

/** Asks devices to fetch a new secret; what is asked already is not asked twice. */
export function rotations(pool: pg.Pool): Rotations {
  return {
    ask: async (deviceId, now) => {
      const { rows } = await pool.query<{ apps: number; authenticators: number }>(askForRotation, [
        deviceId,
        now,
        ASKED_AT_ONCE_MAX,
      ]);
      return rows[0] ?? { apps: 0, authenticators: 0 };
    },
    isBound: async (deviceId) => {
      const { rowCount } = await pool.query(
        'select from device where id = $1 and bound_at is not null and revoked_at is null',
        [deviceId],
      );
      return rowCount === 1;
    },
    waiting: async () => {
      const { rows } = await pool.query<{ n: number }>(
        'select count(*)::int n from device where rotation_wanted_at is not null and revoked_at is null',
      );
      return rows[0]?.n ?? 0;
    },
  };
}

const askForRotation = `
with asked as (
  update device set rotation_wanted_at = $2 where id = any(array(
    select id from device
    where ($1::uuid is null or id = $1) and bound_at is not null and revoked_at is null and rotation_wanted_at is null
    order by id limit $3 for update skip locked))
  returning id, person_id, kind),
told as (
  insert into person_notice (id, person_id, kind, subject_id, at) select uuidv7(), person_id, 'rotate', id, $2 from asked)
select count(*) filter (where kind = 'app')::int apps, count(*) filter (where kind = 'authenticator')::int authenticators from asked`;
