import { z } from 'zod';
import {
  type Correction,
  type CorrectionActed,
  CorrectionId,
  CorrectionKind,
  type CorrectionOrder,
  type Corrections,
  CorrectionState,
} from '../../../domain/pay/finance/corrections.ts';
import { RailId } from '../../../domain/pay/ids.ts';
import { ById } from '../../http/by-id.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../http/page.ts';
import { moneyText, tiyin, TiyinField } from '../../http/pay/fields.ts';
import { moneyProblem } from '../../http/pay/money-problem.ts';
import { keptAnswer, moneyRequest, refusedAnswer } from '../../http/pay/money-request.ts';
import { Problem } from '../../http/problem.ts';
import { proofId } from '../../http/proof.ts';
import { type Answer, defineStaffRoute, type StaffRequest, type StaffRoute } from '../../http/route.ts';
import type { ProjectId } from '../../../domain/shared/ids.ts';
import { etagOf, Staff, uzs, uzsOfTiyin } from './batch-body.ts';

const tag = 'Corrections';

export interface CorrectionParts {
  readonly book: ProjectId;
  readonly corrections: Corrections;
}

/** What two people do to the ledger by hand: one asks, another agrees. */
export const correctionRoutes = (parts: CorrectionParts): StaffRoute[] => [
  topUp(parts),
  walletTopUp(parts),
  adjust(parts),
  writeOff(parts),
  list(parts),
  show(parts),
  agree(parts),
  withdraw(parts),
];

const REASON_CHARACTERS_MAX = 500;
const reason = moneyText(REASON_CHARACTERS_MAX).meta({
  description: 'Why, with the document that shows it: the second person reads it.',
  example: 'Payment order 4711 of 29 November',
});

const asking = {
  method: 'post',
  tag,
  action: 'batch.make',
  idempotent: 'required',
  answers: {
    202: {
      description: 'Asked. Nothing has moved: another person agrees, `POST /finance/corrections/{id}/agree`.',
      schema: z.object({
        id: z.uuid().meta({ description: 'Of the correction.' }),
        state: z.literal('asked'),
        version: z.int().meta({ description: 'For the proof and `If-Match` of whoever agrees.' }),
      }),
    },
  },
} as const;

async function ask(
  { book, corrections }: CorrectionParts,
  request: StaffRequest<unknown, unknown, unknown>,
  order: CorrectionOrder,
): Promise<Answer> {
  const asked = { ...order, amount: order.amount.toString() };
  const money = moneyRequest(request, { project: book, id: request.staff.id }, 'correction', asked);
  const answered = await corrections.ask(money, order, {
    accepted: ({ id, version }) => ({ status: 202, body: { id, state: 'asked', version } }),
    refused: refusedAnswer,
  });
  const { repeated: _again, ...answer } = keptAnswer(answered);
  return answer;
}

const topUp = (parts: CorrectionParts) =>
  defineStaffRoute({
    ...asking,
    path: '/finance/top-ups',
    summary: 'Ask for the top-up of a project',
    description: 'A project has paid in at our bank: its payouts are paid out of it.',
    body: z.strictObject({
      project_id: z.uuid().meta({ description: 'Which has paid in.' }),
      amount: TiyinField,
      reason,
    }),
    handle: (request) => {
      const { project_id: owner, amount, reason: why } = request.body;
      return ask(parts, request, {
        what: 'top-up',
        of: { class: 'funded', owner, rail: null },
        amount,
        reason: why,
      });
    },
  });

const walletTopUp = (parts: CorrectionParts) =>
  defineStaffRoute({
    ...asking,
    path: '/finance/wallet-top-ups',
    summary: 'Ask for the top-up of a wallet',
    description: 'Money was sent from the bank to our wallet at a rail.',
    body: z.strictObject({
      rail: RailId.meta({ description: 'Whose wallet.' }),
      amount: TiyinField,
      reason,
    }),
    handle: (request) => {
      const { rail, amount, reason: why } = request.body;
      return ask(parts, request, {
        what: 'wallet-top-up',
        of: { class: 'wallet', owner: null, rail },
        amount,
        reason: why,
      });
    },
  });

const adjust = (parts: CorrectionParts) =>
  defineStaffRoute({
    ...asking,
    path: '/finance/adjustments',
    summary: 'Ask for an adjustment',
    description: 'Of what a person can withdraw, or of what a project has paid in. Not below zero.',
    body: z.strictObject({
      of: z.enum(['person', 'project']).meta({ description: 'Whose money.' }),
      owner_id: z.uuid().meta({ description: 'The person, or the project.' }),
      direction: z.enum(['up', 'down']).meta({ description: 'More, or less.' }),
      amount: TiyinField,
      reason,
    }),
    handle: (request) => {
      const { of, owner_id: owner, direction, amount, reason: why } = request.body;
      return ask(parts, request, {
        what: `adjust-${direction}`,
        of: { class: of === 'person' ? 'available' : 'funded', owner, rail: null },
        amount,
        reason: why,
      });
    },
  });

const writeOff = (parts: CorrectionParts) =>
  defineStaffRoute({
    ...asking,
    path: '/finance/write-offs',
    summary: 'Ask for a write-off',
    description: 'A debt of a person is given up, or a part of it. Not more than is owed.',
    body: z.strictObject({
      person_id: z.uuid().meta({ description: 'Who owes it.' }),
      amount: TiyinField,
      reason,
    }),
    handle: (request) => {
      const { person_id: owner, amount, reason: why } = request.body;
      return ask(parts, request, {
        what: 'write-off',
        of: { class: 'receivable', owner, rail: null },
        amount,
        reason: why,
      });
    },
  });

