import { uzsOf } from '../../../domain/pay/ledger/amount.ts';
import type { LedgerReads, Statement, StatementLine } from '../../../domain/pay/ledger/reads.ts';
import { csvLine } from './csv.ts';

/** What one read takes, and all of the statement that is in memory at a time. */
const LINES_A_READ = 1_000;

const COLUMNS = [
  'n',
  'posted_at',
  'event_at',
  'kind',
  'amount',
  'amount_micros',
  'before_micros',
  'after_micros',
  'key',
  'subject_id',
  'other_account',
  'other_class',
  'other_owner',
  'other_rail',
  'actor',
] as const;

/**
 * The statement as a file: a heading, a line a transfer, and a last line with their count, their sum, and the balances at both ends. A file
 * without that last line is not whole.
 */
export async function* statementCsv(
  reads: Pick<LedgerReads, 'lines'>,
  statement: Statement,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  yield csvLine(COLUMNS);
  let { after } = statement;
  let [count, sum, hasMore] = [0, 0n, true];
  while (hasMore) {
    if (signal.aborted) return;
    const read = await reads.lines({ ...statement, after }, LINES_A_READ);
    after = read.rows.at(-1)?.n ?? after;
    count += read.rows.length;
    sum = read.rows.reduce((total, { amount }) => total + amount, sum);
    hasMore = read.hasMore;
    yield read.rows.map(lineOf).join('');
  }
  const empty = COLUMNS.slice(8).map(() => '');
  const { opening, closing } = statement;
  yield csvLine(['total', count, '', '', uzsOf(sum), sum, opening, closing, ...empty]);
}

const lineOf = (line: StatementLine): string =>
  csvLine([
    line.n,
    line.postedAt,
    line.eventAt,
    line.kind,
    uzsOf(line.amount),
    line.amount,
    line.before,
    line.after,
    line.key,
    line.subjectId ?? '',
    line.other.id,
    line.other.class,
    line.other.owner ?? '',
    line.other.rail ?? '',
    line.actor,
  ]);
