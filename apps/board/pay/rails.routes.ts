import { z } from 'zod';
import { dispatchStates } from '../../../domain/pay/dispatch/dispatch.ts';
import {
  type DispatchView,
  type Rails,
  type RailView,
  type Switched,
  SwitchId,
} from '../../../domain/pay/finance/rails.ts';
import { RailId } from '../../../domain/pay/ids.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../http/page.ts';
import { moneyText, tiyin } from '../../http/pay/fields.ts';
import { moneyProblem } from '../../http/pay/money-problem.ts';
import { Problem } from '../../http/problem.ts';
import { proofId } from '../../http/proof.ts';
import { type Answer, defineStaffRoute, type StaffRoute } from '../../http/route.ts';
import { Staff, uzs, uzsOfTiyin } from './batch-body.ts';

const tag = 'Rails';

export interface RailParts {
  readonly rails: Rails;
}

/** The switches of the rails, and payments that nobody could learn the end of. */
export const railRoutes = (parts: RailParts): StaffRoute[] => [
  list(parts),
  stop(parts),
  askOpen(parts),
  agreeOpen(parts),
  listStuck(parts),
  askSettle(parts),
  agreeSettle(parts),
];

const REASON_CHARACTERS_MAX = 200;
const EVIDENCE_CHARACTERS_MAX = 500;
const reason = moneyText(REASON_CHARACTERS_MAX).meta({
  description: 'Why, in a sentence: others read it.',
  example: 'The rail answers with amounts that are not ours',
});

const Asked = z.object({
  by: Staff.meta({ description: 'Who: another person agrees.' }),
  at: z.date().meta({ description: 'When.' }),
});

const Rail = z
  .object({
    id: SwitchId.meta({ description: '`all`: every rail at once.' }),
    stopped: z
      .object({
        at: z.date().meta({ description: 'When.' }),
        by: Staff.nullable().meta({ description: 'Who stopped it; null where it stopped itself.' }),
        reason: z.string().meta({ description: 'Why.' }),
        version: z.int().meta({ description: 'For the proof of opening it: this very stop.' }),
        open_asked: Asked.extend({ reason: z.string().meta({ description: 'Why.' }) })
          .nullable()
          .meta({ description: 'Who has asked to open it within a day, and waits for another.' }),
      })
      .nullable()
      .meta({ description: 'Null while it is open.' }),
    said_at: z
      .date()
      .nullable()
      .meta({ description: 'When it last told of our account; null where it was never asked.' }),
    otp_since: z.date().nullable().meta({
      description:
        'Since when it wants a one-time password for each payment: until it does not, no batch of it begins.',
    }),
    exposure_max: z.int().meta({ description: 'As many payments may be on their way without a known end.' }),
    exposed: z.int().meta({ description: 'So many are.' }),
    waiting: z.int().meta({ description: 'Payments that wait for their turn.' }),
    stuck: z.int().meta({ description: 'Payments that people look at.' }),
  })
  .meta({ id: 'Rail' });

const railBody = ({ id, stopped, exposureMax, exposed, waiting, stuck, ...said }: RailView) => ({
  id,
  stopped: stopped && {
    at: stopped.at,
    by: stopped.by,
    reason: stopped.reason,
    version: stopped.version,
    open_asked: stopped.openAsked,
  },
  said_at: said.saidAt,
  otp_since: said.otpSince,
  exposure_max: exposureMax,
  exposed,
  waiting,
  stuck,
});

const all = { 200: { description: 'All switches.', schema: z.object({ data: z.array(Rail) }) } };
const railsAnswer = async ({ rails }: RailParts): Promise<Answer> => ({
  status: 200,
  body: { data: (await rails.rails()).map(railBody) },
});

const list = (parts: RailParts) =>
  defineStaffRoute({
    method: 'get',
    path: '/finance/rails',
    tag,
    summary: 'Show the rails',
    action: 'finance.read',
    answers: all,
    handle: () => railsAnswer(parts),
  });

const BySwitch = z.object({ id: SwitchId.meta({ description: 'The rail; `all` for every rail at once.' }) });
const changing = { method: 'post', tag, params: BySwitch, answers: all, problems: [404, 409] } as const;

const Stopped = z.object({ id: SwitchId.meta({ description: 'What is stopped.' }) });

const stop = ({ rails }: RailParts) =>
  defineStaffRoute({
    ...changing,
    path: '/finance/rails/{id}/stop',
    summary: 'Stop a rail',
    description:
      'One person is enough, at once: once this is answered no further payment begins. What has begun is asked about to its end. ' +
      'It is stopped whatever was changed since somebody looked: an `If-Match` is not compared.',
    action: 'rail.stop',
    versioned: 'never-compared',
    body: z.strictObject({ reason }),
    answers: { 200: { description: 'It is stopped.', schema: Stopped } },
    async handle({ params, staff, body }) {
      done(await rails.stop(params.id, staff.id, body.reason));
      return { status: 200, body: { id: params.id } };
    },
  });

function done(switched: Switched): void {
  if (!switched.ok) throw moneyProblem(switched.refusal);
}

/** Each id that passes the schema is a rail: what is not found is its stop. */
function opened(switched: Switched): void {
  if (!switched.ok && switched.refusal.kind === 'unknown')
    throw new Problem(404, 'not-found', 'This rail is not stopped: there is nothing to open.');
  done(switched);
}

const askOpen = (parts: RailParts) =>
  defineStaffRoute({
    ...changing,
    path: '/finance/rails/{id}/open',
    summary: 'Ask to open a rail',
    description: 'Nothing opens: another person agrees within a day, `POST /finance/rails/{id}/open/agree`.',
    action: 'rail.open',
    body: z.strictObject({ reason }),
    async handle({ params, staff, body }) {
      opened(await parts.rails.askOpen(params.id, staff.id, body.reason));
      return railsAnswer(parts);
    },
  });

