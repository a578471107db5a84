import type pg from 'pg';
import { blockHash, genesisOf } from './block-hash.ts';
import { type Differences, differences } from './differences.ts';

/** Blocks that are read at once: at most a million transfers. */
const BLOCKS_MAX = 1_000;
/** As in `ledger_close`. */
const ROWS_MAX = 1_000n;
const LEAF_BYTES = 4;
/** Transfers of a block that a sentence names. */
const NAMED_MAX = 10;
/** Transfers that are looked at together, for an account that they have in common. */
const WRONG_MAX = 10_000;

interface Block {
  readonly k: string;
  readonly nTo: string;
  readonly leaves: Buffer;
  readonly hash: Buffer;
  readonly closed: Buffer;
}

/** A block with what it should hold. */
interface Placed extends Omit<Block, 'nTo'> {
  readonly nFrom: bigint;
  readonly nTo: bigint;
  readonly before: Buffer;
}

interface Rows {
  readonly place: number;
  readonly count: string;
  readonly digest: Buffer;
  readonly leaves: Buffer;
  readonly lastDay: string;
}

/** The last block of a day of Tashkent, by its transfers. */
export interface DayEnd {
  readonly day: string;
  readonly k: bigint;
}

export interface Chain {
  readonly k: bigint;
  readonly nTo: bigint;
  readonly hash: Buffer;
  readonly dayEnds: readonly DayEnd[];
}

interface BlocksOptions {
  readonly book: string;
  readonly top: bigint;
  readonly found: Differences;
  readonly onProgress: (line: string) => void;
}

/** Recomputes every block from its transfers and their accounts; names the block and the transfers that differ. */
export async function verifyBlocks(db: pg.PoolClient, options: BlocksOptions): Promise<Chain> {
  const { book, top, found, onProgress } = options;
  const wrong: bigint[] = [];
  const dayEnds: DayEnd[] = [];
  let last = { k: 0n, nTo: 0n, hash: genesisOf(book) };
  for (;;) {
    const { rows } = await db.query<Block>(readBlocks, [book, last.k.toString(), BLOCKS_MAX]);
    if (rows.length === 0) break;
    const placed = place(rows, last, found);
    const stored = await readTransfers(db, book, placed);
    for (const block of placed) {
      const { k, nTo, hash } = block;
      wrong.push(...verifyBlock(block, stored.get(block.k), found));
      const day = stored.get(block.k)?.lastDay;
      if (day !== undefined && dayEnds.at(-1)?.day === day) dayEnds.pop();
      if (day !== undefined) dayEnds.push({ day, k: BigInt(k) });
      last = { k: BigInt(k), nTo, hash };
    }
    onProgress(`Blocks to ${last.k}, transfers to ${last.nTo} of ${top} …`);
  }
  if (last.nTo > top) found.add(`The blocks end with transfer ${last.nTo}, and the book with ${top}.`);
  await verifyHead(db, book, last, found);
  await nameAccounts(db, book, wrong, found);
  return { ...last, dayEnds };
}

/** What differs in one block: its transfers, its leaves, its hash, and the hash of the block before that it stands on. */
export async function proveBlock(db: pg.PoolClient, book: string, k: string): Promise<readonly string[]> {
  const found = differences();
  const before = await db.query<Block>(readBlocks, [book, (BigInt(k) - 2n).toString(), 1]);
  const { rows } = await db.query<Block>(readBlocks, [book, (BigInt(k) - 1n).toString(), 1]);
  const first = BigInt(k) === 1n;
  const [last] = before.rows;
  const from = first
    ? { k: 0n, nTo: 0n, hash: genesisOf(book) }
    : { k: BigInt(last?.k ?? 0), nTo: BigInt(last?.nTo ?? 0), hash: last?.hash ?? genesisOf(book) };
  const placed = place(rows, from, found);
  const stored = await readTransfers(db, book, placed);
  for (const block of placed) verifyBlock(block, stored.get(block.k), found);
  return found.told().differences;
}

