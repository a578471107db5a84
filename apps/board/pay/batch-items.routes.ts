import { z } from 'zod';
import { ItemState } from '../../../domain/pay/batch/batch.ts';
import type { BatchAct } from '../../../domain/pay/batch/port.ts';
import type { CandidateFilter } from '../../../domain/pay/finance/batches.ts';
import type { Acted } from '../../../domain/pay/finance/acts.ts';
import { BatchId, PayoutId, PayoutListId } from '../../../domain/pay/ids.ts';
import { PayoutSource } from '../../../domain/pay/payout/payout.ts';
import { onceValid } from '../../../domain/shared/refine.ts';
import type { BodyLimits } from '../../http/body.ts';
import { ById } from '../../http/by-id.ts';
import { INT_MAX, TimeField } from '../../http/fields.ts';
import { pageQuery } from '../../http/page.ts';
import { moneyText, spaced, TiyinField, tiyin } from '../../http/pay/fields.ts';
import { moneyProblem } from '../../http/pay/money-problem.ts';
import { Problem } from '../../http/problem.ts';
import { type Answer, defineStaffRoute, type StaffRoute } from '../../http/route.ts';
import { etagOf, Item, itemBody } from './batch-body.ts';
import { batchOf, type BatchParts } from './batches.routes.ts';
import { itemsCsv } from './items-csv.ts';

const tag = 'Payout batches';

export const batchItemRoutes = (parts: BatchParts): StaffRoute[] => [list(parts), add(parts), drop(parts)];

/** What `batch_add` takes in one call, which holds the payouts for some 100 ms. */
const ADDED_A_CALL = 5_000;
/** What a batch holds. */
const BATCH_ITEMS_MAX = 100_000;
/** 5 000 ids and what is around them. */
const bodyLimits: BodyLimits = { bytes: 262_144, parts: 5_100 };
/** A payout that was cancelled between the look and the adding fails its whole call, and is not seen by the next look. */
const LOOKS_AGAIN = 3;

const ItemsPage = z.object({
  data: z.array(Item),
  next_after: z
    .int()
    .nullable()
    .meta({ description: 'Send it as `after` for the next page; null on the last.' }),
});

const list = ({ reads }: BatchParts) =>
  defineStaffRoute({
    method: 'get',
    path: '/finance/batches/{id}/items',
    tag,
    summary: 'List the lines of a batch',
    action: 'finance.read',
    params: ById,
    query: z.object({
      state: ItemState.optional().meta({ description: 'Those in this state alone.' }),
      limit: pageQuery.limit,
      after: z.coerce
        .number()
        .int()
        .min(0)
        .max(INT_MAX)
        .default(0)
        .meta({ description: '`next_after` of the page before.' }),
    }),
    csv: 'A heading, a line for each line of the batch, whatever page was asked for, and a last line `total` with count and sum. A file without it is not whole.',
    answers: {
      200: {
        description: 'A page, by their numbers.',
        schema: ItemsPage,
      },
    },
    problems: [404],
    async handle({ params, query: { state = null, ...page }, wantsCsv }) {
      const id = BatchId.parse(params.id);
      await batchOf(reads, id);
      if (wantsCsv) return itemsCsv(reads, id, state);
      const { rows, hasMore } = await reads.items(id, { ...page, state });
      const next = hasMore ? (rows.at(-1)?.n ?? null) : null;
      return { status: 200, body: { data: rows.map(itemBody), next_after: next } };
    },
  });

const Filter = z
  .strictObject({
    source: PayoutSource.optional().meta({
      description: '`withdrawal`: people’s own; `list`: a file of finance; `api`: a customer’s key.',
    }),
    list_id: PayoutListId.optional().meta({ description: 'Of this list.' }),
    funder: z.uuid().optional().meta({ description: 'Paid by this project.' }),
    from: TimeField.optional().meta({ description: 'Asked for at or after.' }),
    to: TimeField.optional().meta({ description: 'Asked for before.' }),
    amount_max: TiyinField.optional().meta({
      description: 'Of no more than so much, in tiyin.',
      example: '100000000',
    }),
  })
  .meta({ description: 'All that wait and can be paid now by the rail of the batch, and are so.' });

const AddBody = z
  .strictObject({
    payouts: z
      .array(PayoutId)
      .min(1)
      .max(ADDED_A_CALL)
      .optional()
      .meta({ description: 'By their ids, in this order; all or none.' }),
    filter: Filter.optional(),
    dry_run: z
      .boolean()
      .default(false)
      .meta({ description: 'With `filter`: adds nothing, and answers how many it would be, and their sum.' }),
  })
  .refine(({ payouts, filter }) => (payouts === undefined) !== (filter === undefined), {
    ...onceValid,
    error: 'expected either `payouts` or `filter`',
    path: ['payouts'],
  })
  .refine(({ filter, dry_run }) => filter !== undefined || !dry_run, {
    ...onceValid,
    error: 'expected with `filter` alone',
    path: ['dry_run'],
  });

const Added = z.object({
  added: z.int().meta({ description: 'Lines that were added by this request, or would be.' }),
  added_total: tiyin('Their sum.'),
  count: z.int().meta({ description: 'Lines of the batch.' }),
  total: tiyin('Of the batch.'),
  version: z.int().meta({ description: 'Of the batch; as `ETag` too.' }),
});

