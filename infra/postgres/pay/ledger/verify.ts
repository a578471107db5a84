import type pg from 'pg';
import type { DayHead, ReadHead } from '../../../../domain/pay/ledger/head.ts';
import { inSnapshot } from './snapshot.ts';
import { verifyBlocks } from './verify-blocks.ts';
import { verifyDays } from './verify-days.ts';
import { verifyKeys } from './verify-keys.ts';
import { verifyLimits } from './verify-limits.ts';
import { verifyMoves } from './verify-moves.ts';
import { verifyTables } from './verify-tables.ts';
import { counted, differences, type Differences } from './differences.ts';

export interface VerifyOptions {
  readonly book: string;
  /** Signed heads of this book that were kept outside, each checked already. */
  readonly kept: readonly DayHead[];
  readonly readHead: ReadHead;
  readonly now: Date;
  /** A line for whoever waits. */
  readonly onProgress: (line: string) => void;
}

export interface Verified {
  /** What was checked, in sentences. */
  readonly checked: readonly string[];
  /** What differs, in sentences; the first hundred. */
  readonly differences: readonly string[];
  readonly differencesTotal: number;
}

/** Recomputes a book from its transfers, in one snapshot, by expressions of its own: no function or view of the database is asked. */
export const verifyBook = (pool: pg.Pool, options: VerifyOptions): Promise<Verified> =>
  inSnapshot(pool, async (db) => {
    const found = differences();
    if (!(await verifyTables(db, found))) return { checked: [], ...found.told() };
    const book = await verifyNumbers(db, options, found);
    const chain = await verifyBlocks(db, { ...options, top: book.top, found });
    const accounts = await verifyAccounts(db, options, found);
    await verifyLimits(db, { ...options, found });
    await verifyKeys(db, { ...options, found });
    await verifyMoves(db, { ...options, found });
    const days = await verifyDays(db, { ...options, chain, found });
    const open = book.top - chain.nTo;
    return {
      checked: [
        `${counted(book.transfers, 'transfer')}, numbered from 1 to ${book.top}`,
        `${counted(chain.k, 'block')}, over transfers 1 to ${chain.nTo}; the newest head is ${chain.hash.toString('hex')}`,
        open > 0
          ? `${counted(open, 'transfer')} (from ${chain.nTo + 1n}) ${open === 1n ? 'is' : 'are'} in no block yet: of them only balances, links, moves and the order of times were checked`
          : 'every transfer is in a block',
        `${counted(accounts, 'account')}: balance, version, floor and ceiling after each transfer, both limits those of its class, before and after of each transfer linked; the balances sum to zero`,
        'each account is of its owner and rail alone, and each key was posted once',
        'each transfer is an allowed move, and none was posted before the one in front of it',
        days,
        `${counted(options.kept.length, 'signed head')} that ${options.kept.length === 1 ? 'was' : 'were'} kept outside`,
      ],
      ...found.told(),
    };
  });

/** The projects that have a book, or anything that belongs into one. */
export const readBookIds = async (pool: pg.Pool): Promise<string[]> =>
  (await inSnapshot(pool, (db) => db.query<{ book: string }>(readIds))).rows.map(({ book }) => book);

const readIds = `
select project_id as book from public.ledger_book
union select project_id from public.ledger_transfer
union select project_id from public.ledger_account
union select project_id from public.ledger_block
union select project_id from public.ledger_day
order by book`;

/** Of a book: its amounts are 10^-6 of it. */
const CURRENCY = 'UZS';

interface Numbers {
  readonly currency: string;
  readonly nextN: string;
  readonly transfers: string;
  readonly first: string | null;
  readonly last: string | null;
  readonly odd: string;
}

/** Transfers are numbered from 1 without a gap, and the book's next number follows the last. */
async function verifyNumbers(
  db: pg.PoolClient,
  { book, onProgress }: VerifyOptions,
  found: Differences,
): Promise<{ readonly top: bigint; readonly transfers: bigint }> {
  const { rows } = await db.query<Numbers>(readNumbers, [book]);
  const [numbers] = rows;
  if (!numbers) {
    found.add(`There is no book ${book}.`);
    return { top: 0n, transfers: 0n };
  }
  const [top, transfers] = [BigInt(numbers.nextN) - 1n, BigInt(numbers.transfers)];
  onProgress(`Book ${book}: ${counted(transfers, 'transfer')}.`);
  if (numbers.currency !== CURRENCY)
    found.add(`The book's currency is ${numbers.currency}, not ${CURRENCY}.`);
  if (numbers.first !== null && BigInt(numbers.first) < 1n)
    found.add(`Transfer ${numbers.first} stands before the first.`);
  if (BigInt(numbers.last ?? 0) !== top)
    found.add(`The last transfer is ${numbers.last ?? 0}, and the book's next number is ${numbers.nextN}.`);
  if (numbers.odd !== '0')
    found.add(
      `${counted(numbers.odd, 'transfer')} with an amount below 1, or the same account on both sides.`,
    );
  if (transfers < BigInt(numbers.last ?? 0)) {
    const gaps = await db.query<{ after: string; before: string }>(readGaps, [book]);
    for (const { after, before } of gaps.rows)
      found.add(`Transfers between ${after} and ${before} are missing.`);
  }
  return { top, transfers };
}

