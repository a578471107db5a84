import type pg from 'pg';
import { allowedMoves } from '../../../../domain/pay/ledger/moves.ts';
import type { Differences } from './differences.ts';

/** The clocks of two machines may differ by so much. */
const AHEAD_SECONDS_MAX = 300;

interface Moved {
  readonly kind: string;
  readonly debit: string | null;
  readonly credit: string | null;
  readonly sameOwner: boolean;
  readonly count: string;
  readonly first: string;
}

interface MovesOptions {
  readonly book: string;
  readonly now: Date;
  readonly found: Differences;
}

/** Every transfer is one that may be at all, and none bears a time that the book could not have given it. */
export async function verifyMoves(db: pg.PoolClient, { book, now, found }: MovesOptions): Promise<void> {
  const { rows } = await db.query<Moved>(readMoves, [book]);
  for (const moved of rows.filter((each) => !isAllowed(each))) found.add(moveFault(moved));
  const times = await db.query<{ n: string; late: boolean }>(readTimes, [book]);
  for (const { n, late } of times.rows)
    found.add(
      late
        ? `Transfer ${n} was posted after the book's newest time.`
        : `Transfer ${n} was posted before the one in front of it.`,
    );
  const ahead = await db.query<{ at: string }>(readAhead, [book, now, AHEAD_SECONDS_MAX]);
  for (const { at } of ahead.rows) found.add(`The book's newest time is ${at}, which is not yet.`);
}

function moveFault({ kind, debit, credit, sameOwner, count, first }: Moved): string {
  const which = count === '1' ? `Transfer ${first} is` : `${count} transfers, the first is ${first}, are`;
  const move = `${kind} from ${debit ?? 'no account'} to ${credit ?? 'no account'}`;
  return `${which} no allowed move: ${move}${sameOwner ? '' : ', not of one owner'}.`;
}

const isAllowed = ({ kind, debit, credit, sameOwner }: Moved): boolean =>
  allowedMoves.some(
    (move) =>
      move.kind === kind && move.debit === debit && move.credit === credit && (sameOwner || !move.sameOwner),
  );

const readMoves = `
select t.kind::text collate "C" as kind, d.class::text collate "C" as debit, c.class::text collate "C" as credit, coalesce(d.owner = c.owner, false) as "sameOwner",
  count(*)::text as count, min(t.n)::text as first
from public.ledger_transfer t
left join public.ledger_account d on d.id = t.debit and d.project_id = t.project_id
left join public.ledger_account c on c.id = t.credit and c.project_id = t.project_id
where t.project_id = $1 group by 1, 2, 3, 4 order by min(t.n)`;

const readTimes = `
select t.n::text as n, t.late
from (
  select n, posted_at > (select b.posted_at from public.ledger_book b where b.project_id = $1) as late,
    posted_at < lag(posted_at) over (order by n) or not isfinite(posted_at) as back
  from public.ledger_transfer where project_id = $1) t
where t.late or t.back order by t.n limit 20`;

const readAhead = `
select posted_at::text as at from public.ledger_book
where project_id = $1 and posted_at > $2::timestamptz + make_interval(secs => $3::int)`;