const add = (parts: BatchParts) =>
  defineStaffRoute({
    method: 'post',
    path: '/finance/batches/{id}/items',
    tag,
    summary: 'Add payouts to a batch',
    description: `By their ids, or all that match a filter, up to ${spaced(BATCH_ITEMS_MAX)} lines and 1 000 000 000 UZS a batch. A filter is worked off in steps of ${spaced(ADDED_A_CALL)}: where one is refused, those before it stay, and \`added\` and \`version\` of the problem say how far it came.`,
    action: 'batch.make',
    params: ById,
    versioned: true,
    body: AddBody,
    bodyLimits,
    answers: { 200: { description: 'How much was added, and the batch.', schema: Added } },
    problems: [404, 409, 413, 422],
    async handle({ params, body: { payouts, filter = {}, dry_run }, staff, ifMatch }) {
      const of = { batchId: BatchId.parse(params.id), version: ifMatch ?? 0, staffId: staff.id };
      if (dry_run) return dryRun(parts, of, filter);
      return payouts ? addNamed(parts, of, payouts) : addMatching(parts, of, filter);
    },
  });

/** Of a version that is gone it would tell what nobody can add any more. */
async function dryRun({ reads }: BatchParts, of: BatchAct, filter: CandidateFilter): Promise<Answer> {
  const { batchId: id } = of;
  const { count, total, version } = await batchOf(reads, id);
  if (version !== of.version) throw moneyProblem({ kind: 'stale-version' });
  const found = await reads.candidates(id, filter, BATCH_ITEMS_MAX - count);
  return addedAnswer(sumOf(found), { count, total, version });
}

interface Sums {
  readonly added: number;
  readonly addedTotal: bigint;
}
const sumOf = (found: readonly { readonly net: bigint }[]): Sums => ({
  added: found.length,
  addedTotal: found.reduce((sum, { net }) => sum + net, 0n),
});

const addedAnswer = (
  { added, addedTotal }: Sums,
  { count, total, version }: { readonly count: number; readonly total: bigint; readonly version: number },
): Answer => ({
  status: 200,
  body: { added, added_total: addedTotal.toString(), count, total: total.toString(), version },
  headers: etagOf(version),
});

async function addNamed(
  { reads, batches }: BatchParts,
  act: BatchAct,
  payouts: readonly PayoutId[],
): Promise<Answer> {
  const before = await batchOf(reads, act.batchId);
  const done = await batches.add(act, payouts);
  if (!done.ok) throw moneyProblem(done.refusal);
  return addedAnswer({ added: payouts.length, addedTotal: done.now.total - before.total }, done.now);
}

/** Step by step: each is a commit of its own, and what was added is no candidate of the next look. */
async function addMatching(parts: BatchParts, of: BatchAct, filter: CandidateFilter): Promise<Answer> {
  let [now, added, addedTotal, misses] = [await batchOf(parts.reads, of.batchId), 0, 0n, 0];
  let { version } = of;
  for (;;) {
    const room = Math.min(ADDED_A_CALL, BATCH_ITEMS_MAX - now.count);
    const found = room > 0 ? await parts.reads.candidates(of.batchId, filter, room) : [];
    if (found.length === 0) break;
    const done: Acted = await parts.batches.add(
      { ...of, version },
      found.map(({ id }) => id),
    );
    if (done.ok) {
      now = { ...now, ...done.now };
      ({ version } = done.now);
      added += found.length;
      addedTotal += sumOf(found).addedTotal;
    } else if (!isOfTheMoment(done) || ++misses > LOOKS_AGAIN) throw stoppedAt(done, added, version);
  }
  if (added === 0) throw nothingMatches();
  return addedAnswer({ added, addedTotal }, now);
}

type Refused = Extract<Acted, { ok: false }>;

/** One of them was cancelled, batched or blocked since the look. */
const isOfTheMoment = ({ refusal }: Refused) =>
  refusal.kind === 'payout-state' || (refusal.kind === 'not-payable' && refusal.because !== 'above-limit');

function stoppedAt({ refusal }: Refused, added: number, version: number): Problem {
  const { status, type, message, headers, extra } = moneyProblem(refusal);
  return new Problem(status, type, message, { headers, extra: { ...extra, added, version } });
}

const nothingMatches = () =>
  new Problem(
    422,
    'no-payouts-match',
    'No pending payout matches the filter, is of the rail of the batch, and can be paid now. A card or an account is paid 24 hours after it was new.',
  );

const DROP_REASON_MAX = 500;

const drop = ({ batches }: BatchParts) =>
  defineStaffRoute({
    method: 'delete',
    path: '/finance/batches/{id}/items/{n}',
    tag,
    summary: 'Drop a line of a draft',
    description:
      'Its payout waits again, for another batch or to be cancelled (`POST /finance/payouts/{id}/cancel`). Who drops a line is one of the makers.',
    action: 'batch.make',
    params: ById.extend({
      n: z.coerce
        .number()
        .int()
        .min(1)
        .max(BATCH_ITEMS_MAX * 10)
        .meta({ description: 'The number of the line.' }),
    }),
    query: z.object({
      reason: moneyText(DROP_REASON_MAX).optional().meta({ description: 'Why, for whoever looks later.' }),
    }),
    versioned: true,
    answers: {
      200: {
        description: 'The batch without it.',
        schema: Added.omit({ added: true, added_total: true }),
      },
    },
    problems: [404, 409],
    async handle({ params, query, ifMatch, staff }) {
      const act = { batchId: BatchId.parse(params.id), version: ifMatch ?? 0, staffId: staff.id };
      const done = await batches.drop(act, [params.n], query.reason ?? null);
      if (!done.ok) throw moneyProblem(done.refusal);
      const { count, total, version } = done.now;
      return { status: 200, body: { count, total: total.toString(), version }, headers: etagOf(version) };
    },
  });
