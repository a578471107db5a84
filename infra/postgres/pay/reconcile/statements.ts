import type { Pool, PoolClient } from 'pg';
import type { RailId } from '../../../../domain/pay/ids.ts';
import { isDifference, LineBucket, type RailLine } from '../../../../domain/pay/reconcile/line.ts';
import { type Decided, reconcile } from '../../../../domain/pay/reconcile/match.ts';
import type {
  BucketSum,
  ImportReport,
  OddLine,
  StatementRow,
  Statements,
  StatementSource,
} from '../../../../domain/pay/reconcile/port.ts';
import type { StatedLine } from '../../../../domain/pay/reconcile/read-lines.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { type Page, pageOf, type PageOrder } from '../../../../domain/shared/page.ts';
import type { Encryption } from '../../../process/crypto.ts';
import { inTransaction } from '../../engine/transaction.ts';
import { moneyRefusalOf, refusing } from '../money-faults.ts';
import { stopRails } from './differences.ts';
import { bucketOrder, earlyLines, type Facts, idsOf, knownOf } from './facts.ts';

/** What one call of `statement_import` takes. */
const LINES_A_CALL = 5_000;
/** A person looks at no more. */
const ODD_SHOWN_MAX = 100;

const TRIES_MAX = 3;

interface Parts {
  readonly pool: Pool;
  readonly book: ProjectId;
  readonly encryption: Encryption;
  /** What one call takes, where a test has few lines. */
  readonly linesACall?: number;
}

/** Statements of the rails of one book. */
export function statements(parts: Parts): Statements {
  const { pool, book } = parts;
  return {
    import: async (source, { dryRun }) => {
      const work = () => (dryRun ? rehearse(parts, source) : importOnce(parts, source));
      const report = await refusing(repeated(work));
      return { ...report, stopped: dryRun ? [] : await stopRails(pool, book) };
    },
    agree: (...of) => agree(parts, ...of),
    list: (rail, order) => list(pool, book, rail, order),
  };
}

/** The lines of it are decided anew in the commit of the agreement. */
async function agree(
  parts: Parts,
  id: string,
  staffId: string,
  proofId: string,
): ReturnType<Statements['agree']> {
  const { pool, book } = parts;
  try {
    await repeated(() =>
      inTransaction(pool, async (tx) => {
        await tx.query('select statement_agree($1, $2, $3)', [id, staffId, proofId]);
        const { rows } = await tx.query<{ rail: RailId }>('select rail from statement where id = $1', [id]);
        const rail = rows[0]?.rail ?? 'bank-file';
        await tx.query(lockEarly, [book, rail]);
        await decideEarly(tx, parts, rail, id);
      }),
    );
  } catch (error) {
    const refusal = moneyRefusalOf(error);
    if (refusal === null) throw error;
    return { ok: false, refusal };
  }
  await stopRails(pool, book);
  return { ok: true };
}

/** All lines that waited and wait no more; by chunks, as long as one of them decides something. */
async function decideEarly(
  tx: PoolClient,
  { book, encryption, linesACall }: Parts,
  rail: RailId,
  statement: string,
): Promise<void> {
  for (;;) {
    const { lines, unagreed } = await earlyLines(tx, book, rail);
    const decided = reconcile(lines, await knownOf(tx, { book, rail, encryption }, lines, unagreed));
    if ((await writeAll(tx, statement, decided, { lines, linesACall })) === 0) return;
  }
}

async function repeated<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      // Another transaction was in the way: nothing of it happened.
      if (tries >= TRIES_MAX || moneyRefusalOf(error)?.kind !== 'busy') throw error;
    }
  }
}

const importOnce = (parts: Parts, source: StatementSource) =>
  inTransaction(parts.pool, (tx) => importLines(tx, parts, source));

/** Carries the report out of a transaction that is to leave nothing. */
class Rehearsed extends Error {
  readonly report: Imported;
  constructor(report: Imported) {
    super('a rehearsal leaves nothing');
    this.report = report;
  }
}

type Imported = Omit<ImportReport, 'stopped'>;

async function rehearse(parts: Parts, source: StatementSource): Promise<Imported> {
  try {
    return await inTransaction(parts.pool, async (tx) => {
      throw new Rehearsed(await importLines(tx, parts, source));
    });
  } catch (error) {
    if (error instanceof Rehearsed) return { ...error.report, statementId: null };
    throw error;
  }
}

