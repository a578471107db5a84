import type { DeviceId } from '../../../../domain/identity/device/device.ts';
import type { PersonId } from '../../../../domain/identity/person/person.ts';
import type { SessionEnd } from '../../../../domain/identity/session/sessions.ts';
import type { Queryable } from '../../engine/transaction.ts';

/** Ends every session of a person or a device, in the commit in which they lose what it stood on. */
export async function endSessions(
  tx: Queryable,
  of: { readonly personId: PersonId } | { readonly deviceId: DeviceId },
  because: SessionEnd,
  now: Date,
): Promise<void> {
  const [column, id] = 'personId' in of ? ['person_id', of.personId] : ['device_id', of.deviceId];
  await tx.query(
    `update session set revoked_at = $2, revoked_because = $3 where ${column} = $1 and revoked_at is null`,
    [id, now, because],
  );
}
