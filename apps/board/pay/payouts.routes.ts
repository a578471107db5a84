import { z } from 'zod';
import { ItemState } from '../../../domain/pay/batch/batch.ts';
import { PayoutId, PayoutListId, RailId } from '../../../domain/pay/ids.ts';
import { uzsOf } from '../../../domain/pay/ledger/amount.ts';
import { endOf } from '../../../domain/pay/payout/ends.ts';
import { PayoutSource, PayoutState } from '../../../domain/pay/payout/payout.ts';
import type {
  PayoutReads,
  PayoutsFilter,
  PayoutTransfer,
  PayoutView,
} from '../../../domain/pay/finance/payouts.ts';
import { ById } from '../../http/by-id.ts';
import { PhoneField, reasonShape, TimeField } from '../../http/fields.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../http/page.ts';
import { spaced, tiyin } from '../../http/pay/fields.ts';
import { Problem } from '../../http/problem.ts';
import { type Answer, defineStaffRoute, type StaffRoute } from '../../http/route.ts';
import { uzs, uzsOfTiyin } from './batch-body.ts';
import { csvLine } from './csv.ts';

const tag = 'Finance payouts';

export interface PayoutParts {
  readonly payouts: PayoutReads;
}

export const financePayoutRoutes = (parts: PayoutParts): StaffRoute[] => [list(parts), show(parts)];

/** What one read takes, and all of the file that is in memory at a time. */
const LINES_A_READ = 1_000;
/** A spreadsheet holds 1 048 576 lines. */
const CSV_LINES_MAX = 1_000_000;
const CSV_SECONDS_MAX = 120;

const shape = {
  id: z.uuid(),
  source: PayoutSource.meta({
    description:
      '`withdrawal`: out of a person’s balance; `list`: a file of finance; `api`: a customer’s key.',
  }),
  state: PayoutState.meta({
    description:
      '`confirming`: a device is asked; `awaiting-card`: a link is out; `pending`: finance may pay it; `batched`; `paid`, `failed`, `cancelled`; `returned`: came back.',
  }),
  ...reasonShape,
  version: z.int().meta({ description: 'Counts its changes.' }),
  rail: RailId.meta({ description: 'By which it is paid.' }),
  gross: tiyin('What was set aside.'),
  fee: tiyin('Of it, what we take.'),
  net: tiyin('Of it, what the payee gets.'),
  net_uzs: uzs('The same in UZS.'),
  funder: z
    .uuid()
    .nullable()
    .meta({ description: 'The project that pays; null where a person’s balance does.' }),
  person_id: z.uuid().nullable().meta({ description: 'Who is paid, where it is a person of ours.' }),
  phone: z.string().nullable().meta({ description: 'Who is paid, where they are known by it alone.' }),
  payee: z.string().nullable().meta({ description: 'Their name, as the list or the customer gave it.' }),
  purpose: z.string().nullable().meta({ description: 'What for.' }),
  reference: z.string().nullable().meta({ description: 'The customer’s own.' }),
  list_id: z.uuid().nullable().meta({ description: 'Of which list it is a line.' }),
  list_line: z.int().nullable().meta({ description: 'Which line.' }),
  last4: z
    .string()
    .nullable()
    .meta({ description: 'Of the card; null while there is none.', example: '1234' }),
  name_score: z.int().nullable().meta({ description: '0 to 100: the name on the card against the payee’s.' }),
  asked_by: z.string().meta({ description: 'Who asked: `person`, `staff:ID` or `key:ID`.' }),
  batch: z
    .object({
      id: z.uuid().meta({ description: 'GET /finance/batches/{id}.' }),
      n: z.int().meta({ description: 'The number of its line.' }),
      state: ItemState.meta({ description: 'Of its line.' }),
    })
    .nullable()
    .meta({ description: 'In which it stands, or stood last; null where it never did.' }),
  created_at: z.date(),
  state_at: z.date().meta({ description: 'Since when it is in this state.' }),
  expires_at: z
    .date()
    .nullable()
    .meta({ description: 'Until when somebody is waited for; null where nobody is.' }),
};
const Line = z.object(shape).meta({ id: 'FinancePayoutLine' });

const body = (payout: PayoutView) => ({
  id: payout.id,
  source: payout.source,
  state: payout.state,
  ...endOf(payout.reason),
  version: payout.version,
  rail: payout.rail,
  gross: payout.gross.toString(),
  fee: payout.fee.toString(),
  net: payout.net.toString(),
  net_uzs: uzsOfTiyin(payout.net),
  funder: payout.funder,
  person_id: payout.personId,
  phone: payout.phone,
  payee: payout.payee,
  purpose: payout.purpose,
  reference: payout.reference,
  list_id: payout.listId,
  list_line: payout.listLine,
  last4: payout.last4,
  name_score: payout.nameScore,
  asked_by: payout.askedBy,
  batch: payout.batch,
  created_at: payout.createdAt,
  state_at: payout.stateAt,
  expires_at: payout.expiresAt,
});