const agreeOpen = (parts: RailParts) =>
  defineStaffRoute({
    ...changing,
    path: '/finance/rails/{id}/open/agree',
    summary: 'Agree to open a rail',
    description:
      'By another person than the one who asked. The proof binds `{"action": "rail.open", "subject": id, "version": stopped.version}`.',
    action: 'rail.open',
    proof: true,
    body: z.strictObject({ proof_id: proofId }),
    async handle({ params, staff, body }) {
      opened(await parts.rails.agreeOpen(params.id, staff.id, body.proof_id));
      return railsAnswer(parts);
    },
  });

const outcome = z
  .enum(['paid', 'failed'])
  .meta({ description: 'What the rail says by other ways than its API, such as its support.' });

const Stuck = z
  .object({
    id: z.uuid().meta({ description: 'Of the payment; in a file for a bank, of the payout.' }),
    batch_id: z.uuid().meta({ description: 'GET /finance/batches/{id}.' }),
    rail: RailId.meta({ description: 'By which it went.' }),
    amount: tiyin('What it pays.'),
    amount_uzs: uzs('The same in UZS.'),
    items: z.int().meta({ description: 'Lines of the batch in it.' }),
    state: z
      .enum(dispatchStates)
      .meta({ description: '`stuck` or, in a file for a bank, `exported` while people look at it.' }),
    reason: z.string().nullable().meta({ description: 'Why it is so.' }),
    version: z.int().meta({ description: 'For the proof.' }),
    attempt: z.int().meta({ description: 'Drafts that were made.' }),
    reference: z.string().nullable().meta({ description: 'By which the rail knows the last of them.' }),
    rail_uuid: z.string().nullable().meta({ description: 'The rail’s own id of it.' }),
    state_at: z.date().meta({ description: 'Since when it is so.' }),
    settle_asked: Asked.extend({
      outcome,
      evidence: z.string().meta({ description: 'What shows it.' }),
      hash: z.string().meta({ description: 'For the proof: of who said what, when, and by which evidence.' }),
    })
      .nullable()
      .meta({ description: 'What somebody says that became of it, and waits for another.' }),
  })
  .meta({ id: 'StuckPayment' });

const stuckBody = ({ batchId, railUuid, stateAt, settleAsked, amount, ...one }: DispatchView) => ({
  id: one.id,
  batch_id: batchId,
  rail: one.rail,
  amount: amount.toString(),
  amount_uzs: uzsOfTiyin(amount),
  items: one.items,
  state: one.state,
  reason: one.reason,
  version: one.version,
  attempt: one.attempt,
  reference: one.reference,
  rail_uuid: railUuid,
  state_at: stateAt,
  settle_asked: settleAsked,
});

const listStuck = ({ rails }: RailParts) =>
  defineStaffRoute({
    method: 'get',
    path: '/finance/dispatches/stuck',
    tag,
    summary: 'List payments that people look at',
    description:
      'Those of which nobody could learn what became of them, and those of files for a bank that no statement has had for 72 hours. Never paid again by themselves.',
    action: 'finance.read',
    query: z.object(pageQuery),
    answers: {
      200: { description: 'A page, those made first before the others.', schema: pageSchema(Stuck) },
    },
    async handle({ query }) {
      return { status: 200, body: pageBody(await rails.stuck(pageOrder(query)), stuckBody) };
    },
  });

const ByPayment = z.object({
  id: z.uuid().meta({
    description:
      'Of the payment, as `GET /finance/dispatches/stuck` has it: in a file for a bank, of its payout.',
  }),
});
const settling = {
  method: 'post',
  tag,
  params: ByPayment,
  action: 'money.correct',
  answers: { 200: { description: 'The payment as it is now.', schema: Stuck } },
  problems: [404, 409],
} as const;

async function dispatchAnswer({ rails }: RailParts, id: string): Promise<Answer> {
  const found = await rails.dispatch(id);
  if (!found) throw new Problem(404, 'not-found', 'There is no such payment.');
  return { status: 200, body: stuckBody(found) };
}

const askSettle = (parts: RailParts) =>
  defineStaffRoute({
    ...settling,
    path: '/finance/dispatches/{id}/settle',
    summary: 'Say what became of a payment',
    description: 'Nothing moves: another person agrees within a day.',
    body: z.strictObject({
      outcome,
      evidence: moneyText(EVIDENCE_CHARACTERS_MAX).meta({
        description: 'What shows it, such as a letter of the rail with its number.',
      }),
    }),
    async handle({ params, staff, body }) {
      await dispatchAnswer(parts, params.id);
      done(await parts.rails.askSettle(params.id, staff.id, body.outcome, body.evidence));
      return dispatchAnswer(parts, params.id);
    },
  });

const agreeSettle = (parts: RailParts) =>
  defineStaffRoute({
    ...settling,
    path: '/finance/dispatches/{id}/settle/agree',
    summary: 'Agree to what became of a payment',
    description:
      'By another person, of the same outcome. The proof binds `{"action": "money.correct", "subject": id, "version", "hash", "total": amount}`, `hash` of `settle_asked`: what somebody has asked for since is not agreed to. The money moves in the same commit.',
    proof: true,
    body: z.strictObject({ outcome, proof_id: proofId }),
    async handle({ params, staff, body }) {
      done(await parts.rails.agreeSettle(params.id, staff.id, body.outcome, body.proof_id));
      return dispatchAnswer(parts, params.id);
    },
  });
