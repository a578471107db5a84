import { z } from 'zod';
import { BatchState, ItemState } from '../../../domain/pay/batch/batch.ts';
import { batchActs, type NextAct } from '../../../domain/pay/finance/next.ts';
import type { BatchView, Hand, ItemView, Progress, Risk, Sum } from '../../../domain/pay/finance/batches.ts';
import { RailId } from '../../../domain/pay/ids.ts';
import { uzsOf } from '../../../domain/pay/ledger/amount.ts';
import { tiyin } from '../../http/pay/fields.ts';

/** Batches as finance reads them. */

const MICROS_OF_TIYIN = 10_000n;

/** For people, who read no 11 digits without a mistake. */
export const uzs = (description: string) => z.string().meta({ description, example: '150000.00' });
export const uzsOfTiyin = (amount: bigint): string => uzsOf(amount * MICROS_OF_TIYIN);

export const Staff = z
  .object({
    id: z.uuid().meta({ description: 'Of the member of staff.' }),
    email: z.string().meta({ description: 'Their login.', example: 'payroll@example.com' }),
  })
  .meta({ id: 'StaffHand' });

const batchShape = {
  id: z.uuid(),
  rail: RailId.meta({ description: 'By which it is paid.' }),
  name: z.string().meta({ description: 'As its maker called it.' }),
  state: BatchState.meta({
    description:
      '`draft`: lines come and go; `submitted`: frozen, waits for approval; `approved`: waits to be run; `running`, `paused`; `done`: every line has its end; `closed`: for ever.',
  }),
  version: z.int().meta({ description: 'Counts its changes; the `ETag` of the batch.', example: 3 }),
  count: z.int().meta({ description: 'Lines that are not dropped.' }),
  total: tiyin('What leaves by the rail.'),
  total_uzs: uzs('The same in UZS.'),
  content_hash: z.string().nullable().meta({
    description: 'SHA-256 of its lines in hex, once it is submitted: what is approved.',
  }),
  approvals_needed: z.int().meta({ description: 'By different people: 2 above 100 000 000 UZS.' }),
  approvals: z.array(Staff).meta({ description: 'Who has approved what stands there.' }),
  approvals_gone: z.array(Staff).meta({
    description:
      'Whose approval of it counts no more: disabled, of another role, or without the second factor that they proved it with. Others approve in their place.',
  }),
  makers: z.array(Staff).meta({
    description:
      'Who had a hand in it, and so may not approve it. In a list, who had a hand in the batch itself; of one batch, also who imported its lists.',
  }),
  made_at: z.date().meta({ description: 'When it was made.' }),
  submitted_at: z.date().nullable().meta({ description: 'When it was submitted; null while it is a draft.' }),
  run_at: z
    .date()
    .nullable()
    .meta({ description: 'When it is to start by itself; null where nobody planned it.' }),
  started_at: z.date().nullable().meta({ description: 'When it was run.' }),
  done_at: z.date().nullable().meta({ description: 'When its last line had its end.' }),
  closed_at: z.date().nullable().meta({ description: 'When it was closed.' }),
  run_block: z.string().nullable().meta({
    description: 'Once it is submitted: why it could not begin now, or go on, a code of `/docs/problems`.',
  }),
};

export const BatchLine = z.object(batchShape).meta({ id: 'PayoutBatchLine' });

export const Batch = z
  .object({
    ...batchShape,
    next: z
      .array(
        z.object({
          act: z.enum(batchActs).meta({ description: 'POST /finance/batches/{id}/{act}.' }),
          may: z.boolean().meta({ description: 'Whether you may.' }),
          why_not: z.string().nullable().meta({ description: 'Why not: a code of `/docs/problems`.' }),
        }),
      )
      .meta({ description: 'What can be done with it now.' }),
  })
  .meta({ id: 'PayoutBatch' });

const hands = (all: readonly Hand[]) => all.map(({ id, email }) => ({ id, email }));

export const batchLine = (batch: BatchView) => ({
  id: batch.id,
  rail: batch.rail,
  name: batch.name,
  state: batch.state,
  version: batch.version,
  count: batch.count,
  total: batch.total.toString(),
  total_uzs: uzsOfTiyin(batch.total),
  content_hash: batch.contentHash,
  approvals_needed: batch.approvalsNeeded,
  approvals: hands(batch.approvals),
  approvals_gone: hands(batch.approvalsGone),
  makers: hands(batch.makers),
  made_at: batch.madeAt,
  submitted_at: batch.submittedAt,
  run_at: batch.runAt,
  started_at: batch.startedAt,
  done_at: batch.doneAt,
  closed_at: batch.closedAt,
  run_block: batch.runBlock,
});

export const batchBody = (batch: BatchView, next: readonly NextAct[]) => ({
  ...batchLine(batch),
  next: next.map(({ act, whyNot }) => ({ act, may: whyNot === null, why_not: whyNot })),
});

