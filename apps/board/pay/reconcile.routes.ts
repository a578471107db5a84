import { z } from 'zod';
import type { BankFiles, KeptFile } from '../../../domain/pay/bank-file/port.ts';
import { readBankFile, type BankFileFault } from '../../../domain/pay/bank-file/read.ts';
import type { BankFile } from '../../../domain/pay/bank-file/file.ts';
import { beginningOfDay, endOfDay } from '../../../domain/pay/ledger/head.ts';
import { BatchId, RailId } from '../../../domain/pay/ids.ts';
import {
  checkHeld,
  checkRail,
  expectedWallet,
  type RailBooks,
} from '../../../domain/pay/reconcile/equation.ts';
import { LineBucket } from '../../../domain/pay/reconcile/line.ts';
import {
  type BucketSum,
  type Difference,
  type DifferenceAct,
  differenceBuckets,
  type Differences,
  type EquationReads,
  type ImportReport,
  type StatementRow,
  type Statements,
} from '../../../domain/pay/reconcile/port.ts';
import { linesOfBankFile, type StatedLine } from '../../../domain/pay/reconcile/read-lines.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../http/page.ts';
import { moneyText, tiyin } from '../../http/pay/fields.ts';
import { moneyProblem } from '../../http/pay/money-problem.ts';
import { type MoneyRefusal, MoneyRefusedError } from '../../../domain/pay/refusals.ts';
import { Problem } from '../../http/problem.ts';
import { proofId } from '../../http/proof.ts';
import { type Answer, defineStaffRoute, type StaffRoute, type StreamedFile } from '../../http/route.ts';

const tag = 'Reconciliation';

export interface ReconcileParts {
  readonly statements: Statements;
  readonly differences: Differences;
  readonly equation: EquationReads;
  readonly files: BankFiles;
  /** The text of a file's bytes. */
  readonly decode: (
    bytes: Uint8Array,
  ) =>
    | { readonly ok: true; readonly text: string }
    | { readonly ok: false; readonly faults: readonly BankFileFault[] };
  readonly sha256: (text: string | Uint8Array) => Buffer;
  /** The account whose statements are taken; null: nobody said. */
  readonly account: string | null;
}

/** What rails say that they did, what of it does not fit, and the files that a bank pays by. */
export const reconcileRoutes = (parts: ReconcileParts): StaffRoute[] => [
  importStatement(parts),
  listStatements(parts),
  agreeStatement(parts),
  listDifferences(parts),
  own(parts),
  explain(parts),
  close(parts),
  showEquation(parts),
  downloadFile(parts),
];

/** A year of a busy account. */
const STATEMENT_BYTES_MAX = 20_000_000;
/** The ledger takes no event further ahead: a later day was misread. */
const AHEAD_MS_MAX = 24 * 3_600_000;
const NOTE_CHARACTERS_MAX = 500;

const Note = moneyText(NOTE_CHARACTERS_MAX).meta({
  description: 'Why it is so, in a sentence: others read it.',
  example: 'A charge of the bank’s own.',
});

const Bucket = z.object({
  bucket: LineBucket.meta({ description: 'What these lines are to what we know.', example: 'matched' }),
  lines: z.int().meta({ description: 'How many.', example: 500 }),
  total: tiyin('What they moved, with the charge of the rail.'),
});
const bucketBody = ({ bucket, lines, total }: BucketSum) => ({ bucket, lines, total: total.toString() });

const Statement = z.object({
  id: z.uuid().meta({ description: 'Of the statement.' }),
  rail: RailId.meta({ description: 'Which rail said it.' }),
  from: z.date().meta({ description: 'From when its lines may be.' }),
  to: z.date().meta({ description: 'Until when.' }),
  at: z.date().meta({ description: 'When it was taken in.' }),
  imported_by: z
    .uuid()
    .nullable()
    .meta({ description: 'Who uploaded it; null where Navbat asked the rail.' }),
  sha256: z.string().nullable().meta({ description: 'Of the file, in hex; null where there is none.' }),
  buckets: z.array(Bucket).meta({ description: 'Its lines that no statement before it had.' }),
  to_agree: z
    .object({
      version: z.int().meta({ description: 'For the proof.' }),
      hash: z.string().meta({ description: '`sha256` of the file: for the proof.' }),
      count: z.int().meta({ description: 'Lines that wait for it, and move nothing yet.' }),
      total: tiyin('Their sum.'),
    })
    .nullable()
    .meta({ description: 'What another person than who uploaded it is to agree to; null where nothing is.' }),
});