/** Which transfers each block holds. Where its last number can't be, as many as it has leaves. */
function place(
  blocks: readonly Block[],
  from: { readonly k: bigint; readonly nTo: bigint; readonly hash: Buffer },
  found: Differences,
): Placed[] {
  let { k, nTo: nFrom, hash: before } = from;
  return blocks.map((block) => {
    const expected = k + 1n;
    if (BigInt(block.k) !== expected)
      found.add(`Block ${expected} is missing: block ${block.k} comes after block ${k}.`);
    const stored = BigInt(block.nTo);
    const isOrdered = stored > nFrom && stored <= nFrom + ROWS_MAX;
    const nTo = isOrdered ? stored : nFrom + BigInt(Math.floor(block.leaves.length / LEAF_BYTES));
    if (!isOrdered)
      found.add(`Block ${block.k} says that it ends with transfer ${stored}; it begins with ${nFrom + 1n}.`);
    const placed = { ...block, nFrom, nTo, before };
    ({ k, nFrom, before } = { k: BigInt(block.k), nFrom: nTo, before: block.hash });
    return placed;
  });
}

async function readTransfers(
  db: pg.PoolClient,
  book: string,
  placed: readonly Placed[],
): Promise<ReadonlyMap<string, Rows>> {
  const [first, last] = [placed.at(0), placed.at(-1)];
  if (!first || !last) return new Map();
  const begins = placed.map(({ nFrom }) => (nFrom + 1n).toString());
  const { rows } = await db.query<Rows>(readRows, [
    book,
    first.nFrom.toString(),
    last.nTo.toString(),
    begins,
  ]);
  return new Map(rows.map((row) => [placed[row.place - 1]?.k ?? '', row]));
}

/** @returns the transfers that differ. */
function verifyBlock(block: Placed, rows: Rows | undefined, found: Differences): bigint[] {
  const { k, nFrom, nTo, leaves, hash } = block;
  const about = `Block ${k} (transfers ${nFrom + 1n} to ${nTo})`;
  if (!rows || BigInt(rows.count) !== nTo - nFrom) {
    found.add(`${about} has ${rows?.count ?? 0} of its ${nTo - nFrom} transfers.`);
    return [];
  }
  const is = blockHash({ ...block, k: BigInt(k), digest: rows.digest });
  const wrong = differing(leaves, rows.leaves).map((place) => nFrom + 1n + BigInt(place));
  const sameLength = leaves.length === rows.leaves.length;
  if (is.equals(hash)) {
    if (wrong.length > 0 || !sameLength)
      found.add(`${about}: its leaves were changed; its hash fits its transfers.`);
    return [];
  }
  if (wrong.length === 0)
    found.add(`${about}: its hash, number, time or leaves were changed, or the hash of the block before it.`);
  else
    found.add(`${about}: ${differ(wrong)} from what was closed. A row was changed, or one of its accounts.`);
  return wrong;
}

/** The places whose four bytes differ. */
function differing(stored: Buffer, computed: Buffer): number[] {
  const places = Math.min(stored.length, computed.length) / LEAF_BYTES;
  const found: number[] = [];
  for (let place = 0; place < places; place += 1) {
    const at = place * LEAF_BYTES;
    if (stored.compare(computed, at, at + LEAF_BYTES, at, at + LEAF_BYTES) !== 0) found.push(place);
  }
  return found;
}

/** `transfer 501 differs`, `transfers 501, 502 differ` */
function differ(ns: readonly bigint[]): string {
  const shown = ns.slice(0, NAMED_MAX).join(', ');
  const more = ns.length > NAMED_MAX ? ` and ${ns.length - NAMED_MAX} more` : '';
  return ns.length === 1 ? `transfer ${shown} differs` : `transfers ${shown}${more} differ`;
}

async function verifyHead(
  db: pg.PoolClient,
  book: string,
  last: { readonly k: bigint; readonly nTo: bigint; readonly hash: Buffer },
  found: Differences,
): Promise<void> {
  const { rows } = await db.query<{ k: string; nTo: string; hash: Buffer }>(readHeadRow, [book]);
  const [head] = rows;
  if (!head) {
    if (last.k > 0n) found.add(`The row of ledger_head is missing; the last block is ${last.k}.`);
    return;
  }
  const fits = BigInt(head.k) === last.k && BigInt(head.nTo) === last.nTo && head.hash.equals(last.hash);
  if (!fits)
    found.add(
      `ledger_head says block ${head.k}, transfer ${head.nTo}, ${head.hash.toString('hex')}; the last block is ${last.k}, transfer ${last.nTo}, ${last.hash.toString('hex')}.`,
    );
}