export const etagOf = (version: number) => ({ ETag: `"${version}"` });

export const Item = z
  .object({
    n: z.int().meta({ description: 'Its number in the batch; of a dropped line it is given to none other.' }),
    payout_id: z.uuid().meta({ description: 'What it pays: GET /finance/payouts/{id}.' }),
    net: tiyin('What the payee gets.'),
    last4: z.string().meta({ description: 'Of the card or account.', example: '1234' }),
    state: ItemState.meta({
      description:
        '`ready`: waits for its turn; `dispatched`: on its way; `paid`, `failed`; `returned`: came back; `dropped`: taken out, and its payout waits again.',
    }),
    person_id: z.uuid().nullable().meta({ description: 'Who is paid, where it is a person of ours.' }),
    phone: z.string().nullable().meta({ description: 'Who is paid, where they are known by it alone.' }),
    payee: z.string().nullable().meta({ description: 'Their name in the list, or as the customer gave it.' }),
    purpose: z.string().nullable().meta({ description: 'What for.' }),
    reference: z.string().nullable().meta({ description: 'The customer’s own.' }),
    name_score: z.int().nullable().meta({
      description:
        '0 to 100: how far the name on the card is that of the payee; null where one of them is not known.',
    }),
    reason: z
      .string()
      .nullable()
      .meta({ description: 'Why it ended so; null where there is nothing to say.' }),
  })
  .meta({ id: 'PayoutItem' });

export const itemBody = (item: ItemView) => ({
  n: item.n,
  payout_id: item.payoutId,
  net: item.net.toString(),
  last4: item.last4,
  state: item.state,
  person_id: item.personId,
  phone: item.phone,
  payee: item.payee,
  purpose: item.purpose,
  reference: item.reference,
  name_score: item.nameScore,
  reason: item.reason,
});

const SumBody = z.object({
  count: z.int().meta({ description: 'Lines.' }),
  total: tiyin('Their sum.'),
});
const sumBody = ({ count, total }: Sum) => ({ count, total: total.toString() });
const sum = (description: string) => SumBody.meta({ description });

export const progressBody = ({ state, version, items }: Progress) => ({
  state,
  version,
  items: Object.fromEntries(Object.entries(items).map(([name, its]) => [name, sumBody(its)])),
});

export const RiskBody = z
  .object({
    batch: BatchLine.meta({ description: 'What is approved: its version, hash, count and total.' }),
    new_destinations: sum('To cards that were bound within the last 7 days.'),
    shared_cards: sum('To cards that several payees have bound.'),
    first_payouts: sum('To payees who were never paid before.'),
    low_names: sum('Whose name on the card scores below 80 against the payee’s.'),
    unknown_names: sum('Of lists and keys, where there is no name on the card to compare.'),
    blocked: sum('To people to whom nothing is paid now.'),
    repeated_payees: sum('Of payees with several lines.'),
    revoked_keys: sum(
      'Asked for by API keys that were revoked since. `GET /finance/payouts?asked_by=key:ID` lists those of a key.',
    ),
    largest: z.array(Item).meta({ description: 'The five largest.' }),
    before: z
      .array(
        z.object({
          id: z.uuid(),
          name: z.string(),
          ...SumBody.shape,
          started_at: z.date().meta({ description: 'When it was run.' }),
        }),
      )
      .meta({ description: 'The last three batches of the rail that were run.' }),
    total_percent_of_before: z.int().nullable().meta({
      description: 'The total in percent of their mean; null where there is none.',
      example: 112,
    }),
  })
  .meta({ id: 'BatchRisk' });

export const riskBody = (risk: Risk, batch: BatchView) => ({
  batch: batchLine(batch),
  new_destinations: sumBody(risk.newDestinations),
  shared_cards: sumBody(risk.sharedCards),
  first_payouts: sumBody(risk.firstPayouts),
  low_names: sumBody(risk.lowNames),
  unknown_names: sumBody(risk.unknownNames),
  blocked: sumBody(risk.blocked),
  repeated_payees: sumBody(risk.repeatedPayees),
  revoked_keys: sumBody(risk.revokedKeys),
  largest: risk.largest.map(itemBody),
  before: risk.before.map(({ id, name, startedAt, ...its }) => ({
    id,
    name,
    ...sumBody(its),
    started_at: startedAt,
  })),
  total_percent_of_before: percentOf(
    batch.total,
    risk.before.map((one) => one.total),
  ),
});

const HUNDRED = 100n;

/** Of their mean, rounded down. */
function percentOf(total: bigint, others: readonly bigint[]): number | null {
  const all = others.reduce((sum, one) => sum + one, 0n);
  return all === 0n ? null : Number((total * HUNDRED * BigInt(others.length)) / all);
}
