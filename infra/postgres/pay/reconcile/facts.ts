import { beginningOfDay, dayAfter } from '../../../../domain/pay/ledger/head.ts';
import type { RailId } from '../../../../domain/pay/ids.ts';
import { readBankToken } from '../../../../domain/pay/payout/bank-account.ts';
import { LineBucket, type RailLine } from '../../../../domain/pay/reconcile/line.ts';
import type { Known, OurPayment } from '../../../../domain/pay/reconcile/match.ts';
import type { StatedLine } from '../../../../domain/pay/reconcile/read-lines.ts';
import type { Encryption } from '../../../process/crypto.ts';
import type { Queryable } from '../../engine/transaction.ts';

/** What one statement asks about. */
const CHUNK = 5_000;
/** Payments that are suggested are looked for so far from their line, and no more than so many. */
const SUGGESTED_WITHIN_DAYS = 7;
const SUGGESTED_MAX = 1_000;

const DISPATCH_OF = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-\d{1,4}$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Lines of the rail that were early, and are asked about again with each statement; and the keys of those to which another person is still to
 * agree.
 */
export async function earlyLines(
  db: Queryable,
  book: string,
  rail: RailId,
): Promise<{ readonly lines: readonly StatedLine[]; readonly unagreed: readonly string[] }> {
  const { rows } = await db.query<LineRow>(readEarly, [book, rail, CHUNK]);
  const unagreed = rows.filter((row) => row.unagreed).map(({ key }) => key);
  const lines: readonly StatedLine[] = rows.map(
    ({ key, direction, uuid, reference, amount, commission, at, says }) => ({
      key,
      direction: direction === 'out' ? 'out' : 'back',
      uuid,
      reference,
      amount: BigInt(amount),
      commission: BigInt(commission),
      at,
      says,
    }),
  );
  return { lines, unagreed };
}

interface LineRow {
  readonly key: string;
  readonly direction: string;
  readonly uuid: string | null;
  readonly reference: string | null;
  readonly amount: string;
  readonly commission: string;
  readonly at: Date;
  readonly says: string | null;
  readonly unagreed: boolean;
}

/** As `statement_is_agreed` asks it. Those that wait for a person come last, so that they hold up no others. */
const readEarly = `
select l.key, l.direction, l.uuid, l.reference, l.amount, l.commission, l.at, l.says, u.unagreed
from statement_line l join statement s on s.id = l.statement_id
cross join lateral (select s.imported_by is not null and not exists (
    select from payout_action a where a.subject = s.id::text and a.action = 'statement-agreed') as unagreed) u
where l.project_id = $1 and l.rail = $2 and not l.posted and l.bucket = 'early' order by u.unagreed, l.at, l.key limit $3`;

export interface Facts {
  readonly book: string;
  readonly rail: RailId;
  /** Of tokens: whose account a line has to name. */
  readonly encryption: Encryption;
}

/** All that decides about these lines, as it is now; the caller holds the import of the rail. */
export async function knownOf(
  db: Queryable,
  { book, rail, encryption }: Facts,
  lines: readonly RailLine[],
  unagreed: readonly string[],
): Promise<Known> {
  const known = new Set<string>();
  const payments = new Map<string, OurPayment>();
  for (let from = 0; from < lines.length; from += CHUNK) {
    const chunk = lines.slice(from, from + CHUNK);
    const { rows } = await db.query<{ key: string }>(readKnown, [book, rail, chunk.map(({ key }) => key)]);
    for (const { key } of rows) known.add(key);
    const { rows: ours } = await db.query<PaymentRow>(readNamed, [
      book,
      rail,
      chunk.flatMap(({ uuid }) => uuid ?? []),
      chunk.flatMap(({ reference }) => DISPATCH_OF.exec(reference ?? '')?.[1] ?? []),
      chunk.flatMap(({ reference }) => (reference !== null && UUID.test(reference) ? [reference] : [])),
    ]);
    for (const row of ours) payments.set(row.id, paymentOf(row, encryption));
  }
  for (const row of await suggested(db, book, rail, lines))
    if (!payments.has(row.id)) payments.set(row.id, paymentOf(row, encryption));
  const { rows } = await db.query<{ day: string | null }>(readSigned, [book]);
  const day = rows[0]?.day ?? null;
  return {
    payments: [...payments.values()],
    lines: known,
    unagreed: new Set(unagreed),
    openFrom: day === null ? new Date(0) : beginningOfDay(dayAfter(day)),
  };
}

