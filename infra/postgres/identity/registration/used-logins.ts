import type pg from 'pg';
import { AUTH_AGE_SECONDS_MAX, type UsedLogins } from '../../../../domain/identity/registration/login.ts';

/** Twice as long as signed data can be young, clocks that differ included: before that, forgetting would let it in again. */
const KEPT_MS = 2 * AUTH_AGE_SECONDS_MAX * 1_000;

export function usedLogins(pool: pg.Pool): UsedLogins {
  return {
    use: async (hash, at) => {
      const { rowCount } = await pool.query(
        `with forgotten as (delete from used_login where used_at < $3)
         insert into used_login (hash, used_at) values (decode($1, 'hex'), $2) on conflict do nothing`,
        [hash, at, new Date(at.getTime() - KEPT_MS)],
      );
      return rowCount === 1;
    },
  };
}
