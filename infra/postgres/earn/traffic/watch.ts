import type pg from 'pg';

/** How far sessions are: what was metered of them by now. Bytes, and 10^-6 UZS. */
export interface WatchedSession {
  readonly id: string;
  readonly bytes: bigint;
  readonly paidBytes: bigint;
  readonly paidMicros: bigint;
  /** By reason. */
  readonly unpaid: Readonly<Record<string, number>>;
}

export const watchedSessions =
  (pool: pg.Pool) =>
  async (ids: readonly string[]): Promise<ReadonlyMap<string, WatchedSession>> => {
    const { rows } = await pool.query<WatchedRow>(watch, [ids]);
    return new Map(
      rows.map(({ id, bytes, paid_bytes, paid_micros, unpaid }) => [
        id,
        {
          id,
          bytes: BigInt(bytes),
          paidBytes: BigInt(paid_bytes),
          paidMicros: BigInt(paid_micros),
          unpaid: unpaid ?? {},
        },
      ]),
    );
  };

interface WatchedRow {
  readonly id: string;
  readonly bytes: string;
  readonly paid_bytes: string;
  readonly paid_micros: string;
  readonly unpaid: Record<string, number> | null;
}

const watch = `
select d.session_id::text as id, sum(d.bytes)::text as bytes,
  coalesce(sum(d.payable) filter (where d.verdict = 'pay'), 0)::text as paid_bytes,
  coalesce(sum(d.micros) filter (where d.verdict = 'pay'), 0)::text as paid_micros,
  (select jsonb_object_agg(x.reason, x.bytes) from (
    select u ->> 'reason' as reason, sum((u ->> 'bytes')::numeric) as bytes
    from session_day o, jsonb_array_elements(o.unpaid) u where o.session_id = d.session_id group by 1) x) as unpaid
from session_day d where d.session_id = any($1) group by d.session_id`;
