import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { DEVICES_MAX, type DeviceId } from '../../domain/device/device.ts';
import { acceptedSteps, TOTP_SECRET_BYTES, totpCode } from '../../domain/device/totp.ts';
import type { PersonId } from '../../domain/identity/person.ts';
import type { DeviceSecrets } from '../device-secrets.ts';
import { sameText } from '../crypto.ts';

/** A device of the asked person whose code of this step was typed. */
export interface TotpMatch {
  readonly deviceId: DeviceId;
  readonly personId: PersonId;
  readonly step: number;
}

export interface DeviceTotp {
  /**
   * Whose code this may be, of the devices of the person behind an address. Answers after the same work whether there are
   * five devices, one, or nobody.
   */
  match(of: Addressee, code: string, now: Date): Promise<readonly TotpMatch[]>;
  /** Uses the step up: false where it was used before, or the device was revoked a moment ago. */
  accept(match: TotpMatch, now: Date): Promise<boolean>;
}

export interface Addressee {
  readonly addressHash: Buffer;
  /** A person whom the project reaches by its own recipient alone has no phone to be found by. */
  readonly projectId: string;
}

interface DeviceRow {
  readonly id: DeviceId;
  readonly person_id: PersonId;
  readonly totp_sealed: Buffer;
  /** Null unless codes of the secret before may still be on their way. */
  readonly previous: Buffer | null;
}

export function deviceTotp(pool: pg.Pool, secrets: DeviceSecrets): DeviceTotp {
  const decoy = decoyDevice(secrets);
  return {
    match: async ({ addressHash, projectId }, code, now) => {
      const { rows } = await pool.query<DeviceRow>({
        name: 'devices-of-address',
        text: devicesOfAddress,
        values: [addressHash, projectId, now, DEVICES_MAX],
      });
      const steps = acceptedSteps(now);
      return Array.from({ length: DEVICES_MAX }, (_, index) =>
        matchesOf(secrets, rows[index] ?? null, decoy, steps, code),
      ).flat();
    },
    accept: async ({ deviceId, personId, step }, now) => {
      const { rowCount } = await pool.query({
        name: 'accept-step',
        text: acceptStep,
        values: [deviceId, personId, step, now],
      });
      return rowCount === 1;
    },
  };
}

interface Decoy {
  readonly id: DeviceId;
  readonly sealed: Buffer;
}

/** Stands in for a device that is not there: nobody knows its secret, and what matches it is left out. */
function decoyDevice(secrets: DeviceSecrets): Decoy {
  const id = '00000000-0000-7000-8000-000000000000' as DeviceId;
  return { id, sealed: secrets.seal(randomBytes(TOTP_SECRET_BYTES), id) };
}

/** Opens two secrets, and compares each of their codes to the end. */
function matchesOf(
  secrets: DeviceSecrets,
  row: DeviceRow | null,
  decoy: Decoy,
  steps: readonly number[],
  code: string,
): TotpMatch[] {
  const id = row?.id ?? decoy.id;
  const typed = [row?.totp_sealed, row?.previous].flatMap((sealed) => {
    const secret = sealed ? secrets.open(sealed, id) : secrets.open(decoy.sealed, decoy.id);
    const matching = steps.filter((step) => sameText(totpCode(secret, step), code));
    return sealed ? matching : [];
  });
  if (!row) return [];
  return typed.map((step) => ({ deviceId: id, personId: row.person_id, step }));
}

/** By who proved the phone; else by whom the project itself knows as this recipient. */
const devicesOfAddress = `
select d.id, d.person_id, d.totp_sealed, case when d.totp_previous_until > $3 then d.totp_previous_sealed end previous
from device d
where d.revoked_at is null and d.bound_at is not null and d.person_id = coalesce(
  (select p.person_id from person_phone p where p.address_hash = $1),
  (select r.person_id from recipient r where r.address_hash = $1 and r.project_id = $2))
limit $4`;

/** One statement decides among all who bring the same code, in whatever project: RFC 6238 §5.2. */
const acceptStep = `
update device set totp_last_step = $3, last_used_at = $4
where id = $1 and person_id = $2 and bound_at is not null and revoked_at is null
  and (totp_last_step is null or totp_last_step < $3)`;
