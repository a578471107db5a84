import type { ItemState } from '../../../domain/pay/batch/batch.ts';
import type { BatchReads, ItemView } from '../../../domain/pay/finance/batches.ts';
import type { BatchId } from '../../../domain/pay/ids.ts';
import type { Answer } from '../../http/route.ts';
import { uzsOfTiyin } from './batch-body.ts';
import { csvLine } from './csv.ts';

/** What one read takes, and all of the file that is in memory at a time. */
const LINES_A_READ = 1_000;
/** 100 000 lines take some seconds; who reads more slowly is cut off. */
const CSV_SECONDS_MAX = 120;

const COLUMNS = [
  'n',
  'payout_id',
  'state',
  'net',
  'net_tiyin',
  'payee',
  'phone',
  'person_id',
  'last4',
  'name_score',
  'purpose',
  'reference',
  'reason',
] as const;

/** All lines of a batch, or those in one state, as a file. */
export const itemsCsv = (reads: BatchReads, id: BatchId, state: ItemState | null): Answer => ({
  status: 200,
  body: undefined,
  file: {
    name: `batch-${id}.csv`,
    mediaType: 'text/csv; charset=utf-8',
    secondsMax: CSV_SECONDS_MAX,
    chunks: (signal) => linesOf(reads, { id, state }, signal),
  },
});

async function* linesOf(
  reads: BatchReads,
  { id, state }: { readonly id: BatchId; readonly state: ItemState | null },
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  yield csvLine(COLUMNS);
  let [after, count, sum, hasMore] = [0, 0, 0n, true];
  while (hasMore) {
    if (signal.aborted) return;
    const read = await reads.items(id, { after, limit: LINES_A_READ, state });
    after = read.rows.at(-1)?.n ?? after;
    count += read.rows.length;
    sum = read.rows.reduce((total, { net }) => total + net, sum);
    hasMore = read.hasMore;
    yield read.rows.map(lineOf).join('');
  }
  const empty = COLUMNS.slice(5).map(() => '');
  yield csvLine(['total', count, '', uzsOfTiyin(sum), sum, ...empty]);
}

const lineOf = (item: ItemView): string =>
  csvLine([
    item.n,
    item.payoutId,
    item.state,
    uzsOfTiyin(item.net),
    item.net,
    item.payee ?? '',
    item.phone ?? '',
    item.personId ?? '',
    item.last4,
    item.nameScore ?? '',
    item.purpose ?? '',
    item.reference ?? '',
    item.reason ?? '',
  ]);