/** Of the amounts of lines that name nobody. */
async function suggested(
  db: Queryable,
  book: string,
  rail: RailId,
  lines: readonly RailLine[],
): Promise<readonly PaymentRow[]> {
  const nameless = lines.filter(({ direction, reference }) => direction === 'out' && reference === null);
  if (nameless.length === 0) return [];
  const times = nameless.map(({ at }) => at.getTime());
  const { rows } = await db.query<PaymentRow>(readSuggested, [
    book,
    rail,
    [...new Set(nameless.map(({ amount }) => amount.toString()))],
    new Date(Math.min(...times)),
    new Date(Math.max(...times)),
    SUGGESTED_WITHIN_DAYS,
    SUGGESTED_MAX,
  ]);
  return rows;
}

interface PaymentRow {
  readonly id: string;
  readonly payout_id: string;
  readonly dispatch_id: string;
  readonly dispatch_state: string;
  readonly item_state: string;
  readonly rail_uuid: string | null;
  readonly reference: string | null;
  readonly attempt: number;
  readonly net: string;
  readonly commission: string;
  readonly state_at: Date;
  /** Of a bank file alone. */
  readonly token_encrypted: Buffer | null;
  readonly destination: string;
  readonly out_line: string | null;
  readonly back_line: string | null;
}

/** The two ids that a payment's own is made of. */
export const idsOf = (payment: string): { readonly dispatchId: string; readonly payoutId: string } => {
  const [dispatchId = '', payoutId = ''] = payment.split(' ');
  return { dispatchId, payoutId };
};

/** @throws where a token can't be decrypted: nobody knows then whose account it is. */
function paymentOf(row: PaymentRow, encryption: Encryption): OurPayment {
  const isFile = row.dispatch_state === 'exported';
  const token =
    row.token_encrypted === null ? null : encryption.decrypt(row.token_encrypted, row.destination);
  return {
    id: row.id,
    state: stateOf(row),
    settledByLine: isFile,
    uuid: row.rail_uuid,
    reference: isFile ? row.payout_id : (row.reference ?? `${row.dispatch_id}-${row.attempt}`),
    earlierReferences: Array.from(
      { length: isFile ? 0 : Math.max(0, row.attempt - 1) },
      (_, n) => `${row.dispatch_id}-${n + 1}`,
    ),
    amount: BigInt(row.net),
    commission: isFile ? 0n : BigInt(row.commission),
    ...(token !== null && { account: readBankToken(token).account }),
    at: row.state_at,
    outLine: row.out_line,
    backLine: row.back_line,
  };
}

function stateOf({ dispatch_state: dispatch, item_state: item }: PaymentRow): OurPayment['state'] {
  if (item === 'paid' || item === 'returned') return item;
  return item === 'dispatched' && dispatch !== 'dropped' ? 'open' : 'failed';
}

const payment = `
d.id || ' ' || i.payout_id as id, i.payout_id, d.id as dispatch_id, d.state as dispatch_state, i.state as item_state, d.rail_uuid, d.reference,
  d.attempt, i.net, d.commission, d.state_at, t.id as destination,
  case d.rail when 'bank-file' then t.token_encrypted end as token_encrypted,
  (select l.key from statement_line l where l.dispatch_id = d.id and l.payout_id = i.payout_id and l.direction = 'out' and l.bucket in ('matched', 'late')) as out_line,
  (select l.key from statement_line l where l.dispatch_id = d.id and l.payout_id = i.payout_id and l.direction = 'back' and l.bucket = 'returned') as back_line
from payout_dispatch d join payout_item i on i.dispatch_id = d.id join payout p on p.id = i.payout_id
  join payout_destination t on t.id = p.destination_id`;

const readKnown = `
select key from statement_line where project_id = $1 and rail = $2 and key = any ($3::text[]) and bucket <> 'early'`;

const readNamed = `
select ${payment}
where d.project_id = $1 and d.rail = $2
  and (d.rail_uuid = any ($3::text[]) or d.id = any ($4::uuid[]) or d.rail = 'bank-file' and i.payout_id = any ($5::uuid[]))`;

const readSuggested = `
select ${payment}
where d.project_id = $1 and d.rail = $2 and i.net = any ($3::bigint[]) and i.state in ('dispatched', 'paid')
  and d.state_at between $4::timestamptz - $6::int * interval '1 day' and $5::timestamptz + $6::int * interval '1 day'
order by d.id limit $7`;

const readSigned = `select max(day)::text as day from ledger_day where project_id = $1`;

/** In the order in which a person reads them. */
export const bucketOrder = (bucket: string): number => LineBucket.options.findIndex((one) => one === bucket);
