import type pg from 'pg';
import { SessionId } from '../../../../domain/earn/ids.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';

/** Of one read. */
const ROWS_MAX = 500;

interface Waiting {
  readonly sessionId: SessionId;
  readonly personId: string;
  readonly address: string;
}

/** Each address that is in review because the data was old, of sessions whose days are open, one after the other. Answers how many. */
export async function eachWaiting(
  { pool, book, now }: { readonly pool: pg.Pool; readonly book: ProjectId; readonly now: Date },
  look: (waiting: Waiting) => Promise<unknown>,
): Promise<number> {
  let looked = 0;
  let after: WaitingRow | null = null;
  for (;;) {
    const rows: readonly WaitingRow[] = await readWaiting(pool, [book, now, after]);
    for (const row of rows)
      await look({
        sessionId: SessionId.parse(row.session_id),
        personId: row.person_id,
        address: row.address,
      });
    looked += rows.length;
    after = rows.at(-1) ?? null;
    if (rows.length < ROWS_MAX) return looked;
  }
}

async function readWaiting(
  pool: pg.Pool,
  [book, now, after]: readonly [ProjectId, Date, WaitingRow | null],
): Promise<readonly WaitingRow[]> {
  const values = [book, now, after?.session_id ?? null, after?.address ?? null, ROWS_MAX];
  return (await pool.query<WaitingRow>(waiting, values)).rows;
}

interface WaitingRow {
  readonly session_id: string;
  readonly address: string;
  readonly person_id: string;
}

/** Days close three days after they begin, and a session has two. */
const waiting = `
select a.session_id, host(a.address) as address, s.person_id
from session_address a join traffic_session s on s.id = a.session_id
where a.reason = 'address-data-old' and s.project_id = $1 and s.started_at > $2::timestamptz - interval '5 days'
  and ($3::uuid is null or (a.session_id, a.address) > ($3::uuid, $4::inet))
order by a.session_id, a.address limit $5`;
