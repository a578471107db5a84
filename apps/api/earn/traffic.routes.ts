import { z } from 'zod';
import type { SessionAddresses } from '../../../domain/earn/address/port.ts';
import { SessionId } from '../../../domain/earn/ids.ts';
import { verdicts } from '../../../domain/earn/traffic/counterpart.ts';
import {
  INSTALLATIONS_MAX,
  REPORT_EVERY_SECONDS,
  REPORTS_MAX,
  SESSION_REPORTS_MAX,
  SESSIONS_A_DAY_MAX,
  type ReportAnswer,
  type StartAnswer,
  type TrafficSessions,
} from '../../../domain/earn/traffic/port.ts';
import { beginningOfDay, endOfDay } from '../../../domain/pay/ledger/head.ts';
import { Day } from '../../http/fields.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../http/page.ts';
import { Problem } from '../../http/problem.ts';
import { definePersonRoute, type Route } from '../../http/route.ts';
import { DayBody, dayBody } from './day-body.ts';
import { countOf, reportFields, reportLimits } from './fields.ts';
import { SessionBody, sessionBody } from './session-body.ts';

const tag = 'Traffic';

export interface TrafficDeps {
  readonly sessions: TrafficSessions;
  readonly addresses: SessionAddresses;
}

export const trafficRoutes = (deps: TrafficDeps): Route[] => [
  start(deps),
  report(deps),
  stop(deps),
  list(deps),
];

const addressFields = {
  verdict: z.enum(verdicts).meta({
    description:
      'What becomes of the session by the addresses that it came from: `pay`, `review` by a person, or `unpaid`. The strictest counts.',
  }),
  reason: z.string().nullable().meta({
    description: 'Why it is not simply paid; null where it is.',
    example: 'address-hosting',
  }),
};

const start = ({ sessions, addresses }: TrafficDeps) =>
  definePersonRoute({
    method: 'post',
    path: '/api/traffic/start',
    tag,
    summary: 'Start a session',
    description: 'One session of an installation is open at a time, for a day at most.',
    session: 'earner',
    body: z.strictObject({
      installation_id: z.uuid().meta({ description: 'Made by the app as it was installed, and kept.' }),
    }),
    answers: {
      201: {
        description: 'Open.',
        schema: z.object({
          session_id: z.uuid(),
          ...addressFields,
          report_every_s: z.int().meta({ description: 'Report so often, in seconds.', example: 60 }),
        }),
      },
    },
    problems: [409, 422],
    async handle({ body, person, now, ip }) {
      const country = addresses.countryOf(ip);
      const started = await sessions.start(person.personId, body.installation_id, now, country);
      if (!started.ok) throw startProblem(started);
      const { sessionId } = started;
      const seen = await addresses.seen({ sessionId, personId: person.personId, address: ip, now });
      if (!seen) throw new Error('a session was started and is not there');
      return {
        status: 201,
        body: {
          session_id: sessionId,
          verdict: seen.verdict,
          reason: seen.reason,
          report_every_s: REPORT_EVERY_SECONDS,
        },
      };
    },
  });

function startProblem(answer: Exclude<StartAnswer, { readonly ok: true }>): Problem {
  switch (answer.reason) {
    case 'session-open':
      return new Problem(409, 'session-open', 'A session of this installation is open.', {
        extra: { session_id: answer.sessionId },
      });
    case 'person-blocked':
      return new Problem(403, 'person-blocked', 'Staff have blocked this person.');
    case 'no-price':
      return new Problem(409, 'no-price', 'No price of a MB was ever set.');
    case 'too-many-sessions':
      return new Problem(
        422,
        'too-many-sessions',
        `The person has started ${SESSIONS_A_DAY_MAX} sessions in 24 hours.`,
      );
    case 'too-many-installations':
      return new Problem(
        422,
        'too-many-installations',
        `The person has shared from ${INSTALLATIONS_MAX} installations in thirty days.`,
      );
  }
}

const OneReport = z.strictObject(reportFields('since the session began'));

/** Many, or one flat. */
const ReportBody = z.union([
  z.strictObject({
    session_id: SessionId.meta({ description: 'Of `POST /api/traffic/start`.' }),
    reports: z.array(OneReport).min(1).max(REPORTS_MAX).meta({ description: 'In any order.' }),
  }),
  OneReport.extend({ session_id: SessionId }).transform(({ session_id, ...one }) => ({
    session_id,
    reports: [one],
  })),
]);

