import type { RepeatedLine } from '../../../../domain/pay/list/port.ts';
import type { ListLine } from '../../../../domain/pay/list/read-list.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import type { Queryable } from '../../engine/transaction.ts';

/** Within which the same amount to the same phone is looked at twice. */
const REPEAT_DAYS = 90;
const DAY_MS = 86_400_000;

/** Lines that pay a phone what a list pays it, or has paid it, already. */
export async function repeatedLines(
  db: Queryable,
  book: ProjectId,
  lines: readonly ListLine[],
  now: Date,
): Promise<readonly RepeatedLine[]> {
  const { rows } = await db.query<RepeatedLine>(readRepeats, [
    book,
    lines.map(({ line }) => line),
    lines.map(({ phone }) => phone),
    lines.map(({ amount }) => amount.toString()),
    new Date(now.getTime() - REPEAT_DAYS * DAY_MS),
  ]);
  return rows.map(({ line, list, at }) => ({ line, list, at }));
}

const readRepeats = `
select u.line, l.name as list, e.created_at as at
from unnest($2::int[], $3::text[], $4::bigint[]) u(line, phone, amount)
cross join lateral (
  select p.list_id, p.created_at from payout p
  where p.project_id = $1 and p.source = 'list' and p.phone = u.phone and p.gross = u.amount and p.created_at > $5::timestamptz
    and p.state not in ('cancelled', 'failed')
  order by p.created_at desc limit 1) e
join payout_list l on l.id = e.list_id
order by u.line`;
