import type pg from 'pg';
import { type DayHead, dayAfter, type ReadHead, tashkentDay } from '../../../../domain/pay/ledger/head.ts';
import { genesisOf } from './block-hash.ts';
import { counted, type Differences } from './differences.ts';
import type { Chain } from './verify-blocks.ts';

/** A day as it stands in its table. */
export interface Day {
  readonly day: string;
  readonly k: string;
  readonly nTo: string;
  readonly totals: Readonly<Record<string, string>>;
  readonly head: string;
  readonly jws: string;
  /** False where it was sent before it ended. */
  readonly sentLater: boolean;
}

interface DaysOptions {
  readonly book: string;
  readonly kept: readonly DayHead[];
  readonly readHead: ReadHead;
  readonly now: Date;
  readonly chain: Chain;
  readonly found: Differences;
}

/** Every stored day against its signature, the chain and the transfers; and every head that was kept outside. */
export async function verifyDays(db: pg.PoolClient, options: DaysOptions): Promise<string> {
  const { book, kept, found } = options;
  const { rows: days } = await db.query<Day>(readDays, [book]);
  const heads = [...days.map((day) => headOf(book, day)), ...kept];
  const totalsAt = await readTotals(db, book, heads);
  const hashes = await readHashes(db, book, heads);
  for (const day of days) await verifyDay(day, options);
  for (const [place, head] of heads.entries()) {
    const about = place < days.length ? `Day ${head.day}` : `The head of ${head.day} that was kept outside`;
    const block = hashes.get(head.k);
    if (block?.head !== head.head || block.nTo !== head.n_to)
      found.add(
        `${about}: it ends with block ${head.k}, transfer ${head.n_to}, ${head.head}; ${block ? `that block is ${block.head}, to transfer ${block.nTo}` : 'there is no such block'}. The chain was rebuilt or cut.`,
      );
    if (!sameTotals(head.totals, totalsAt(head.n_to)))
      found.add(
        `${about}: its totals are ${words(head.totals)}; its transfers sum to ${words(totalsAt(head.n_to))}.`,
      );
  }
  verifySequence(days, options);
  const newest = days.at(-1);
  return newest
    ? `${counted(days.length, 'signed day')}; the newest, ${newest.day}, ends with transfer ${newest.nTo}, head ${newest.head}`
    : 'no signed day yet';
}

/** What should have been signed of it. */
export const headOf = (book: string, { day, k, nTo, totals, head }: Day): DayHead => ({
  book,
  day,
  k,
  n_to: nTo,
  totals,
  head,
});

async function verifyDay(day: Day, { book, readHead, chain, found }: DaysOptions): Promise<void> {
  const said = await readHead(day.jws);
  if (said.kind === 'unknown-key')
    found.add(
      `Day ${day.day}: it is signed by the key ${said.kid}, which is not among the known ones. Give its public key with --keys.`,
    );
  else if (said.kind === 'forged') found.add(`Day ${day.day}: its signature is not ours.`);
  else if (!sameHead(said.head, headOf(book, day)))
    found.add(`Day ${day.day}: it was changed; what was signed is ${JSON.stringify(said.head)}.`);
  const end = chain.dayEnds.findLast((each) => each.day <= day.day);
  if ((end?.k ?? 0n) !== BigInt(day.k))
    found.add(
      `Day ${day.day}: it ends with block ${day.k}; its last transfers are in block ${end?.k ?? 0n}.`,
    );
  if (!day.sentLater) found.add(`Day ${day.day}: it is said to have been sent before it ended.`);
}

/** Yesterday's may still be on its way; the one before is written, or its worker has stood still for a day. */
function verifySequence(days: readonly Day[], { chain, now, found }: DaysOptions): void {
  const due = dayAfter(tashkentDay(now), -2);
  const first = days.at(0)?.day ?? chain.dayEnds.at(0)?.day;
  if (first === undefined) return;
  const begun = chain.dayEnds.at(0)?.day;
  if (begun !== undefined && begun < first)
    found.add(`No day before ${first} is signed; the book began on ${begun}.`);
  const written = new Set(days.map(({ day }) => day));
  for (let day = first; day <= due; day = dayAfter(day))
    if (!written.has(day)) found.add(`Day ${day} is missing: it was never signed, or removed.`);
}

