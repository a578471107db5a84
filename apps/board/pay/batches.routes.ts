import { z } from 'zod';
import { BatchState } from '../../../domain/pay/batch/batch.ts';
import type { BatchAct } from '../../../domain/pay/batch/port.ts';
import { nextActs } from '../../../domain/pay/finance/next.ts';
import type { BatchReads, BatchView } from '../../../domain/pay/finance/batches.ts';
import type { Acted, BatchActs } from '../../../domain/pay/finance/acts.ts';
import { BatchId, RailId } from '../../../domain/pay/ids.ts';
import { ById } from '../../http/by-id.ts';
import { INT_MAX, TimeField } from '../../http/fields.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../http/page.ts';
import { moneyText } from '../../http/pay/fields.ts';
import { moneyProblem } from '../../http/pay/money-problem.ts';
import { Problem } from '../../http/problem.ts';
import { proofId } from '../../http/proof.ts';
import { type Answer, defineStaffRoute, type StaffRequest, type StaffRoute } from '../../http/route.ts';
import { Batch, batchBody, BatchLine, batchLine, etagOf, RiskBody, riskBody } from './batch-body.ts';

const tag = 'Payout batches';

export interface BatchParts {
  readonly reads: BatchReads;
  readonly batches: BatchActs;
}

/** What finance does with batches. Who may is asked here by role, and by the database of everything else. */
export const batchRoutes = (parts: BatchParts): StaffRoute[] => [
  list(parts),
  create(parts),
  show(parts),
  risk(parts),
  submit(parts),
  withdraw(parts),
  reject(parts),
  approve(parts),
  run(parts),
  pause(parts),
  resume(parts),
  cancelRest(parts),
  close(parts),
];

const BATCH_NAME_CHARACTERS_MAX = 100;
const REASON_CHARACTERS_MAX = 500;
const reason = moneyText(REASON_CHARACTERS_MAX).meta({ description: 'Why, in a sentence: others read it.' });

const list = ({ reads }: BatchParts) =>
  defineStaffRoute({
    method: 'get',
    path: '/finance/batches',
    tag,
    summary: 'List batches',
    action: 'finance.read',
    query: z.object({
      state: BatchState.optional().meta({ description: 'Those in this state alone.' }),
      rail: RailId.optional().meta({ description: 'Those of this rail alone.' }),
      ...pageQuery,
    }),
    answers: { 200: { description: 'A page, the newest first.', schema: pageSchema(BatchLine) } },
    async handle({ query }) {
      return { status: 200, body: pageBody(await reads.batches(query, pageOrder(query)), batchLine) };
    },
  });

const create = (parts: BatchParts) =>
  defineStaffRoute({
    method: 'post',
    path: '/finance/batches',
    tag,
    summary: 'Make a batch',
    description: 'An empty draft. Add payouts: `POST /finance/batches/{id}/items`.',
    action: 'batch.make',
    tagged: true,
    body: z.strictObject({
      rail: RailId.meta({ description: 'By which its payouts are paid.' }),
      name: moneyText(BATCH_NAME_CHARACTERS_MAX).meta({
        description: 'By which people know it.',
        example: 'Drivers, November',
      }),
    }),
    answers: { 201: { description: 'The draft; its `ETag` goes with the next change.', schema: Batch } },
    problems: [422],
    async handle({ body, staff }) {
      const made = await parts.batches.create(body.rail, body.name, staff.id);
      if (!made.ok) throw moneyProblem(made.refusal);
      return { ...(await batchAnswer(parts, made.id, staff)), status: 201 };
    },
  });

const show = (parts: BatchParts) =>
  defineStaffRoute({
    method: 'get',
    path: '/finance/batches/{id}',
    tag,
    summary: 'Show a batch',
    description: 'Its `ETag` is what a change of it sends as `If-Match`.',
    action: 'finance.read',
    params: ById,
    tagged: true,
    answers: { 200: { description: 'The batch.', schema: Batch } },
    problems: [404],
    handle: ({ params, staff }) => batchAnswer(parts, BatchId.parse(params.id), staff),
  });