/** A statement is one version for ever. */
const STATEMENT_VERSION = 1;
const toAgreeBody = ({ toAgree, sha256 }: StatementRow) =>
  toAgree && {
    version: STATEMENT_VERSION,
    hash: sha256 ?? '',
    count: toAgree.count,
    total: toAgree.total.toString(),
  };
const statementBody = (row: StatementRow) => ({
  id: row.id,
  rail: row.rail,
  from: row.from,
  to: row.to,
  at: row.at,
  imported_by: row.importedBy,
  sha256: row.sha256,
  buckets: row.buckets.map(bucketBody),
  to_agree: toAgreeBody(row),
});

const Report = z.object({
  statement_id: z.uuid().nullable().meta({ description: 'Null where nothing was written.' }),
  dry_run: z.boolean().meta({ description: 'Whether nothing of it was kept.' }),
  repeated: z.boolean().meta({ description: 'This very file was imported before.' }),
  changed: z.int().meta({ description: 'Lines that are new, or could be decided now.' }),
  buckets: z.array(Bucket).meta({ description: 'What all lines of the file are.' }),
  odd: z
    .array(
      z.object({
        bucket: LineBucket.meta({ description: 'Why it does not fit.' }),
        direction: z.enum(['out', 'back']).meta({ description: 'Money left, or came back.' }),
        total: tiyin('What it moved.'),
        at: z.date().meta({ description: 'Its day, at its beginning.' }),
        says: z.string().nullable().meta({ description: 'Whom it names and why.' }),
        payout_id: z.uuid().nullable().meta({ description: 'Whose it is.' }),
        suggestions: z
          .array(z.uuid())
          .meta({ description: 'Payouts of that amount without a line, nearest first.' }),
      }),
    )
    .meta({ description: 'New lines that do not fit, at most 100: each is a difference.' }),
  stopped: z.array(z.string()).meta({ description: 'Rails that stopped because of it.' }),
});
const reportBody = (report: ImportReport, isDryRun: boolean) => ({
  statement_id: report.statementId,
  dry_run: isDryRun,
  repeated: report.repeated,
  changed: report.changed,
  buckets: report.buckets.map(bucketBody),
  odd: report.odd.map(({ payoutId, total, suggestions, bucket, direction, at, says }) => ({
    bucket,
    direction,
    total: total.toString(),
    at,
    says,
    payout_id: payoutId,
    suggestions,
  })),
  stopped: report.stopped,
});

const importStatement = (parts: ReconcileParts) =>
  defineStaffRoute({
    method: 'post',
    path: '/finance/statements',
    tag,
    summary: 'Import a statement',
    description:
      'The statement of our bank as `1CClientBankExchange`, byte by byte as the bank gave it. Each line is matched by our reference in its purpose, ' +
      'exactly; what is not is a difference. The same file again, and lines that are known, change nothing: a file is its own idempotency key. ' +
      'What pays a payment, and what came back, is `early` until another person has agreed to it: `POST /finance/statements/{id}/agree`. With `dry_run` the same is told, ' +
      'and nothing is kept. What Multicard says is asked each hour.',
    action: 'batch.make',
    query: z.object({
      rail: z.literal('bank-file').default('bank-file').meta({ description: 'Whose statement it is.' }),
      dry_run: z
        .enum(['true', 'false'])
        .default('false')
        .transform((text) => text === 'true')
        .meta({ description: 'Tell, and keep nothing.' }),
    }),
    upload: { mediaTypes: ['application/octet-stream'], bytesMax: STATEMENT_BYTES_MAX },
    answers: { 200: { description: 'What its lines are.', schema: Report } },
    problems: [409, 422],
    async handle({ bytes, query, staff, now }) {
      const file = fileOf(parts, bytes, now);
      const source = {
        rail: query.rail,
        from: beginningOfDay(file.from),
        to: endOfDay(file.to),
        lines: linesOf(parts, file),
        file: { sha256: parts.sha256(bytes), by: staff.id },
      };
      const report = await parts.statements.import(source, { dryRun: query.dry_run }).catch(notImported);
      return { status: 200, body: reportBody(report, query.dry_run) };
    },
  });

/** A fault of ours stays one. */
function notImported(error: unknown): never {
  if (!(error instanceof MoneyRefusedError)) throw error;
  throw error.refusal.kind === 'content-differs'
    ? new Problem(409, 'in-progress', 'A payment of it changed while the statement was read. Send it again.')
    : moneyProblem(error.refusal);
}