async function importLines(
  tx: PoolClient,
  { book, encryption, linesACall = LINES_A_CALL }: Omit<Parts, 'pool'>,
  source: StatementSource,
): Promise<Imported> {
  const { rail, file } = source;
  const begun = await tx.query<{ id: string | null }>(beginStatement, [book, rail, file?.sha256 ?? null]);
  const before = begun.rows[0]?.id ?? null;
  const early = await earlyLines(tx, book, rail);
  // One that we have already is as it was told first: what another telling of it changed, the equation of the wallet finds.
  const lines = withoutTwins([...early.lines, ...source.lines]);
  const facts: Facts = { book, rail, encryption };
  const decided = reconcile(lines, await knownOf(tx, facts, lines, unagreedOf(source, early)));
  const stored = new Set(early.lines.map(({ key }) => key));
  const isAnything = decided.some(({ line, bucket }) => bucket !== 'early' || !stored.has(line.key));
  const id = file || isAnything ? await open(tx, book, source) : null;
  const told = new Set(source.lines.map(({ key }) => key));
  if (decided.length > linesACall) await lockAll(tx, rail, decided);
  const changed = id === null ? 0 : await writeAll(tx, id, decided, { lines, told, linesACall });
  const odd = decided.filter(({ bucket }) => isDifference(bucket)).slice(0, ODD_SHOWN_MAX);
  return {
    statementId: id,
    repeated: before !== null,
    changed,
    buckets: await bucketsOf(tx, book, rail, source.lines),
    odd: odd.map(oddOf(lines)),
  };
}

/** Of a file, all that it is the first to tell: nobody has agreed to it yet. */
function unagreedOf(
  { file, lines }: StatementSource,
  early: Awaited<ReturnType<typeof earlyLines>>,
): readonly string[] {
  if (file === null) return early.unagreed;
  const stored = new Set(early.lines.map(({ key }) => key));
  return [...early.unagreed, ...lines.map(({ key }) => key).filter((key) => !stored.has(key))];
}

const settled: ReadonlySet<string> = new Set<LineBucket>(['matched', 'late', 'returned']);

/** What all calls of it settle, before the first of them locks the book. */
async function lockAll(tx: PoolClient, rail: RailId, decided: readonly Decided[]): Promise<void> {
  const of = (direction: RailLine['direction']) =>
    decided.flatMap(({ line, bucket, payment }) =>
      payment !== null && line.direction === direction && settled.has(bucket)
        ? [idsOf(payment).dispatchId]
        : [],
    );
  await tx.query(lockLines, [rail, of('out'), of('back')]);
}

interface Given {
  readonly lines: readonly StatedLine[];
  readonly told?: ReadonlySet<string>;
  readonly linesACall?: number | undefined;
}

async function writeAll(
  tx: PoolClient,
  statement: string,
  decided: readonly Decided[],
  { lines, told = new Set(), linesACall = LINES_A_CALL }: Given,
): Promise<number> {
  let changed = 0;
  for (let from = 0; from < decided.length; from += linesACall)
    changed += await write(tx, statement, decided.slice(from, from + linesACall), lines, told);
  return changed;
}

function withoutTwins(lines: readonly StatedLine[]): readonly StatedLine[] {
  return [...new Map(lines.toReversed().map((line) => [line.key, line])).values()];
}

async function open(
  tx: PoolClient,
  book: ProjectId,
  { rail, file, from, to }: StatementSource,
): Promise<string> {
  const { rows } = await tx.query<{ id: string }>(openStatement, [
    book,
    rail,
    file?.sha256 ?? null,
    from,
    to,
    file?.by ?? null,
  ]);
  if (!rows[0]) throw new Error('statement_open answered nothing');
  return rows[0].id;
}

async function write(
  tx: PoolClient,
  statement: string,
  decided: readonly Decided[],
  lines: readonly StatedLine[],
  told: ReadonlySet<string>,
): Promise<number> {
  const says = saysOf(lines);
  const rows = decided.map(({ line: { account: _notKept, ...line }, bucket, payment, suggestions }) => ({
    ...line,
    amount: line.amount.toString(),
    commission: line.commission.toString(),
    says: says(line),
    bucket,
    dispatch: payment === null ? null : idsOf(payment).dispatchId,
    payout: payment === null ? null : idsOf(payment).payoutId,
    suggestions: suggestions.map((one) => idsOf(one).payoutId),
    told: told.has(line.key),
  }));
  const written = await tx.query<{ changed: number }>(importStatement, [statement, JSON.stringify(rows)]);
  return written.rows[0]?.changed ?? 0;
}

