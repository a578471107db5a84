import type pg from 'pg';
import type { Period } from '../../../../domain/pay/ledger/period.ts';
import { AccountId } from '../../../../domain/pay/ledger/accounts.ts';
import type {
  AccountView,
  ClosedDay,
  LedgerReads,
  Statement,
  StatementLine,
  StatementSpan,
} from '../../../../domain/pay/ledger/reads.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';

/** What finance reads of one book. Nothing is locked: whoever posts waits for no reader. */
export function ledgerReads(pool: pg.Pool, book: ProjectId): LedgerReads {
  return {
    accounts: async (filter, { after, limit }) => {
      const { rows } = await pool.query<AccountRow>(readAccounts, [
        book,
        after ?? '0',
        filter.class ?? null,
        filter.owner ?? null,
        filter.rail ?? null,
        limit + 1,
      ]);
      return { rows: rows.slice(0, limit).map(accountOf), hasMore: rows.length > limit };
    },
    account: async (id) => {
      const { rows } = await pool.query<AccountRow>(readAccount, [book, id]);
      return rows[0] ? accountOf(rows[0]) : null;
    },
    statement: (account, period, upTo) => readStatement(pool, { book, account, period, upTo }),
    lines: async (span, limit) => {
      const { rows } = await pool.query<LineRow>(readLines, [...spanOf(book, span), limit + 1]);
      return { rows: rows.slice(0, limit).map(lineOf), hasMore: rows.length > limit };
    },
    countLines: async (span, max) => {
      const { rows } = await pool.query<{ n: number }>(countLines, [...spanOf(book, span), max]);
      return Math.min(rows[0]?.n ?? 0, max);
    },
    days: async ({ after, limit }) => {
      const { rows } = await pool.query<DayRow>(readDays, [book, after ?? 'infinity', limit + 1]);
      return { rows: rows.slice(0, limit).map(dayOf), hasMore: rows.length > limit };
    },
  };
}

interface AccountRow {
  readonly id: string;
  readonly class: string;
  readonly owner: string | null;
  readonly rail: string | null;
  readonly balance: string;
  readonly floor: string | null;
  readonly ceiling: string | null;
  readonly version: string;
}

const accountOf = ({ id, balance, floor, ceiling, version, ...owner }: AccountRow): AccountView => ({
  ...owner,
  id: AccountId.parse(id),
  balance: BigInt(balance),
  floor: floor === null ? null : BigInt(floor),
  ceiling: ceiling === null ? null : BigInt(ceiling),
  transfers: BigInt(version),
});

const readAccounts = `
select id, class, owner, rail, balance, floor, ceiling, version from ledger_account
where project_id = $1 and id > $2 and ($3::text is null or class = $3)
  and ($4::uuid is null or owner = $4) and ($5::text is null or rail = $5)
  -- Every class by name: so an owner is found by the index of their accounts.
  and class = any (array(select c.class from ledger_class c))
order by id limit $6`;

const readAccount = `
select id, class, owner, rail, balance, floor, ceiling, version from ledger_account where project_id = $1 and id = $2`;

interface Asked {
  readonly book: ProjectId;
  readonly account: AccountId;
  readonly period: Period;
  readonly upTo: bigint | null;
}

/** Several statements and no transaction: what they read below a number that was given can't change. */
async function readStatement(pool: pg.Pool, { book, account, period, upTo }: Asked): Promise<Statement> {
  const { rows } = await pool.query<SpanRow>(findSpan, [
    book,
    period.from?.toString() ?? null,
    period.to?.toString() ?? null,
    upTo?.toString() ?? null,
  ]);
  const [row] = rows;
  if (!row) throw new Error('no such book');
  if (!row.found) throw new Error('a number is missing in the book: navbat ledger verify names it');
  const after = BigInt(row.after);
  // A period that begins after all that was posted is empty.
  const span = { account, after, upTo: BigInt(row.up_to) > after ? BigInt(row.up_to) : after };
  const [opening, closing] = await Promise.all([
    balanceAfter(pool, book, account, span.after),
    balanceAfter(pool, book, account, span.upTo),
  ]);
  return { ...span, opening, closing };
}

interface SpanRow {
  readonly after: string;
  readonly up_to: string;
  readonly found: boolean;
}

/**
 * Where the period begins and ends, as numbers. The times at which transfers were posted never go back in the order of their numbers, and the numbers
 * are dense: halved some twenty times, five million transfers leave one, so that no index on the times is needed.
 */