type Asker = StaffRequest<unknown, unknown, unknown>['staff'];

/** As it is now, with its version. */
async function batchAnswer({ reads }: BatchParts, id: BatchId, staff: Asker): Promise<Answer> {
  const batch = await batchOf(reads, id);
  const facts =
    batch.state === 'submitted' || batch.runBlock === 'approval-gone'
      ? await reads.approver(id, staff.id)
      : { isHand: false, isOwnMoney: false, isNew: false };
  const body = batchBody(batch, nextActs(batch, staff, facts));
  return { status: 200, body, headers: etagOf(batch.version) };
}

export async function batchOf(reads: BatchReads, id: BatchId): Promise<BatchView> {
  const batch = await reads.batch(id);
  if (!batch) throw new Problem(404, 'not-found', 'There is no such batch.');
  return batch;
}

const risk = ({ reads }: BatchParts) =>
  defineStaffRoute({
    method: 'get',
    path: '/finance/batches/{id}/risk',
    tag,
    summary: 'Show what to look at before approving',
    description:
      'What a thief’s payment would show: new and shared cards, first payouts, names that differ, the largest five, and the batch against the last three; with all that an approval names.',
    action: 'finance.read',
    params: ById,
    tagged: true,
    answers: { 200: { description: 'Counts and sums of its lines.', schema: RiskBody } },
    problems: [404],
    async handle({ params }) {
      const id = BatchId.parse(params.id);
      const batch = await batchOf(reads, id);
      // The batch first: what was changed since is not approved.
      return { status: 200, body: riskBody(await reads.risk(id), batch), headers: etagOf(batch.version) };
    },
  });

const changed = { 200: { description: 'The batch as it is now, with its new `ETag`.', schema: Batch } };

/** What changes a batch: by its version, and answered with the next. */
const act = {
  method: 'post',
  tag,
  params: ById,
  versioned: true,
  answers: changed,
  problems: [404, 409, 422],
} as const;

interface Acting {
  readonly params: z.infer<typeof ById>;
  readonly ifMatch: number | null;
  readonly staff: Asker;
}

/** Does it, and answers the batch as it is then. */
async function acted(
  parts: BatchParts,
  { params, ifMatch, staff }: Acting,
  work: (act: BatchAct) => Promise<Acted>,
): Promise<Answer> {
  const id = BatchId.parse(params.id);
  const done = await work({ batchId: id, version: ifMatch ?? 0, staffId: staff.id });
  if (!done.ok) throw moneyProblem(done.refusal);
  return batchAnswer(parts, id, staff);
}

/** For Postgres a batch without lines is one whose content differs; whoever submits has shown no content that could. */
async function submitted({ batches, reads }: BatchParts, of: BatchAct): Promise<Acted> {
  const done = await batches.submit(of);
  const isEmpty =
    !done.ok && done.refusal.kind === 'content-differs' && (await batchOf(reads, of.batchId)).count === 0;
  if (isEmpty) throw new Problem(422, 'batch-empty', 'The batch has no line: there is nothing to approve.');
  return done;
}

const submit = (parts: BatchParts) =>
  defineStaffRoute({
    ...act,
    path: '/finance/batches/{id}/submit',
    summary: 'Submit a batch',
    description:
      'Screens each line anew and freezes them: from now on hash, count and total are what is approved.',
    action: 'batch.make',
    handle: (request) => acted(parts, request, (of) => submitted(parts, of)),
  });

const withdraw = (parts: BatchParts) =>
  defineStaffRoute({
    ...act,
    path: '/finance/batches/{id}/withdraw',
    summary: 'Take a submitted batch back',
    description: 'It is a draft again. Who takes it back is one of its makers.',
    action: 'batch.make',
    body: z.strictObject({ reason }),
    handle: (request) => acted(parts, request, (of) => parts.batches.withdraw(of, request.body.reason)),
  });