function saysOf(lines: readonly StatedLine[]): (line: RailLine) => string | null {
  const byKey = new Map(lines.map(({ key, says }) => [key, says]));
  return ({ key }) => byKey.get(key) ?? null;
}

const oddOf =
  (lines: readonly StatedLine[]) =>
  ({ line, bucket, payment, suggestions }: Decided): OddLine => ({
    bucket,
    direction: line.direction,
    total: line.amount + line.commission,
    at: line.at,
    says: saysOf(lines)(line),
    reference: line.reference,
    payoutId: payment === null ? null : idsOf(payment).payoutId,
    suggestions: suggestions.map((one) => idsOf(one).payoutId),
  });

interface SumRow {
  readonly bucket: string;
  readonly lines: number;
  readonly total: string;
}

const sumOf = ({ bucket, lines, total }: SumRow): BucketSum => ({
  bucket: LineBucket.parse(bucket),
  lines,
  total: BigInt(total),
});

async function bucketsOf(
  tx: PoolClient,
  book: ProjectId,
  rail: RailId,
  lines: readonly StatedLine[],
): Promise<readonly BucketSum[]> {
  const { rows } = await tx.query<SumRow>(sumLines, [book, rail, lines.map(({ key }) => key)]);
  return rows.map(sumOf).toSorted((a, b) => bucketOrder(a.bucket) - bucketOrder(b.bucket));
}

interface ListRow {
  readonly id: string;
  readonly rail: string;
  readonly from_at: Date;
  readonly to_at: Date;
  readonly at: Date;
  readonly imported_by: string | null;
  readonly sha256: string | null;
  readonly buckets: readonly SumRow[];
  readonly to_agree: { readonly count: number; readonly total: string } | null;
}

async function list(
  pool: Pool,
  book: ProjectId,
  rail: RailId | null,
  { limit, after }: PageOrder,
): Promise<Page<StatementRow>> {
  const { rows } = await pool.query<ListRow>(listStatements, [book, rail, after, limit + 1]);
  return pageOf(
    rows.map((row) => ({
      id: row.id,
      rail: row.rail,
      from: row.from_at,
      to: row.to_at,
      at: row.at,
      importedBy: row.imported_by,
      sha256: row.sha256,
      buckets: row.buckets.map(sumOf).toSorted((a, b) => bucketOrder(a.bucket) - bucketOrder(b.bucket)),
      toAgree: row.to_agree && { count: row.to_agree.count, total: BigInt(row.to_agree.total) },
    })),
    limit,
  );
}

const beginStatement = `select statement_begin($1, $2, $3) as id`;
const openStatement = `select statement_open($1, $2, $3, $4, $5, $6) as id`;
const lockLines = `select statement_lock($1, $2, $3)`;
const lockEarly = `
select statement_lock($2, e.ids, e.ids) from (
  select array_agg(distinct l.dispatch_id) as ids from statement_line l
  where l.project_id = $1 and l.rail = $2 and not l.posted and l.bucket = 'early') e`;
const importStatement = `select statement_import($1, $2) as changed`;

const sumLines = `
select l.bucket, count(*)::int as lines, sum(l.amount + l.commission)::text as total
from statement_line l where l.project_id = $1 and l.rail = $2 and l.key = any ($3::text[]) group by l.bucket`;

const listStatements = `
select s.id, s.rail, s.from_at, s.to_at, s.at, s.imported_by, encode(s.sha256, 'hex') as sha256,
  (select coalesce(jsonb_agg(b), '[]') from (
    select l.bucket, count(*)::int as lines, sum(l.amount + l.commission)::text as total
    from statement_line l where l.statement_id = s.id group by l.bucket) b) as buckets,
  (select jsonb_build_object('count', count(*), 'total', sum(l.amount + l.commission)::text) from statement_line l
    where l.statement_id = s.id and l.bucket = 'early' and s.imported_by is not null
      and not exists (select from payout_action a where a.subject = s.id::text and a.action = 'statement-agreed')
    having count(*) > 0) as to_agree
from statement s
where s.project_id = $1 and ($2::text is null or s.rail = $2) and ($3::uuid is null or s.id < $3)
order by s.id desc limit $4`;
