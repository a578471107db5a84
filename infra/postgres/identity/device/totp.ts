import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { DEVICES_MAX, type DeviceId } from '../../../../domain/identity/device/device.ts';
import { acceptedSteps, TOTP_SECRET_BYTES, totpCode } from '../../../../domain/shared/totp.ts';
import type { PersonId } from '../../../../domain/identity/person/person.ts';
import type { DeviceSecrets } from '../../../identity/device/secrets.ts';
import { sameText } from '../../../process/crypto.ts';

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

/** One of five, of which those that the person has not are others', or a decoy where there are no others. */
interface SlotRow {
  readonly id: DeviceId;
  readonly person_id: PersonId;
  readonly encrypted: Buffer;
  /** The secret before, while its codes may still be on their way. */
  readonly previous: Buffer;
  readonly is_theirs: boolean;
  readonly has_previous: boolean;
}

export function deviceTotp(pool: pg.Pool, secrets: DeviceSecrets): DeviceTotp {
  const decoy = decoyDevice(secrets);
  return {
    match: async ({ addressHash, projectId }, code, now) => {
      const { rows } = await pool.query<SlotRow>({
        name: 'devices-of-address',
        text: devicesOfAddress,
        values: [addressHash, projectId, now, DEVICES_MAX, decoy.id, decoy.encrypted],
      });
      const steps = acceptedSteps(now);
      return rows.flatMap((row) => matchesOf(secrets, row, decoy, steps, code));
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
  readonly secret: Uint8Array;
  readonly encrypted: Buffer;
}

/** Stands in for a device that is not there: nobody knows its secret, and what matches it is left out. */
function decoyDevice(secrets: DeviceSecrets): Decoy {
  const id = '00000000-0000-7000-8000-000000000000' as DeviceId;
  const secret = randomBytes(TOTP_SECRET_BYTES);
  return { id, secret, encrypted: secrets.encrypt(secret, id) };
}

/** Opens two secrets, and compares each of their codes to the end; what others' devices match is left out. */
function matchesOf(
  secrets: DeviceSecrets,
  row: SlotRow,
  decoy: Decoy,
  steps: readonly number[],
  code: string,
): TotpMatch[] {
  const matching = (encrypted: Buffer, boundTo: DeviceId) => {
    const secret = openedOr(decoy, row.is_theirs, () => secrets.decrypt(encrypted, boundTo));
    return steps.filter((step) => sameText(totpCode(secret, step), code) && row.is_theirs);
  };
  const typed = [
    ...matching(row.encrypted, row.id),
    // A decoy's secret, where there is none, is known to nobody.
    ...matching(row.previous, row.has_previous ? row.id : decoy.id),
  ];
  return typed.map((step) => ({ deviceId: row.id, personId: row.person_id, step }));
}

/** A row that can't be opened fails its own person's checks, and nobody else's. */
function openedOr(decoy: Decoy, isTheirs: boolean, open: () => Uint8Array): Uint8Array {
  try {
    return open();
  } catch (error) {
    if (isTheirs) throw error;
    return decoy.secret;
  }
}

/**
 * By who proved the phone; else, where there is none, by whom the project itself knows as this recipient. Both are looked up, and five devices are read,
 * of others where the person has fewer or is nobody: rows that are there took 0.02 ms longer than none, which thousands of calls
 * tell apart. The index begins with the first person after the decoy's id, which is before all others'.
 */
const devicesOfAddress = `
with owner as materialized (
  select coalesce(by_phone, by_recipient, $5) id from (
    select (select p.person_id from person_phone p where p.address_hash = $1) by_phone,
      (select r.person_id from recipient r where r.address_hash = $1 and r.project_id = $2 and r.phone is null) by_recipient
    offset 0) found),
nearest as materialized (
  select row_number() over () slot, near.* from (
    select d.id, d.person_id, d.totp_encrypted, case when d.totp_previous_until > $3 then d.totp_previous_encrypted end previous,
      d.person_id = (select id from owner) theirs
    from device d where d.person_id >= (select id from owner) and d.revoked_at is null and d.bound_at is not null
    order by d.person_id limit $4) near)
select coalesce(n.id, $5) id, coalesce(n.person_id, $5) person_id, coalesce(n.totp_encrypted, $6) encrypted,
  coalesce(n.previous, $6) previous, coalesce(n.theirs, false) is_theirs, n.previous is not null has_previous
from generate_series(1, $4) slot left join nearest n using (slot)`;

/** One statement decides among all who bring the same code, in whatever project: RFC 6238 §5.2. */
const acceptStep = `
update device set totp_last_step = $3, last_used_at = $4
where id = $1 and person_id = $2 and bound_at is not null and revoked_at is null
  and (totp_last_step is null or totp_last_step < $3)`;