const TakenBody = z.object({
  accepted: z.int().meta({ description: 'New reports.' }),
  repeated: z.int().meta({ description: 'Numbers that were there before.' }),
  conflicts: z.int().meta({ description: 'Of those, how many said something else: the first one stands.' }),
  job_id: z.uuid().nullable().meta({ description: 'Of the metering; null where nothing waits for it.' }),
  ...addressFields,
});

const report = ({ sessions, addresses }: TrafficDeps) =>
  definePersonRoute({
    method: 'post',
    path: '/api/traffic/report',
    tag,
    summary: 'Report traffic',
    description:
      'Up to 1 000 reports, or one flat. Each has a number of its own and totals since the session began, so that one which is lost costs nothing, and one that is repeated counts once. A report counts until two days after the end of its day in Tashkent; an unusual one is kept and not paid, and says why.',
    session: 'earner',
    bodyLimits: reportLimits,
    body: ReportBody,
    answers: { 202: { description: 'Committed. They are metered within seconds.', schema: TakenBody } },
    problems: [404, 410, 422],
    async handle({ body, person, now, ip }) {
      const of = { sessionId: body.session_id, personId: person.personId };
      // First, so that nothing is metered of an address that nobody looked at.
      const seen = await addresses.seen({ ...of, address: ip, now });
      if (!seen) throw reportProblem({ reason: 'unknown-session' });
      const answer = await sessions.report({ ...of, reports: body.reports.map(countOf) });
      if (!answer.ok) throw reportProblem(answer);
      const { accepted, repeated, conflicts, jobId } = answer;
      return {
        status: 202,
        body: {
          accepted,
          repeated,
          conflicts,
          job_id: jobId,
          verdict: seen.verdict,
          reason: seen.reason,
        },
      };
    },
  });

function reportProblem({ reason }: Pick<Exclude<ReportAnswer, { readonly ok: true }>, 'reason'>): Problem {
  switch (reason) {
    case 'unknown-session':
      return new Problem(404, 'not-found', 'The person has no such session.');
    case 'session-over':
      return new Problem(410, 'session-over', 'The session had ended before these reports were measured.');
    case 'session-full':
      return new Problem(
        422,
        'session-full',
        `The session would have more than ${SESSION_REPORTS_MAX} reports.`,
      );
  }
}

const stop = ({ sessions }: TrafficDeps) =>
  definePersonRoute({
    method: 'post',
    path: '/api/traffic/stop',
    tag,
    summary: 'Stop a session',
    description:
      'Ends it, once; a repeat shows the same. Reports that were measured before may still come, until two days after the end of their day in Tashkent.',
    session: 'earner',
    query: z.object({ session_id: SessionId.meta({ description: 'Of `POST /api/traffic/start`.' }) }),
    answers: {
      200: {
        description: 'As it is metered now.',
        schema: z.object({
          session_id: z.uuid(),
          ended_at: z.date().meta({ description: 'When it ended.' }),
          days: z.array(DayBody),
        }),
      },
    },
    problems: [404],
    async handle({ query, person, now }) {
      const stopped = await sessions.stop(person.personId, query.session_id, now);
      if (!stopped) throw new Problem(404, 'not-found', 'The person has no such session.');
      const { sessionId, endedAt, days } = stopped;
      return { status: 200, body: { session_id: sessionId, ended_at: endedAt, days: days.map(dayBody) } };
    },
  });

const list = ({ sessions }: TrafficDeps) =>
  definePersonRoute({
    method: 'get',
    path: '/api/sessions',
    tag,
    summary: 'List sessions',
    description: 'The caller’s own. All that is named has to fit.',
    session: 'earner',
    query: z.object({
      open: z
        .enum(['true', 'false'])
        .transform((text) => text === 'true')
        .optional()
        .meta({ description: 'Only those that go on, or only those that ended.' }),
      from: Day.optional().meta({
        description: 'The first day on which they began, of Asia/Tashkent.',
        example: '2026-01-01',
      }),
      to: Day.optional().meta({
        description: 'The last day on which they began, of Asia/Tashkent.',
        example: '2026-01-31',
      }),
      ...pageQuery,
    }),
    answers: { 200: { description: 'The newest first.', schema: pageSchema(SessionBody) } },
    async handle({ query: { open: isOpen, from, to, ...page }, person }) {
      const found = await sessions.list(
        person.personId,
        {
          isOpen,
          from: from === undefined ? undefined : beginningOfDay(from),
          before: to === undefined ? undefined : endOfDay(to),
        },
        pageOrder(page),
      );
      return { status: 200, body: pageBody(found, sessionBody) };
    },
  });