const CorrectionBody = z
  .object({
    id: z.uuid(),
    what: CorrectionKind.meta({ description: 'What is asked.' }),
    class: z.string().meta({ description: 'Of the account that it changes.', example: 'funded' }),
    owner: z
      .uuid()
      .nullable()
      .meta({ description: 'The person or project whose account it is; null of a wallet.' }),
    rail: RailId.nullable().meta({ description: 'Whose wallet; null of anybody’s account.' }),
    amount: tiyin('How much.'),
    amount_uzs: uzs('The same in UZS.'),
    reason: z.string().meta({ description: 'Why, as who asked wrote it.' }),
    state: CorrectionState,
    version: z.int().meta({ description: 'For the proof; the `ETag`.' }),
    asked_by: Staff.meta({ description: 'Who asked: another person agrees.' }),
    asked_at: z.date().meta({ description: 'When.' }),
    ended_by: Staff.nullable().meta({ description: 'Who agreed or withdrew it; null while it is asked.' }),
    ended_at: z.date().nullable().meta({ description: 'When; null while it is asked.' }),
    transfer: z
      .string()
      .nullable()
      .meta({ description: 'Its number in the ledger, once it was agreed.', example: '4711' }),
  })
  .meta({ id: 'Correction' });

const correctionBody = (one: Correction) => ({
  id: one.id,
  what: one.what,
  class: one.class,
  owner: one.owner,
  rail: one.rail,
  amount: one.amount.toString(),
  amount_uzs: uzsOfTiyin(one.amount),
  reason: one.reason,
  state: one.state,
  version: one.version,
  asked_by: one.askedBy,
  asked_at: one.askedAt,
  ended_by: one.endedBy,
  ended_at: one.endedAt,
  transfer: one.n?.toString() ?? null,
});

const list = ({ corrections }: CorrectionParts) =>
  defineStaffRoute({
    method: 'get',
    path: '/finance/corrections',
    tag,
    summary: 'List corrections',
    action: 'finance.read',
    query: z.object({
      state: CorrectionState.optional().meta({ description: 'Those in this state alone.' }),
      ...pageQuery,
    }),
    answers: { 200: { description: 'A page, the newest first.', schema: pageSchema(CorrectionBody) } },
    async handle({ query }) {
      const page = await corrections.list(query.state ?? null, pageOrder(query));
      return { status: 200, body: pageBody(page, correctionBody) };
    },
  });

const show = (parts: CorrectionParts) =>
  defineStaffRoute({
    method: 'get',
    path: '/finance/corrections/{id}',
    tag,
    summary: 'Show a correction',
    action: 'finance.read',
    params: ById,
    tagged: true,
    answers: { 200: { description: 'The correction, with its `ETag`.', schema: CorrectionBody } },
    problems: [404],
    handle: ({ params }) => answer(parts, CorrectionId.parse(params.id)),
  });

async function answer({ corrections }: CorrectionParts, id: CorrectionId): Promise<Answer> {
  const found = await corrections.find(id);
  if (!found) throw new Problem(404, 'not-found', 'There is no such correction.');
  return { status: 200, body: correctionBody(found), headers: etagOf(found.version) };
}

const ending = {
  method: 'post',
  tag,
  params: ById,
  versioned: true,
  action: 'money.correct',
  answers: { 200: { description: 'The correction as it is now.', schema: CorrectionBody } },
  problems: [404, 409, 422],
} as const;

async function ended(parts: CorrectionParts, id: CorrectionId, done: CorrectionActed): Promise<Answer> {
  if (!done.ok) throw endProblem(done.refusal);
  return answer(parts, id);
}

/** Its states are told by the words of batches, and it is none. */
function endProblem(refusal: Extract<CorrectionActed, { ok: false }>['refusal']): Problem {
  if (refusal.kind !== 'batch-state') return moneyProblem(refusal);
  return new Problem(409, 'correction-ended', 'It was agreed to or withdrawn before.', {
    extra: refusal.state === null ? {} : { state: refusal.state },
  });
}

const agree = (parts: CorrectionParts) =>
  defineStaffRoute({
    ...ending,
    path: '/finance/corrections/{id}/agree',
    summary: 'Agree to a correction',
    description:
      'By another person than the one who asked. The proof binds `{"action": "money.correct", "subject": id, "version", "total": amount}` and is used up. The money moves in the same commit.',
    proof: true,
    body: z.strictObject({ proof_id: proofId }),
    async handle({ params, ifMatch, staff, body }) {
      const id = CorrectionId.parse(params.id);
      return ended(parts, id, await parts.corrections.agree(id, ifMatch ?? 0, staff.id, body.proof_id));
    },
  });

const withdraw = (parts: CorrectionParts) =>
  defineStaffRoute({
    ...ending,
    path: '/finance/corrections/{id}/withdraw',
    summary: 'Withdraw a correction',
    description: 'By who asked for it, or by another who does not agree. Nothing moves.',
    body: z.strictObject({ reason }),
    async handle({ params, ifMatch, staff, body }) {
      const id = CorrectionId.parse(params.id);
      return ended(parts, id, await parts.corrections.withdraw(id, ifMatch ?? 0, staff.id, body.reason));
    },
  });
