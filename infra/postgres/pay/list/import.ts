import pg from 'pg';
import { bankToken } from '../../../../domain/pay/payout/bank-account.ts';
import { nameScore } from '../../../../domain/pay/list/name-score.ts';
import type { ListImported, ListOrder } from '../../../../domain/pay/list/port.ts';
import type { ListLine } from '../../../../domain/pay/list/read-list.ts';
import type { Destinations } from '../../../../domain/pay/payout/port.ts';
import { MoneyRefusedError } from '../../../../domain/pay/refusals.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import type { KeyedHash } from '../../../process/crypto.ts';
import { inTransaction, type Queryable } from '../../engine/transaction.ts';
import { moneyRefusalOf } from '../money-faults.ts';
import { repeatedLines } from './repeats.ts';

/** What `list_import_lines` takes in one call. */
const LINES_A_CALL = 5_000;

export interface ImportDeps {
  readonly pool: pg.Pool;
  readonly book: ProjectId;
  readonly hash: KeyedHash;
  readonly destinations: Pick<Destinations<Queryable>, 'add'>;
}

/** All lines with their holds in one commit, which the database refuses where one is missing. */
export async function importList(deps: ImportDeps, order: ListOrder): Promise<ListImported> {
  try {
    return await inTransaction(deps.pool, (tx) => importIn(tx, deps, order));
  } catch (error) {
    const refusal = error instanceof MoneyRefusedError ? error.refusal : moneyRefusalOf(error);
    if (refusal === null) throw error;
    const missing = missingOf(error);
    return { ok: false, refusal: missing === null ? refusal : { kind: 'funds-missing', tiyin: missing } };
  }
}

/** Said by `list_import`. By `ledger_post_all` it is the number of an item: somebody else spent the money between the two, and nothing says how much. */
const missingOf = (error: unknown): bigint | null =>
  error instanceof pg.DatabaseError &&
  error.code === 'NB001' &&
  error.message.startsWith('the funds') &&
  error.detail
    ? BigInt(error.detail)
    : null;

async function importIn(tx: Queryable, deps: ImportDeps, order: ListOrder): Promise<ListImported> {
  const repeats = await repeatsOf(tx, deps, order);
  if (repeats.length > 0) return { ok: false, refusal: { kind: 'repeats', lines: repeats } };
  const { rows } = await tx.query<{ list: string; repeated: boolean }>(begin, [
    deps.book,
    order.staffId,
    order.key,
    order.funder,
    order.name,
    order.rail,
    order.sha256,
    order.lines.length,
    order.total.toString(),
  ]);
  const [begun] = rows;
  if (!begun) throw new Error('list_import answered nothing');
  if (begun.repeated) return { ok: true, id: begun.list, repeated: true };
  for (let from = 0; from < order.lines.length; from += LINES_A_CALL)
    await importLines(tx, deps, begun.list, order.lines.slice(from, from + LINES_A_CALL));
  return { ok: true, id: begun.list, repeated: false };
}

/** Of two lists at once the second waits for the first, and then sees what that one pays. The same request again is no repeat of its own. */
async function repeatsOf(tx: Queryable, { book }: ImportDeps, order: ListOrder) {
  await tx.query(oneAtATime, [book]);
  if (order.repeats === 'allowed') return [];
  const { rowCount } = await tx.query(readKey, [book, order.staffId, order.key]);
  return rowCount === 0 ? repeatedLines(tx, book, order.lines, order.at) : [];
}

/** In front of all locks of money. */
const oneAtATime = `select pg_advisory_xact_lock(hashtextextended('lists:' || $1::text, 0))`;
const readKey = `select from payout_list_import where project_id = $1 and staff_id = $2 and key = $3`;

const begin = `
select list, repeated from list_import($1, $2, $3, $4, $5, $6, $7, $8, $9)`;

interface Destination {
  readonly id: string;
  readonly score: number | null;
}

async function importLines(
  tx: Queryable,
  deps: ImportDeps,
  list: string,
  lines: readonly ListLine[],
): Promise<void> {
  const hashes = lines.map(({ phone }) => deps.hash('address', phone));
  const destinations = lines[0]?.bank
    ? await bankDestinations(tx, deps, lines)
    : await knownCards(tx, deps.book, lines, hashes);
  await tx.query('select list_import_lines($1, $2, $3, $4, $5, $6, $7, $8, $9)', [
    list,
    lines.map(({ line }) => line),
    lines.map(({ phone }) => phone),
    hashes,
    lines.map(({ name }) => name),
    lines.map(({ purpose }) => purpose),
    lines.map(({ amount }) => amount.toString()),
    lines.map((_, place) => destinations.get(place)?.id ?? null),
    lines.map((_, place) => destinations.get(place)?.score ?? null),
  ]);
}

interface CardRow {
  readonly place: number;
  readonly id: string;
  readonly holder_name: string | null;
}

/** The card that the payee bound last, as a person or by an earlier link. */
async function knownCards(
  tx: Queryable,
  book: ProjectId,
  lines: readonly ListLine[],
  hashes: readonly Buffer[],
): Promise<ReadonlyMap<number, Destination>> {
  const { rows } = await tx.query<CardRow>(readCards, [book, lines.map(({ phone }) => phone), hashes]);
  return new Map(
    rows.map(({ place, id, holder_name: holder }) => {
      const listed = lines[place - 1]?.name ?? '';
      return [place - 1, { id, score: holder === null ? null : nameScore(listed, holder) }] as const;
    }),
  );
}

const readCards = `
select u.place::int as place, d.id, d.holder_name
from unnest($2::text[], $3::bytea[]) with ordinality u(phone, address_hash, place)
cross join lateral (
  select c.id, c.holder_name, c.made_at from payout_destination c
  where c.phone = u.phone and c.project_id = $1 and c.rail = 'multicard' and c.removed_at is null and c.distrusted_at is null
  union all
  select c.id, c.holder_name, c.made_at from person_phone p join payout_destination c on c.person_id = p.person_id
  where p.address_hash = u.address_hash and p.phone = u.phone
    and c.project_id = $1 and c.rail = 'multicard' and c.removed_at is null and c.distrusted_at is null
  order by made_at desc limit 1) d`;

/** Accounts as the list names them; no bank tells whose they are, so that there is no score. */
async function bankDestinations(
  tx: Queryable,
  { destinations }: ImportDeps,
  lines: readonly ListLine[],
): Promise<ReadonlyMap<number, Destination>> {
  const found = new Map<number, Destination>();
  await tx.query(lockWait);
  await tx.query(lockPayees, [lines.map(({ phone }) => phone)]);
  for (const [place, { phone, name, bank }] of lines.entries()) {
    if (!bank) throw new Error('a line of a list for a bank has an account');
    const added = await destinations.add(tx, {
      payee: { phone },
      rail: 'bank-file',
      token: bankToken(bank),
      last4: bank.account.slice(-4),
      holderName: name,
      phoneMatches: null,
      pinfl: null,
    });
    found.set(place, { id: added, score: null });
  }
  return found;
}

const lockWait = `set local lock_timeout = '3s'`;
/** As `payout_ask_by_key` does, and in its order: nobody waits for another in a circle. */
const lockPayees = `
select pg_advisory_xact_lock(h.hash) from (
  select distinct hashtextextended('payee:' || p.phone, 0) as hash from unnest($1::text[]) p(phone) order by 1) h`;