const linesOf = ({ sha256 }: ReconcileParts, file: BankFile): readonly StatedLine[] =>
  linesOfBankFile(file, { keyOf: (text) => sha256(text).toString('base64url') });

/** @throws Problem 422 where it is damaged, of another account, or no statement. */
function fileOf({ decode, account }: ReconcileParts, bytes: Uint8Array, now: Date): BankFile {
  const decoded = decode(bytes);
  const read = decoded.ok ? readBankFile(decoded.text) : decoded;
  if (!read.ok) throw damaged(read.faults);
  const { file } = read;
  if (!file.totals)
    throw damaged([
      {
        line: 1,
        fault: 'field-missing',
        says: 'Expected a statement, with СекцияРасчСчет: these are orders.',
      },
    ]);
  if (account !== null && file.account !== account)
    throw damaged([
      {
        line: 1,
        fault: 'field-wrong',
        says: `РасчСчет=${file.account}: expected the account that pays, ${account}.`,
      },
    ]);
  const latest = new Date(now.getTime() + AHEAD_MS_MAX);
  const ahead = file.documents.find(({ day, bookedOn }) => beginningOfDay(bookedOn ?? day) > latest);
  if (ahead)
    throw damaged([
      { line: 1, fault: 'field-wrong', says: `Номер=${ahead.number} is of a day that has not come.` },
    ]);
  return file;
}

const damaged = (faults: readonly BankFileFault[]) =>
  new Problem(422, 'statement-damaged', 'The file is not whole, and nothing of it was taken.', {
    errors: faults.map(({ line, fault, says }) => ({ pointer: `line ${line}`, detail: `${fault}: ${says}` })),
  });

const listStatements = ({ statements }: ReconcileParts) =>
  defineStaffRoute({
    method: 'get',
    path: '/finance/statements',
    tag,
    summary: 'List statements',
    description:
      'What rails said, the newest first. Where Navbat asked and heard nothing new, there is none.',
    action: 'finance.read',
    query: z.object({
      rail: RailId.optional().meta({ description: 'Those of this rail alone.' }),
      ...pageQuery,
    }),
    answers: { 200: { description: 'A page.', schema: pageSchema(Statement) } },
    async handle({ query }) {
      const page = await statements.list(query.rail ?? null, pageOrder(query));
      return { status: 200, body: pageBody(page, statementBody) };
    },
  });

const agreeStatement = ({ statements }: ReconcileParts) =>
  defineStaffRoute({
    method: 'post',
    path: '/finance/statements/{id}/agree',
    tag,
    summary: 'Agree to a statement',
    description:
      'By another person than who uploaded the statement, who has it from the bank too: its lines that waited pay what they pay, and what came back gives the money back. The ' +
      'proof binds `{"action": "money.correct", "subject": id, "version", "hash", "count", "total"}` of `to_agree`, and is used up.',
    action: 'money.correct',
    proof: true,
    params: z.object({ id: z.uuid().meta({ description: 'Of the statement.' }) }),
    body: z.strictObject({ proof_id: proofId }),
    answers: {
      200: {
        description: 'It is agreed to.',
        schema: z.object({ id: z.uuid().meta({ description: 'Of the statement.' }) }),
      },
    },
    problems: [404, 409],
    async handle({ params, body, staff }) {
      const agreed = await statements.agree(params.id, staff.id, body.proof_id);
      if (agreed.ok) return { status: 200, body: { id: params.id } };
      if (agreed.refusal.kind !== 'batch-state') throw moneyProblem(agreed.refusal);
      throw new Problem(409, 'correction-ended', 'Somebody has agreed to it before.');
    },
  });