const sorted = (totals: DayHead['totals']): string =>
  JSON.stringify(
    Object.entries(totals)
      .filter(([, micros]) => BigInt(micros) !== 0n)
      .toSorted(([one], [other]) => (one < other ? -1 : 1)),
  );
const sameTotals = (one: DayHead['totals'], other: DayHead['totals']): boolean =>
  sorted(one) === sorted(other);
export const sameHead = (one: DayHead, other: DayHead): boolean =>
  one.book === other.book &&
  one.day === other.day &&
  one.k === other.k &&
  one.n_to === other.n_to &&
  one.head === other.head &&
  sameTotals(one.totals, other.totals);
const words = (totals: DayHead['totals']): string =>
  Object.entries(totals)
    .map(([name, micros]) => `${name} ${micros}`)
    .join(', ') || 'nothing';

/** Totals by class up to each transfer that a head names, in one pass. */
async function readTotals(
  db: pg.PoolClient,
  book: string,
  heads: readonly DayHead[],
): Promise<(nTo: string) => DayHead['totals']> {
  const bounds = [...new Set(heads.map(({ n_to }) => BigInt(n_to)))].toSorted((one, other) =>
    one < other ? -1 : 1,
  );
  const { rows } = await db.query<{ place: number; class: string | null; micros: string }>(readSums, [
    book,
    bounds.map(String),
  ]);
  const sums = new Map<string, bigint>();
  const at = new Map<string, DayHead['totals']>();
  for (const [place, bound] of bounds.entries()) {
    for (const row of rows.filter((each) => each.place === place)) {
      const name = row.class ?? 'no account';
      sums.set(name, (sums.get(name) ?? 0n) + BigInt(row.micros));
    }
    at.set(
      bound.toString(),
      Object.fromEntries([...sums].map(([name, micros]) => [name, micros.toString()])),
    );
  }
  return (nTo) => at.get(nTo) ?? {};
}

interface BlockAt {
  readonly nTo: string;
  readonly head: string;
}

async function readHashes(
  db: pg.PoolClient,
  book: string,
  heads: readonly DayHead[],
): Promise<ReadonlyMap<string, BlockAt>> {
  const { rows } = await db.query<BlockAt & { k: string }>(readHashesAt, [book, heads.map(({ k }) => k)]);
  const genesis: BlockAt = { nTo: '0', head: genesisOf(book).toString('hex') };
  return new Map([['0', genesis], ...rows.map(({ k, ...block }) => [k, block] as const)]);
}

export const dayColumns = `day::text, k::text, n_to::text as "nTo", totals, encode(head, 'hex') as head, jws`;
const readDays = `
select ${dayColumns},
  least(chat_sent_at, witness_sent_at) is null
    or least(chat_sent_at, witness_sent_at) >= (day + 1)::timestamp at time zone 'Asia/Tashkent' as "sentLater"
from public.ledger_day d where project_id = $1 order by d.day`;

const readHashesAt = `
select k::text, n_to::text as "nTo", encode(hash, 'hex') as head from public.ledger_block where project_id = $1 and k = any ($2::bigint[])`;

/** place: how many bounds lie before the transfer. */
const readSums = `
select place, class, sum(micros)::text as micros
from (
  select width_bucket(t.n - 1, $2::bigint[]) as place, d.class::text as debit_class, c.class::text as credit_class, sum(t.amount) as amount
  from public.ledger_transfer t left join public.ledger_account d on d.id = t.debit left join public.ledger_account c on c.id = t.credit
  where t.project_id = $1 and cardinality($2::bigint[]) > 0 group by 1, 2, 3) p
cross join lateral (values (debit_class, -amount), (credit_class, amount)) s (class, micros)
where place < cardinality($2::bigint[]) group by place, class`;
