import { z } from 'zod';
import {
  APPEAL_CHARACTERS_MAX,
  AppealId,
  type AppealCase,
  type AppealEnd,
  appealStates,
  DECIDE_ALONE_TIYIN_MAX,
  type DayEnd,
  type DayReviews,
} from '../../../domain/earn/day/appeal.ts';
import { MICROS_PER_TIYIN } from '../../../domain/earn/price/price.ts';
import { SessionId } from '../../../domain/earn/ids.ts';
import { dayStates, explainDay, type KeptDay } from '../../../domain/earn/traffic/explain.ts';
import { ById } from '../../http/by-id.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../http/page.ts';
import { moneyText, tiyin } from '../../http/pay/fields.ts';
import { moneyProblem } from '../../http/pay/money-problem.ts';
import { Problem } from '../../http/problem.ts';
import { defineAdminRoute, type Route } from '../../http/route.ts';
import { DayBody, dayBody } from './day-body.ts';
import { appealBody, AppealBody } from './explained-day.ts';

const tag = 'Traffic reviews';

export interface ReviewDeps {
  readonly reviews: DayReviews;
}

/** What staff see and decide of days that rules did not simply pay. */
export const reviewRoutes = (deps: ReviewDeps): Route[] => [
  listAppeals(deps),
  answer(deps),
  listWaiting(deps),
  decide(deps),
  takeBack(deps),
];

const personId = z.uuid().meta({ description: 'Whose it is.' });

const ReviewedDay = DayBody.extend({
  session_id: z.uuid().meta({ description: 'The session.' }),
  state: z.enum(dayStates).meta({ description: 'What became of it.' }),
  in_ledger: tiyin('What of it the ledger holds for the person.'),
  closed_at: z.date().nullable().meta({ description: 'When the day was closed; null while it is open.' }),
}).meta({ id: 'ReviewedDay' });

const reviewedDay = (day: KeptDay) => ({
  ...dayBody(day),
  session_id: day.sessionId,
  state: explainDay(day).state,
  in_ledger: (day.postedMicros / MICROS_PER_TIYIN).toString(),
  closed_at: day.closedAt,
});

const CaseBody = AppealBody.extend({
  id: z.uuid(),
  person_id: personId,
  day: ReviewedDay,
  ended_by: z.string().nullable().meta({ description: 'E-mail of who answered; null while it is open.' }),
}).meta({ id: 'AppealCase' });

const caseBody = (one: AppealCase) => ({
  id: one.id,
  ...appealBody(one),
  person_id: one.personId,
  day: reviewedDay(one.day),
  ended_by: one.endedBy,
});

const listAppeals = ({ reviews }: ReviewDeps) =>
  defineAdminRoute({
    method: 'get',
    path: '/api/admin/appeals',
    tag,
    summary: 'List appeals',
    action: 'finance.read',
    query: z.object({
      ...pageQuery,
      state: z.enum(appealStates).default('open').meta({ description: 'Which of them.' }),
    }),
    answers: {
      200: {
        description: 'Open ones: the oldest first. Others: the newest first.',
        schema: pageSchema(CaseBody),
      },
    },
    async handle({ query }) {
      const page = await reviews.appeals(query.state, pageOrder(query));
      return { status: 200, body: pageBody(page, caseBody) };
    },
  });

const reason = moneyText(APPEAL_CHARACTERS_MAX).min(1);

const answer = ({ reviews }: ReviewDeps) =>
  defineAdminRoute({
    method: 'post',
    path: '/api/admin/appeals/{id}/answer',
    tag,
    summary: 'Answer an appeal',
    description:
      '`overturned`: the day is paid with its close, or at once where it is closed. `upheld`: it stays unpaid. Nobody answers their own.',
    action: 'traffic.decide',
    params: ById,
    body: z.strictObject({
      outcome: z.enum(['upheld', 'overturned']).meta({ description: 'What becomes of the day.' }),
      answer: reason.meta({
        description: 'Why: the person reads it.',
        example: 'The address is one of your provider’s.',
      }),
    }),
    answers: {
      200: {
        description: 'Answered; a repeat says the same.',
        schema: z.object({ state: z.enum(['upheld', 'overturned']) }),
      },
    },
    problems: [404, 409],
    async handle({ params, body, staff }) {
      const ended = await reviews.answer(AppealId.parse(params.id), body.outcome === 'overturned', {
        staffId: staff.id,
        answer: body.answer,
      });
      if (!ended.ok) throw problemOf(ended);
      return { status: 200, body: { state: ended.state } };
    },
  });