const reject = (parts: BatchParts) =>
  defineStaffRoute({
    ...act,
    path: '/finance/batches/{id}/reject',
    summary: 'Reject a submitted batch',
    description:
      'It is a draft again, and its makers read why. Nothing that was approved of it counts any more.',
    action: 'batch.approve',
    body: z.strictObject({ reason }),
    handle: (request) => acted(parts, request, (of) => parts.batches.reject(of, request.body.reason)),
  });

const approve = (parts: BatchParts) =>
  defineStaffRoute({
    ...act,
    path: '/finance/batches/{id}/approve',
    summary: 'Approve a batch',
    description:
      'By somebody who had no hand in it, with what they have read: its hash, count and total. The proof binds `{"action": "batch.approve", "subject": id, ' +
      '"version", "hash", "count", "total"}` and is used up. Above 100 000 000 UZS two people approve.',
    action: 'batch.approve',
    proof: true,
    body: z.strictObject({
      hash: z
        .string()
        .regex(/^[0-9a-f]{64}$/, 'expected SHA-256 in lower-case hex: `content_hash` of the batch')
        .meta({ description: '`content_hash` of the batch.' }),
      count: z.int().min(1).max(INT_MAX).meta({ description: '`count` of the batch.' }),
      total: z
        .string()
        .regex(/^[1-9]\d{0,17}$/, 'expected tiyin as a string of digits')
        .meta({ description: '`total` of the batch, in tiyin: typed, not copied.', example: '15000000' }),
      proof_id: proofId,
    }),
    handle: (request) => {
      const { hash, count, total, proof_id } = request.body;
      const read = { contentHash: hash, count, total: BigInt(total) };
      return acted(parts, request, (of) => parts.batches.approve(of, read, proof_id));
    },
  });

const run = (parts: BatchParts) =>
  defineStaffRoute({
    ...act,
    path: '/finance/batches/{id}/run',
    summary: 'Run a batch',
    description: 'Now, or at a time within 31 days. Each line is paid at most once, however often it is run.',
    action: 'batch.run',
    body: z.strictObject({
      at: TimeField.optional().meta({ description: 'When; now where it is left out or past.' }),
    }),
    handle: (request) => acted(parts, request, (of) => parts.batches.run(of, request.body.at ?? null)),
  });

const Because = z.strictObject({ reason });

const pause = (parts: BatchParts) =>
  defineStaffRoute({
    ...act,
    path: '/finance/batches/{id}/pause',
    summary: 'Pause a batch',
    description:
      'No further line is dispatched; what is on its way has its end. Of a planned start it ends the plan.',
    action: 'rail.stop',
    body: Because,
    handle: (request) => acted(parts, request, (of) => parts.batches.pause(of, request.body.reason)),
  });

const resume = (parts: BatchParts) =>
  defineStaffRoute({
    ...act,
    path: '/finance/batches/{id}/resume',
    summary: 'Resume a batch',
    description: 'Goes on with exactly what was approved.',
    action: 'rail.open',
    handle: (request) => acted(parts, request, (of) => parts.batches.resume(of)),
  });

const cancelRest = (parts: BatchParts) =>
  defineStaffRoute({
    ...act,
    path: '/finance/batches/{id}/cancel-rest',
    summary: 'Cancel the rest of a batch',
    description:
      'Of a paused batch, or of one that was not run: lines that are not on their way are dropped, and their payouts wait again.',
    action: 'batch.approve',
    body: Because,
    handle: (request) => acted(parts, request, (of) => parts.batches.cancelRest(of, request.body.reason)),
  });

const close = (parts: BatchParts) =>
  defineStaffRoute({
    ...act,
    path: '/finance/batches/{id}/close',
    summary: 'Close a batch',
    description:
      'When each line has its end. No statement is asked for: whether each payment is in one, `GET /finance/differences` and `GET /finance/equation` say. What comes back later changes no closed batch.',
    action: 'batch.run',
    handle: (request) => acted(parts, request, (of) => parts.batches.close(of)),
  });