const Asker = z
  .string()
  .regex(
    /^(?:person|(?:staff|key):[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/,
    'expected `person`, `staff:ID` or `key:ID`',
  );

const list = ({ payouts }: PayoutParts) =>
  defineStaffRoute({
    method: 'get',
    path: '/finance/payouts',
    tag,
    summary: 'List payouts',
    description: `Of people, lists and customers. By text/csv all that match, whatever page was asked for, up to ${spaced(CSV_LINES_MAX)} lines.`,
    action: 'finance.read',
    query: z.object({
      state: PayoutState.optional().meta({ description: 'Those in this state alone.' }),
      source: PayoutSource.optional().meta({ description: 'Those of this source alone.' }),
      rail: RailId.optional().meta({ description: 'Those of this rail alone.' }),
      list_id: PayoutListId.optional().meta({ description: 'The lines of this list.' }),
      funder: z.uuid().optional().meta({ description: 'Those that this project pays.' }),
      person_id: z.uuid().optional().meta({ description: 'Those of this person.' }),
      phone: PhoneField.optional().meta({ description: 'Those to the payee of this phone.' }),
      asked_by: Asker.optional().meta({
        description: 'Those that this member of staff or this key asked for, or people themselves.',
        example: 'key:0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b21',
      }),
      from: TimeField.optional().meta({ description: 'Asked for at or after.' }),
      to: TimeField.optional().meta({ description: 'Asked for before.' }),
      ...pageQuery,
    }),
    csv: 'A heading, a line a payout, the newest first, and a last line `total` with count and net sum. A file without it is not whole.',
    answers: { 200: { description: 'A page, the newest first.', schema: pageSchema(Line) } },
    async handle({ query, wantsCsv }) {
      if (wantsCsv) return csvAnswer(payouts, query);
      return { status: 200, body: pageBody(await payouts.payouts(query, pageOrder(query)), body) };
    },
  });

const csvAnswer = (payouts: PayoutReads, filter: PayoutsFilter): Answer => ({
  status: 200,
  body: undefined,
  file: {
    name: 'payouts.csv',
    mediaType: 'text/csv; charset=utf-8',
    secondsMax: CSV_SECONDS_MAX,
    chunks: (signal) => csvOf(payouts, filter, signal),
  },
});

const COLUMNS = [
  'id',
  'created_at',
  'source',
  'state',
  'net',
  'net_tiyin',
  'fee_tiyin',
  'payee',
  'phone',
  'person_id',
  'last4',
  'name_score',
  'purpose',
  'reference',
  'funder',
  'list_id',
  'list_line',
  'asked_by',
  'batch_id',
  'batch_line',
  'reason',
] as const;

async function* csvOf(
  payouts: PayoutReads,
  filter: PayoutsFilter,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  yield csvLine(COLUMNS);
  let [after, count, sum]: [string | null, number, bigint] = [null, 0, 0n];
  do {
    if (signal.aborted) return;
    const page = await payouts.payouts(filter, { after, limit: LINES_A_READ });
    count += page.rows.length;
    sum = page.rows.reduce((total, { net }) => total + net, sum);
    yield page.rows.map(lineOf).join('');
    after = page.next;
    // Whoever reads a million lines without the last one knows that they are not all.
    if (count >= CSV_LINES_MAX && after !== null) return;
  } while (after !== null);
  const empty = COLUMNS.slice(6).map(() => '');
  yield csvLine(['total', '', count, '', uzsOfTiyin(sum), sum, ...empty]);
}

const lineOf = (payout: PayoutView): string =>
  csvLine([
    payout.id,
    payout.createdAt.toISOString(),
    payout.source,
    payout.state,
    uzsOfTiyin(payout.net),
    payout.net,
    payout.fee,
    payout.payee ?? '',
    payout.phone ?? '',
    payout.personId ?? '',
    payout.last4 ?? '',
    payout.nameScore ?? '',
    payout.purpose ?? '',
    payout.reference ?? '',
    payout.funder ?? '',
    payout.listId ?? '',
    payout.listLine ?? '',
    payout.askedBy,
    payout.batch?.id ?? '',
    payout.batch?.n ?? '',
    payout.reason ?? '',
  ]);

const Transfer = z.object({
  n: z.string().meta({ description: 'Its number in the ledger.', example: '4711' }),
  kind: z.string().meta({ description: 'What sort of transfer it is.', example: 'hold' }),
  amount: z.string().meta({ description: 'In UZS.', example: '150000.00' }),
  from: z.string().meta({ description: 'The class of account it was taken from.', example: 'available' }),
  to: z.string().meta({ description: 'The class of account it went to.', example: 'held' }),
  posted_at: z.date().meta({ description: 'When it was posted.' }),
  actor: z.string().meta({ description: 'Who or what posted it.' }),
});

const transferBody = ({ n, kind, amount, from, to, postedAt, actor }: PayoutTransfer) => ({
  n: n.toString(),
  kind,
  amount: uzsOf(amount),
  from,
  to,
  posted_at: postedAt,
  actor,
});

const show = ({ payouts }: PayoutParts) =>
  defineStaffRoute({
    method: 'get',
    path: '/finance/payouts/{id}',
    tag,
    summary: 'Show a payout',
    description: 'With what the ledger holds of it. `navbat explain <id>` tells the whole of it.',
    action: 'finance.read',
    params: ById,
    answers: {
      200: {
        description: 'The payout.',
        schema: z
          .object({
            ...shape,
            transfers: z.array(Transfer).meta({ description: 'Its transfers, in the order of the ledger.' }),
          })
          .meta({ id: 'FinancePayout' }),
      },
    },
    problems: [404],
    async handle({ params }) {
      const id = PayoutId.parse(params.id);
      const found = await payouts.payout(id);
      if (!found) throw new Problem(404, 'not-found', 'There is no such payout.');
      const transfers = await payouts.transfers(id);
      return { status: 200, body: { ...body(found), transfers: transfers.map(transferBody) } };
    },
  });