const findSpan = `
with recursive
top as (select least(b.next_n - 1, $4::bigint) n from ledger_book b where b.project_id = $1),
edges (name, at) as (values
  ('from', coalesce('epoch'::timestamptz + $2::bigint * interval '1 microsecond', '-infinity')),
  ('to', coalesce('epoch'::timestamptz + $3::bigint * interval '1 microsecond', 'infinity'))),
halves (name, at, lo, hi) as (
  select e.name, e.at, 0::bigint, top.n + 1 from top cross join edges e
  union all
  select h.name, h.at, case when t.posted_at < h.at then t.n else h.lo end, case when t.posted_at < h.at then h.hi else t.n end
  from halves h
  cross join lateral (
    select x.n, x.posted_at from ledger_transfer x where x.project_id = $1 and x.n = (h.lo + h.hi) / 2 limit 1) t
  where h.hi - h.lo > 1),
found as (select name, max(lo) n, min(hi) - max(lo) = 1 as ended from halves group by name)
select (select n from found where name = 'from') as after, (select n from found where name = 'to') as up_to,
  (select bool_and(ended) from found) as found
from top`;

async function balanceAfter(pool: pg.Pool, book: ProjectId, account: AccountId, n: bigint): Promise<bigint> {
  const { rows } = await pool.query<{ balance: string }>(readBalance, [book, account, n.toString()]);
  // Each begins empty.
  return BigInt(rows[0]?.balance ?? '0');
}

const readBalance = `
select e.balance from (
  (select t.n, t.debit_after balance from ledger_transfer t where t.project_id = $1 and t.debit = $2 and t.n <= $3 order by t.n desc limit 1)
  union all
  (select t.n, t.credit_after from ledger_transfer t where t.project_id = $1 and t.credit = $2 and t.n <= $3 order by t.n desc limit 1)) e
order by e.n desc limit 1`;

const spanOf = (book: ProjectId, { account, after, upTo }: StatementSpan): readonly string[] => [
  book,
  account,
  after.toString(),
  upTo.toString(),
];

interface LineRow {
  readonly n: string;
  readonly kind: string;
  readonly key: string;
  readonly amount: string;
  readonly before: string;
  readonly after: string;
  readonly other: string;
  readonly class: string;
  readonly owner: string | null;
  readonly rail: string | null;
  readonly subject_id: string | null;
  readonly event_at: string;
  readonly posted_at: string;
  readonly actor: string;
}

const lineOf = (row: LineRow): StatementLine => ({
  n: BigInt(row.n),
  kind: row.kind,
  key: row.key,
  amount: BigInt(row.amount),
  before: BigInt(row.before),
  after: BigInt(row.after),
  other: { id: AccountId.parse(row.other), class: row.class, owner: row.owner, rail: row.rail },
  subjectId: row.subject_id,
  eventAt: row.event_at,
  postedAt: row.posted_at,
  actor: row.actor,
});

/** Each side by its own index, no further than the page: the account with the most transfers costs what any other does. */
const readLines = `
select e.n, e.kind, e.key, e.amount, e.before, e.after, e.other, o.class, o.owner, o.rail, e.subject_id,
  to_char(e.event_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') event_at,
  to_char(e.posted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') posted_at, e.actor
from (
  (select t.n, t.kind, t.key, -t.amount amount, t.debit_before before, t.debit_after after, t.credit other, t.subject_id, t.event_at, t.posted_at, t.actor
   from ledger_transfer t where t.project_id = $1 and t.debit = $2 and t.n > $3 and t.n <= $4 order by t.n limit $5)
  union all
  (select t.n, t.kind, t.key, t.amount, t.credit_before, t.credit_after, t.debit, t.subject_id, t.event_at, t.posted_at, t.actor
   from ledger_transfer t where t.project_id = $1 and t.credit = $2 and t.n > $3 and t.n <= $4 order by t.n limit $5)) e
join ledger_account o on o.id = e.other
order by e.n limit $5`;

const countLines = `
select ((select count(*) from (select from ledger_transfer t where t.project_id = $1 and t.debit = $2 and t.n > $3 and t.n <= $4 limit $5) d)
  + (select count(*) from (select from ledger_transfer t where t.project_id = $1 and t.credit = $2 and t.n > $3 and t.n <= $4 limit $5) c))::int as n`;

interface DayRow {
  readonly day: string;
  readonly k: string;
  readonly n_to: string;
  readonly totals: Readonly<Record<string, string>>;
  readonly head: string;
  readonly jws: string;
  readonly chat_sent_at: Date | null;
  readonly witness_sent_at: Date | null;
}

const dayOf = ({ day, k, n_to, totals, head, jws, chat_sent_at, witness_sent_at }: DayRow): ClosedDay => ({
  day,
  block: BigInt(k),
  upTo: BigInt(n_to),
  totals: Object.entries(totals).map(([name, balance]) => ({ class: name, balance: BigInt(balance) })),
  head,
  jws,
  chatSentAt: chat_sent_at,
  witnessSentAt: witness_sent_at,
});

const readDays = `
select d.day::text, d.k, d.n_to, d.totals, encode(d.head, 'hex') head, d.jws, d.chat_sent_at, d.witness_sent_at
from ledger_day d where d.project_id = $1 and d.day < $2::date order by d.day desc limit $3`;