const DifferenceBody = z.object({
  id: z.uuid().meta({ description: 'Of the difference.' }),
  rail: z.string().meta({ description: 'Which rail; `all` is of the whole book.', example: 'multicard' }),
  bucket: z.enum(differenceBuckets).meta({
    description:
      'Lines: `amount-differs`, `payee-differs`, `only-theirs`, `duplicate`, `paid-though-failed`. Payments: `only-ours`. Equations: `wallet`, `clearing`, `held`. Balances of a person that are not what their transfers come to: `balance`.',
    example: 'only-ours',
  }),
  amount: tiyin('Of the line or the payment; or by how much the books of an equation have too much.'),
  payout_id: z.uuid().nullable().meta({ description: 'Of which payout it is, if of one.' }),
  dispatch_id: z.uuid().nullable().meta({ description: 'Of which dispatch it is, if of one.' }),
  suggestions: z.array(z.uuid()).meta({ description: 'Payouts whose line it may be.' }),
  says: z.string().nullable().meta({ description: 'Whom its line names and why.' }),
  found_at: z.date().meta({ description: 'When it was found.' }),
  owner: z.uuid().nullable().meta({ description: 'Who of the staff looks after it.' }),
  note: z
    .string()
    .nullable()
    .meta({ description: 'Why it is so. While it is null, no new batch of the rail begins.' }),
  closed_at: z.date().nullable().meta({ description: 'When it ended; null while it is open.' }),
  closed_by: z
    .uuid()
    .nullable()
    .meta({ description: 'Who closed it; null while it is open, or where it went by itself.' }),
});
const differenceBody = (one: Difference) => ({
  id: one.id,
  rail: one.rail,
  bucket: one.bucket,
  amount: one.amount.toString(),
  payout_id: one.payoutId,
  dispatch_id: one.dispatchId,
  suggestions: one.suggestions,
  says: one.says,
  found_at: one.foundAt,
  owner: one.owner,
  note: one.note,
  closed_at: one.closedAt,
  closed_by: one.closedBy,
});

const listDifferences = ({ differences }: ReconcileParts) =>
  defineStaffRoute({
    method: 'get',
    path: '/finance/differences',
    tag,
    summary: 'List differences',
    description: 'What does not fit: each is somebody’s work until it is closed. The newest first.',
    action: 'finance.read',
    query: z.object({
      open: z
        .enum(['true', 'false'])
        .transform((text) => text === 'true')
        .optional()
        .meta({ description: 'Only those that are open, or only those that are not.' }),
      rail: z
        .enum(['all', ...RailId.options])
        .optional()
        .meta({ description: 'Those of this rail alone.' }),
      bucket: z.enum(differenceBuckets).optional().meta({ description: 'Those of this sort alone.' }),
      ...pageQuery,
    }),
    answers: { 200: { description: 'A page.', schema: pageSchema(DifferenceBody) } },
    async handle({ query }) {
      return { status: 200, body: pageBody(await differences.list(query, pageOrder(query)), differenceBody) };
    },
  });

const act = {
  tag,
  method: 'post',
  action: 'money.correct',
  params: z.object({ id: z.uuid().meta({ description: 'Of the difference.' }) }),
  answers: { 200: { description: 'The difference.', schema: DifferenceBody } },
  problems: [404, 409],
} as const;

async function acted(
  { differences }: ReconcileParts,
  id: string,
  staffId: string,
  done: DifferenceAct,
): Promise<Answer> {
  const answer = await differences.act(id, staffId, done);
  if (!answer.ok) throw actProblem(answer.refusal);
  return { status: 200, body: differenceBody(answer.difference) };
}

const own = (parts: ReconcileParts) =>
  defineStaffRoute({
    ...act,
    path: '/finance/differences/{id}/own',
    summary: 'Take on a difference',
    description: 'You look after it from now on, whoever did before.',
    handle: ({ params, staff }) => acted(parts, params.id, staff.id, { kind: 'own' }),
  });

const explain = (parts: ReconcileParts) =>
  defineStaffRoute({
    ...act,
    path: '/finance/differences/{id}/note',
    summary: 'Explain a difference',
    description: 'Says why it is so. From then on new batches of its rail begin again.',
    body: z.strictObject({ note: Note }),
    handle: ({ params, body, staff }) => acted(parts, params.id, staff.id, { kind: 'note', text: body.note }),
  });

const close = (parts: ReconcileParts) =>
  defineStaffRoute({
    ...act,
    path: '/finance/differences/{id}/close',
    summary: 'Close a difference',
    description: 'It is done, and stays closed. 409 where nobody has said why.',
    body: z.strictObject({ note: Note.optional() }),
    handle: ({ params, body, staff }) =>
      acted(parts, params.id, staff.id, { kind: 'close', text: body.note ?? null }),
  });

function actProblem(refusal: MoneyRefusal): Problem {
  if (refusal.kind === 'batch-state')
    return refusal.state === 'unexplained'
      ? new Problem(409, 'difference-unexplained', 'Nobody has said why it is so: close it with a note.')
      : new Problem(409, 'difference-closed', 'It is closed, and stays so.');
  return moneyProblem(refusal);
}

