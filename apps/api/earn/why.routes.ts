import { z } from 'zod';
import {
  APPEAL_CHARACTERS_MAX,
  APPEAL_DAYS_MAX,
  APPEALS_OPEN_MAX,
  type AppealMade,
  type Appeals,
} from '../../../domain/earn/day/appeal.ts';
import { SessionId } from '../../../domain/earn/ids.ts';
import type { TrafficSessions } from '../../../domain/earn/traffic/port.ts';
import { moneyText } from '../../http/pay/fields.ts';
import { Problem } from '../../http/problem.ts';
import { definePersonRoute, type Route } from '../../http/route.ts';
import { ExplainedDayBody, explainedDayBody } from './explained-day.ts';
import { SessionBody, sessionBody } from './session-body.ts';

const tag = 'Traffic';

export interface WhyDeps {
  readonly sessions: TrafficSessions;
  readonly appeals: Appeals;
}

/** What became of a person's traffic, and what they can say against it. */
export const whyRoutes = (deps: WhyDeps): Route[] => [showSession(deps), showDay(deps), appeal(deps)];

const showSession = ({ sessions, appeals }: WhyDeps) =>
  definePersonRoute({
    method: 'get',
    path: '/api/sessions/{id}',
    tag,
    summary: 'Show a session',
    description: 'With its days: what of each is paid, and why the rest is not.',
    session: 'earner',
    params: z.object({ id: SessionId }),
    answers: {
      200: {
        description: 'As it is metered now.',
        schema: SessionBody.extend({ days: z.array(ExplainedDayBody) }).meta({ id: 'ExplainedSession' }),
      },
    },
    problems: [404],
    async handle({ params, person, now }) {
      const session = await sessions.one(person.personId, params.id);
      if (!session) throw noSession();
      const { locale, days } = await appeals.days({ ...whose(person), sessionId: params.id, day: null });
      return {
        status: 200,
        body: { ...sessionBody(session), days: days.map((one) => explainedDayBody(one, locale, now)) },
      };
    },
  });

/** A person, and what the project calls them: by it their language is known. */
interface Whose {
  readonly personId: string;
  readonly recipientId: string;
}

const whose = ({ personId, recipientId }: Whose) => ({ personId, recipientId });
const noSession = () => new Problem(404, 'not-found', 'The person has no such session.');
const noDay = () => new Problem(404, 'not-found', 'The person has no such session on this day.');

const OneDay = z.object({
  session_id: SessionId.meta({ description: 'The session.' }),
  day: z.iso.date().meta({ description: 'Of Asia/Tashkent.' }),
});

const showDay = ({ appeals }: WhyDeps) =>
  definePersonRoute({
    method: 'get',
    path: '/api/traffic/days/{session_id}/{day}',
    tag,
    summary: 'Show why a day was not paid',
    description:
      'What of a session’s day is paid, and each reason why the rest is not, with its bytes and a sentence in the language of the person. They add up to the byte.',
    session: 'earner',
    params: OneDay,
    answers: { 200: { description: 'As it is metered now.', schema: ExplainedDayBody } },
    problems: [404],
    handle: async ({ params, person, now }) => ({
      status: 200,
      body: await dayOf(appeals, { params, person, now }),
    }),
  });

async function dayOf(
  appeals: Appeals,
  {
    params,
    person,
    now,
  }: { readonly params: z.infer<typeof OneDay>; readonly person: Whose; readonly now: Date },
) {
  const { session_id: sessionId, day } = params;
  const { locale, days } = await appeals.days({ ...whose(person), sessionId, day });
  if (!days[0]) throw noDay();
  return explainedDayBody(days[0], locale, now);
}

const appeal = ({ appeals }: WhyDeps) =>
  definePersonRoute({
    method: 'post',
    path: '/api/traffic/days/{session_id}/{day}/appeal',
    tag,
    summary: 'Appeal a day',
    description: `Asks that a member of staff looks at a day that is unpaid, in review or taken back: once, within ${APPEAL_DAYS_MAX} days of its end; ${APPEALS_OPEN_MAX} wait at a time. The answer stands where the day is shown.`,
    session: 'earner',
    params: OneDay,
    body: z.strictObject({
      text: moneyText(APPEAL_CHARACTERS_MAX)
        .min(1)
        .meta({ description: 'Why it should be paid.', example: 'I was at home, on my own line.' }),
    }),
    answers: { 201: { description: 'Made; staff answer it.', schema: ExplainedDayBody } },
    problems: [404, 409, 422],
    async handle({ params, body, person, now }) {
      const { session_id: sessionId, day } = params;
      const made = await appeals.make({ personId: person.personId, sessionId, day, text: body.text });
      if (!made.ok) throw problems[made.reason]();
      return { status: 201, body: await dayOf(appeals, { params, person, now }) };
    },
  });

const problems: Readonly<Record<Extract<AppealMade, { ok: false }>['reason'], () => Problem>> = {
  'unknown-day': noDay,
  appealed: () => new Problem(409, 'appealed', 'The day was appealed before.'),
  'day-paid': () => new Problem(409, 'day-paid', 'The day is paid: there is nothing to appeal.'),
  'appeal-open-limit': () =>
    new Problem(422, 'appeal-open-limit', `${APPEALS_OPEN_MAX} appeals of the person wait for an answer.`),
  'appeal-late': () =>
    new Problem(409, 'appeal-late', `The day ended more than ${APPEAL_DAYS_MAX} days ago.`),
};