const listWaiting = ({ reviews }: ReviewDeps) =>
  defineAdminRoute({
    method: 'get',
    path: '/api/admin/traffic/review',
    tag,
    summary: 'List days in review',
    description: 'By session, each with its days that wait for a person.',
    action: 'finance.read',
    query: z.object(pageQuery),
    answers: {
      200: {
        description: 'The oldest session first.',
        schema: pageSchema(
          z
            .object({
              id: z.uuid().meta({ description: 'Of the session.' }),
              person_id: personId,
              days: z.array(ReviewedDay),
            })
            .meta({ id: 'ReviewedSession' }),
        ),
      },
    },
    async handle({ query }) {
      const page = await reviews.waiting(pageOrder(query));
      return {
        status: 200,
        body: pageBody(page, (one) => ({
          id: one.id,
          person_id: one.personId,
          days: one.days.map(reviewedDay),
        })),
      };
    },
  });

const oneDecides = `One member of staff pays, gives again and takes back ${DECIDE_ALONE_TIYIN_MAX / 100n} UZS within 24 hours at the most; then another does.`;

const oneDay = {
  action: 'traffic.decide',
  params: z.object({
    session_id: SessionId.meta({ description: 'The session.' }),
    day: z.iso.date().meta({ description: 'Of Asia/Tashkent.' }),
  }),
  answers: { 200: { description: 'As it is now; a repeat changes nothing.', schema: ReviewedDay } },
  problems: [404, 409],
} as const;

const decide = ({ reviews }: ReviewDeps) =>
  defineAdminRoute({
    ...oneDay,
    method: 'post',
    path: '/api/admin/traffic/days/{session_id}/{day}/decide',
    tag,
    summary: 'Decide a day',
    description:
      'Whether it is paid: with its close, or at once where it is closed. No rule changes it after that, unless more is claimed of a day that is paid: what nobody has looked at is for the rules again. An appeal that waits is answered by it. ' +
      oneDecides,
    body: z.strictObject({
      verdict: z.enum(['pay', 'unpaid']).meta({ description: 'What becomes of it.' }),
      reason: reason.meta({
        description: 'Why. Where an appeal waits, the person reads it.',
        example: 'A home of this provider',
      }),
    }),
    async handle({ params, body, staff }) {
      const act = { sessionId: params.session_id, day: params.day, staffId: staff.id, reason: body.reason };
      return { status: 200, body: decided(await reviews.decide(act, body.verdict === 'pay')) };
    },
  });

const takeBack = ({ reviews }: ReviewDeps) =>
  defineAdminRoute({
    ...oneDay,
    method: 'post',
    path: '/api/admin/traffic/days/{session_id}/{day}/take-back',
    tag,
    summary: 'Take a day back',
    description:
      'What it earned, from what the person has available; the rest they owe. Nothing is taken that is held for a withdrawal. The person sees it, and can appeal.',
    body: z.strictObject({
      reason: reason.meta({ description: 'Why.', example: 'A gateway was wrong' }),
    }),
    async handle({ params, body, staff }) {
      const act = { sessionId: params.session_id, day: params.day, staffId: staff.id, reason: body.reason };
      return { status: 200, body: decided(await reviews.takeBack(act)) };
    },
  });

function decided(end: DayEnd) {
  if (!end.ok) throw problemOf(end);
  return reviewedDay(end.day);
}

type Failed = Extract<AppealEnd | DayEnd, { readonly ok: false }>;

const problemOf = (failed: Failed): Problem =>
  'refusal' in failed ? moneyProblem(failed.refusal) : problems[failed.reason]();

const problems: Readonly<Record<Extract<Failed, { reason: string }>['reason'], () => Problem>> = {
  'unknown-appeal': () => new Problem(404, 'not-found', 'There is no such appeal.'),
  'unknown-day': () => new Problem(404, 'not-found', 'There is no such session on this day.'),
  'appeal-ended': () => new Problem(409, 'appeal-ended', 'The appeal was answered before, and otherwise.'),
  'day-paid': () => new Problem(409, 'day-paid', 'The day is paid by now.'),
  'day-posted': () => new Problem(409, 'day-posted', 'The day is in the ledger.'),
  'day-given-again': () =>
    new Problem(409, 'day-given-again', 'The day was taken back and given again: that stays.'),
  'nothing-to-take': () => new Problem(409, 'nothing-to-take', 'The day has nothing in the ledger.'),
};
