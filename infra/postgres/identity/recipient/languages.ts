import type pg from 'pg';
import type { RecipientLanguages } from '../../../../domain/identity/recipient/port.ts';

/** What people choose for themselves: a project's own word (`PUT /recipients`) is written over. */
export const recipientLanguages = (pool: pg.Pool): RecipientLanguages => ({
  set: async (id, locale, now) => {
    await pool.query(set, [id, locale, now]);
  },
});

const set = `update recipient set locale = $2, updated_at = $3 where id = $1`;