const EquationRail = z.object({
  rail: RailId.meta({ description: 'Which rail.' }),
  wallet_opened: z.boolean().meta({
    description: 'Whether a top-up of the wallet was booked. Before that it is not compared.',
  }),
  wallet_expected: tiyin(
    'What our wallet there has, if nothing that is in flight was paid: −wallet − clearing − unposted.',
  ),
  wallet: tiyin('Balance of the ledger’s account `wallet`: below 0 while there is money in it.'),
  clearing: tiyin('Balance of `clearing`: paid, and in no statement yet.'),
  unmatched: tiyin('What `clearing` has to be, counted from the payments.'),
  unposted: tiyin('What left by lines that are differences, less what came back by them.'),
  in_flight: z
    .array(
      z.object({
        dispatch_id: z.uuid().meta({ description: 'Of the payment.' }),
        total: tiyin('With the charge of the rail.'),
      }),
    )
    .meta({
      description: 'Payments whose end nobody knows: they alone may explain what the wallet has less.',
    }),
  holds: z.boolean().meta({ description: 'Whether `clearing` is `unmatched`.' }),
});

const equationRail = (books: RailBooks) => ({
  rail: books.rail,
  wallet_opened: books.isOpened,
  wallet_expected: expectedWallet(books).toString(),
  wallet: books.wallet.toString(),
  clearing: books.clearing.toString(),
  unmatched: books.unmatched.toString(),
  unposted: books.unposted.toString(),
  in_flight: books.inFlight.map(({ dispatch, total }) => ({
    dispatch_id: dispatch,
    total: total.toString(),
  })),
  holds: checkRail(books, null).length === 0,
});

const showEquation = ({ equation }: ReconcileParts) =>
  defineStaffRoute({
    method: 'get',
    path: '/finance/equation',
    tag,
    summary: 'Show the equation',
    description:
      'What the books say of now, to the tiyin. Each hour, and after each import, it is compared with the wallet of Multicard; where it is wrong, there is a ' +
      'difference `wallet`, `clearing` or `held`.',
    action: 'finance.read',
    answers: {
      200: {
        description: 'All of one moment.',
        schema: z.object({
          at: z.date().meta({ description: 'The moment.' }),
          rails: z.array(EquationRail).meta({ description: 'By rail.' }),
          held: tiyin('Balances of `held` and `funded-held`.'),
          open: tiyin('Gross of the payouts that are open: what `held` has to be.'),
          holds: z.boolean().meta({ description: 'Whether all of it holds, but for the wallets.' }),
        }),
      },
    },
    async handle() {
      const { at, rails, held } = await equation.books();
      const body = {
        at,
        rails: rails.map(equationRail),
        held: held.held.toString(),
        open: held.open.toString(),
        holds: rails.every((one) => checkRail(one, null).length === 0) && checkHeld(held).length === 0,
      };
      return { status: 200, body };
    },
  });

const DOWNLOAD_SECONDS_MAX = 120;
/** 100 000 items at most, 5 000 a file. */
const PARTS_MAX = 20;

const Part = z.coerce
  .number()
  .int()
  .min(1)
  .max(PARTS_MAX)
  .default(1)
  .meta({ description: 'Which of its files.', example: 1 });

const downloadFile = ({ files }: ReconcileParts) =>
  defineStaffRoute({
    method: 'get',
    path: '/finance/batches/{id}/file',
    tag,
    summary: 'Download the file for the bank',
    description:
      'Payment orders of a batch of the rail `bank-file`, as `1CClientBankExchange` in windows-1251: the same bytes each time, written some seconds ' +
      'after the batch was run. `Content-Disposition` says how many files the batch has, of at most 5 000 orders each.',
    action: 'batch.run',
    params: z.object({ id: BatchId.meta({ description: 'Of the batch.' }) }),
    query: z.object({ part: Part }),
    answers: {
      200: { description: 'The file.', schema: z.string(), mediaType: 'application/octet-stream' },
    },
    problems: [404],
    async handle({ params, query }) {
      const file = await files.read(params.id, query.part);
      if (!file)
        throw new Problem(404, 'not-found', 'There is no such file yet: it is written while the batch runs.');
      return { status: 200, body: undefined, file: streamOf(params.id, file) };
    },
  });

const streamOf = (batchId: string, { part, parts, bytes }: KeptFile): StreamedFile => ({
  name: `navbat-${batchId}-${part}-of-${parts}.txt`,
  mediaType: 'application/octet-stream',
  secondsMax: DOWNLOAD_SECONDS_MAX,
  chunks: async function* () {
    yield bytes;
  },
});
