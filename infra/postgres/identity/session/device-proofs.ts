import type pg from 'pg';
import { z } from 'zod';
import { DeviceId } from '../../../../domain/identity/device/device.ts';
import { DevicePublicKey } from '../../../../domain/identity/device/public-key.ts';
import { PersonId } from '../../../../domain/identity/person/person.ts';
import type { DeviceProofs } from '../../../../domain/identity/session/sign-in.ts';
import { keyModes } from '../../../../domain/project/key.ts';
import { verifySignature } from '../../../identity/device/signature.ts';
import { statementBytes } from '../../../identity/device/statement.ts';

/** What a device proves of somebody who signs in. */
export function deviceProofs(pool: pg.Pool): DeviceProofs {
  return {
    findDevice: async (deviceId) => {
      const { rows } = await pool.query(findDevice, [deviceId]);
      return rows[0] ? DeviceRow.parse(rows[0]) : null;
    },
    isSignedBy: ({ id, publicKey }, { at, nonce, signature }) =>
      verifySignature(publicKey, statementBytes('navbat-sign-in-v1', { device: id, at, nonce }), signature),
    takeDeviceTime: async (deviceId, at, now) => {
      const { rowCount } = await pool.query(takeTime, [deviceId, at, now]);
      return rowCount === 1;
    },
  };
}

const DeviceRow = z.object({
  id: DeviceId,
  personId: PersonId,
  mode: z.enum(keyModes),
  publicKey: DevicePublicKey,
});

const findDevice = `
select d.id, d.person_id "personId", p.mode, d.public_key "publicKey" from device d join person p on p.id = d.person_id
where d.id = $1 and d.kind = 'app' and d.bound_at is not null and d.revoked_at is null`;

const takeTime = `
update device set signed_in_at = $2, last_used_at = $3
where id = $1 and bound_at is not null and revoked_at is null and (signed_in_at is null or signed_in_at < $2)`;
