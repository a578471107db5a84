import type { Pool } from 'pg';
import type { Destinations } from '../../domain/otp/destinations.ts';
import type { KeyedHash } from '../crypto.ts';
import { addressText } from './otp-intake.ts';

export function destinations(pool: Pool, hash: KeyedHash): Destinations {
  return {
    unlock: async (projectId, destination, now) => {
      const { rowCount } = await pool.query(
        `update destination set locked_at = null, failed_checks = 0, updated_at = $3
         where address_hash = $1 and project_id = $2 and locked_at is not null`,
        [hash('address', addressText(destination, 'live')), projectId, now],
      );
      return rowCount === 1;
    },
  };
}