interface AccountRow {
  readonly account: string;
  readonly balance: string | null;
  readonly version: string | null;
  readonly last: string | null;
  readonly moved: string;
  readonly unlinked: string | null;
  readonly beyond: string | null;
  readonly kind: 'account' | 'missing' | 'foreign';
}

async function verifyAccounts(
  db: pg.PoolClient,
  { book, onProgress }: VerifyOptions,
  found: Differences,
): Promise<string> {
  onProgress('Balances and links …');
  const { rows } = await db.query<AccountRow>(readAccounts, [book]);
  for (const row of rows)
    for (const said of accountFaults(row)) found.add(`Account ${row.account}: ${said}.`);
  const sums = await db.query<{ accounts: string; sum: string }>(readSum, [book]);
  const { accounts = '0', sum = '0' } = sums.rows[0] ?? {};
  if (sum !== '0') found.add(`The balances sum to ${sum}, not to zero.`);
  return accounts;
}

function* accountFaults(row: AccountRow): Generator<string> {
  if (row.kind === 'missing') yield `it has ${counted(row.moved, 'transfer')}, and no row`;
  if (row.kind === 'foreign') yield 'transfers of this book name it, and it is of another book';
  if (row.unlinked !== null)
    yield `transfer ${row.unlinked} does not begin with the balance that the one before it ended with`;
  if (row.beyond !== null) yield `transfer ${row.beyond} leaves it below its floor or above its ceiling`;
  if (row.kind !== 'account') return;
  if (row.balance !== row.last)
    yield `its balance is ${row.balance}, and its last transfer ended with ${row.last}`;
  if (row.version !== row.moved)
    yield `its version is ${row.version}, and ${counted(row.moved, 'transfer')} moved it`;
}

const readNumbers = `
select b.currency::text as currency, b.next_n::text as "nextN", t.transfers::text, t.first::text, t.last::text, t.odd::text
from public.ledger_book b cross join lateral (
  select count(*) as transfers, min(n) as first, max(n) as last, count(*) filter (where amount < 1 or debit = credit) as odd
  from public.ledger_transfer where project_id = b.project_id) t
where b.project_id = $1`;

const readGaps = `
select "after"::text, n::text as before
from (select n, lag(n, 1, 0::bigint) over (order by n) as "after" from public.ledger_transfer where project_id = $1) t
where n > "after" + 1 and "after" >= 0 order by n limit 20`;

/** Accounts of which something does not fit. A transfer's account may be gone: then all that is left of it are its transfers. */
const readAccounts = `
with sides as (
  select debit as id, n, debit_after + amount as before, debit_after as "after" from public.ledger_transfer where project_id = $1
  union all
  select credit, n, credit_after - amount, credit_after from public.ledger_transfer where project_id = $1),
linked as (select id, n, before, "after", lag("after", 1, 0::bigint) over (partition by id order by n) as expected from sides),
moved as (
  select l.id, count(*) as moved, (max(array[l.n, l."after"]))[2] as last, min(l.n) filter (where l.before <> l.expected) as unlinked,
    min(l.n) filter (where l."after" < a.floor or l."after" > a.ceiling) as beyond
  from linked l left join public.ledger_account a on a.id = l.id group by l.id)
select coalesce(a.id, m.id)::text as account, a.balance::text, a.version::text, coalesce(m.last, 0)::text as last,
  coalesce(m.moved, 0)::text as moved, m.unlinked::text, m.beyond::text,
  case when a.id is null then 'missing' when a.project_id <> $1 then 'foreign' else 'account' end as kind
from moved m full join public.ledger_account a on a.id = m.id
where (a.project_id = $1 or m.id is not null)
  and (a.id is null or a.project_id <> $1 or m.unlinked is not null or m.beyond is not null
    or a.balance <> coalesce(m.last, 0) or a.version <> coalesce(m.moved, 0))
order by coalesce(a.id, m.id) limit 200`;

const readSum = `select count(*)::text as accounts, coalesce(sum(balance), 0)::text as sum from public.ledger_account where project_id = $1`;