/** Where all transfers of an account differ, it is the account itself that was changed, most probably. */
async function nameAccounts(
  db: pg.PoolClient,
  book: string,
  wrong: readonly bigint[],
  found: Differences,
): Promise<void> {
  if (wrong.length === 0) return;
  const looked = wrong.slice(0, WRONG_MAX).map(String);
  const { rows } = await db.query<{ account: string }>(readCommon, [book, looked, looked.at(-1)]);
  for (const { account } of rows)
    found.add(
      `Account ${account}: all of its closed transfers differ. Its class, owner, rail, floor or ceiling was probably changed.`,
    );
}

const readBlocks = `
select k::text, n_to::text as "nTo", leaves, hash, timestamptz_send(closed_at) as closed
from public.ledger_block b where project_id = $1 and k > $2 order by b.k limit $3`;

const readHeadRow = `select k::text, n_to::text as "nTo", hash from public.ledger_head where project_id = $1`;

/** The row hash of `ledger_close`, written again. */
const readRows = `
select place, count(*)::text, sha256(string_agg(leaf, ''::bytea order by n)) as digest,
  string_agg(substr(leaf, 1, 4), ''::bytea order by n) as leaves, max((posted_at at time zone 'Asia/Tashkent')::date)::text as "lastDay"
from (
  select width_bucket(t.n, $4::bigint[]) as place, t.n, t.posted_at,
    sha256(uuid_send(t.project_id) || int8send(t.n)
      || int4send(octet_length(t.key::text)) || convert_to(t.key::text, 'UTF8') || int4send(octet_length(t.kind::text)) || convert_to(t.kind::text, 'UTF8')
      || int8send(t.debit) || int8send(t.credit) || int8send(t.amount) || int8send(t.debit_after) || int8send(t.credit_after)
      || coalesce('\\x01'::bytea || uuid_send(t.subject_id), '\\x00'::bytea)
      || timestamptz_send(t.event_at) || timestamptz_send(t.posted_at)
      || int4send(octet_length(t.actor::text)) || convert_to(t.actor::text, 'UTF8')
      || int4send(octet_length(d.class::text)) || convert_to(d.class::text, 'UTF8') || coalesce('\\x01'::bytea || uuid_send(d.owner), '\\x00'::bytea)
      || coalesce(int4send(octet_length(d.rail::text)) || convert_to(d.rail::text, 'UTF8'), '\\xffffffff'::bytea)
      || coalesce('\\x01'::bytea || int8send(d.floor), '\\x00'::bytea) || coalesce('\\x01'::bytea || int8send(d.ceiling), '\\x00'::bytea)
      || int4send(octet_length(c.class::text)) || convert_to(c.class::text, 'UTF8') || coalesce('\\x01'::bytea || uuid_send(c.owner), '\\x00'::bytea)
      || coalesce(int4send(octet_length(c.rail::text)) || convert_to(c.rail::text, 'UTF8'), '\\xffffffff'::bytea)
      || coalesce('\\x01'::bytea || int8send(c.floor), '\\x00'::bytea) || coalesce('\\x01'::bytea || int8send(c.ceiling), '\\x00'::bytea)) as leaf
  from public.ledger_transfer t
  left join public.ledger_account d on d.id = t.debit and d.project_id = t.project_id
  left join public.ledger_account c on c.id = t.credit and c.project_id = t.project_id
  where t.project_id = $1 and t.n > $2 and t.n <= $3
  -- Kept apart: merged into the statement around it, each hash would be made twice.
  offset 0) x
group by place`;

const readCommon = `
with wrong as (select debit, credit from public.ledger_transfer where project_id = $1 and n = any ($2::bigint[])),
ids as (select debit as id from wrong union select credit from wrong)
select ids.id::text as account from ids
where (select count(*) from public.ledger_transfer t where t.project_id = $1 and t.n <= $3 and (t.debit = ids.id or t.credit = ids.id))
  = (select count(*) from wrong w where w.debit = ids.id or w.credit = ids.id)
order by ids.id limit 20`;
