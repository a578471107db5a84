import type { Pool } from 'pg';
import { z } from 'zod';
import {
  type Acted,
  type Difference,
  type DifferenceAct,
  differenceBuckets,
  type DifferenceFilter,
  type Differences,
} from '../../../../domain/pay/reconcile/port.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { type Page, pageOf, type PageOrder } from '../../../../domain/shared/page.ts';
import { moneyRefusalOf } from '../money-faults.ts';

/** What one look finds of payments without a line; the next one finds the others. */
const ONLY_OURS_MAX = 1_000;

/** What does not fit in one book, and what is done about it. */
export function differences(pool: Pool, book: ProjectId): Differences {
  return {
    list: (filter, order) => list(pool, book, filter, order),
    act: (id, staffId, act) => actOn(pool, book, id, staffId, act),
    findOnlyOurs: async () => {
      const { rows } = await pool.query<{ n: number }>(findOnlyOurs, [book, ONLY_OURS_MAX]);
      return rows[0]?.n ?? 0;
    },
    ofEquation: async (rail, equation, by) => {
      const { rows } = await pool.query<{ is_new: boolean }>(ofEquation, [
        book,
        rail,
        equation,
        by?.toString() ?? null,
      ]);
      return rows[0]?.is_new ?? false;
    },
    stopRails: () => stopRails(pool, book),
    openCount: async () => {
      const { rows } = await pool.query<{ rail: string; n: number }>(countOpen, [book]);
      return new Map(rows.map(({ rail, n }) => [rail, n]));
    },
  };
}

/** In a commit of its own: a rail is locked in front of the book. */
export async function stopRails(pool: Pool, book: ProjectId): Promise<readonly string[]> {
  const { rows } = await pool.query<{ rail: string }>(stop, [book]);
  return rows.map(({ rail }) => rail);
}

interface Row {
  readonly id: string;
  readonly rail: string;
  readonly bucket: string;
  readonly amount: string;
  readonly payout_id: string | null;
  readonly dispatch_id: string | null;
  readonly suggestions: string[];
  readonly says: string | null;
  readonly found_at: Date;
  readonly owner: string | null;
  readonly note: string | null;
  readonly closed_at: Date | null;
  readonly closed_by: string | null;
}

const Bucket = z.enum(differenceBuckets);

const differenceOf = (row: Row): Difference => ({
  id: row.id,
  rail: row.rail,
  bucket: Bucket.parse(row.bucket),
  amount: BigInt(row.amount),
  payoutId: row.payout_id,
  dispatchId: row.dispatch_id,
  suggestions: row.suggestions,
  says: row.says,
  foundAt: row.found_at,
  owner: row.owner,
  note: row.note,
  closedAt: row.closed_at,
  closedBy: row.closed_by,
});

async function list(
  pool: Pool,
  book: ProjectId,
  { open, rail, bucket }: DifferenceFilter,
  { limit, after }: PageOrder,
): Promise<Page<Difference>> {
  const { rows } = await pool.query<Row>(listDifferences, [
    book,
    open ?? null,
    rail ?? null,
    bucket ?? null,
    after,
    limit + 1,
  ]);
  return pageOf(rows.map(differenceOf), limit);
}

async function actOn(
  pool: Pool,
  book: ProjectId,
  id: string,
  staffId: string,
  act: DifferenceAct,
): Promise<Acted> {
  try {
    await pool.query(actOnDifference, [id, staffId, act.kind, act.kind === 'own' ? null : act.text]);
  } catch (error) {
    const refusal = moneyRefusalOf(error);
    if (!refusal) throw error;
    return { ok: false, refusal };
  }
  const { rows } = await pool.query<Row>(readDifference, [book, id]);
  return rows[0]
    ? { ok: true, difference: differenceOf(rows[0]) }
    : { ok: false, refusal: { kind: 'unknown' } };
}

const columns = `
d.id, d.rail, d.bucket, d.amount, d.payout_id, d.dispatch_id, d.suggestions, l.says, d.found_at, d.owner, d.note, d.closed_at, d.closed_by
from difference d
left join statement_line l on l.project_id = d.project_id and l.rail = d.rail and l.key = d.line_key`;

const listDifferences = `
select ${columns}
where d.project_id = $1 and ($2::boolean is null or (d.closed_at is null) = $2) and ($3::text is null or d.rail = $3)
  and ($4::text is null or d.bucket = $4) and ($5::uuid is null or d.id < $5)
order by d.id desc limit $6`;

const readDifference = `select ${columns} where d.project_id = $1 and d.id = $2`;
const actOnDifference = `select from difference_act($1, $2, $3, $4)`;
const findOnlyOurs = `select difference_find_only_ours($1, $2) as n`;
const ofEquation = `select difference_of_equation($1, $2, $3, $4) as is_new`;
const stop = `select rail from difference_stop_rails($1) as rail`;
const countOpen = `
select d.rail, count(*)::int as n from difference d where d.project_id = $1 and d.closed_at is null group by d.rail`;
