import { z } from 'zod';
import {
  MESSAGES_A_DAY_MAX,
  MESSAGES_MAX,
  OPEN_REQUESTS_MAX,
  type PersonSupport,
  type SupportDone,
  SupportId,
  type SupportRefusal,
  SupportSubject,
  SupportText,
} from '../../../../domain/earn/support/support.ts';
import { Locale } from '../../../../domain/shared/locale.ts';
import { ById } from '../../../http/by-id.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../../http/page.ts';
import { Problem } from '../../../http/problem.ts';
import { definePersonRoute, type Route } from '../../../http/route.ts';
import { supportBody, SupportBody, threadOf, threadShape } from './support-body.ts';

const tag = 'Support';

export interface SupportDeps {
  readonly support: PersonSupport;
}

export const supportRoutes = (deps: SupportDeps): Route[] => [
  open(deps),
  list(deps),
  show(deps),
  reply(deps),
  close(deps),
];

const open = ({ support }: SupportDeps) =>
  definePersonRoute({
    method: 'post',
    path: '/api/support',
    tag,
    summary: 'Ask support',
    description: `${OPEN_REQUESTS_MAX} requests that are not closed, and ${MESSAGES_A_DAY_MAX} messages in 24 hours. The answer comes by Telegram where the person has a chat, and stands in the request. Sent again word for word, it is the same request.`,
    session: 'earner',
    body: z.strictObject({
      subject: SupportSubject,
      text: SupportText,
      locale: Locale.optional().meta({
        description: 'The language of the request; that of the person where it is left out.',
      }),
    }),
    answers: { 201: { description: 'Open.', schema: SupportBody } },
    problems: [422],
    async handle({ body: { subject, text, locale = null }, person }) {
      const done = await support.open({ personId: person.personId, subject, text, locale });
      return { status: 201, body: taken(done) };
    },
  });

const list = ({ support }: SupportDeps) =>
  definePersonRoute({
    method: 'get',
    path: '/api/support',
    tag,
    summary: 'List requests to support',
    session: 'earner',
    query: z.object(pageQuery),
    answers: { 200: { description: 'The person’s own, the newest first.', schema: pageSchema(SupportBody) } },
    async handle({ query, person }) {
      const page = await support.list(person.personId, pageOrder(query));
      return { status: 200, body: pageBody(page, supportBody) };
    },
  });

const ThreadBody = SupportBody.extend(threadShape(null)).meta({ id: 'SupportThread' });

const show = ({ support }: SupportDeps) =>
  definePersonRoute({
    method: 'get',
    path: '/api/support/{id}',
    tag,
    summary: 'Show a request to support',
    session: 'earner',
    params: ById,
    answers: { 200: { description: 'With all that was said.', schema: ThreadBody } },
    problems: [404],
    async handle({ params, person }) {
      const found = await support.read(person.personId, SupportId.parse(params.id));
      if (!found) throw supportProblem('unknown-request');
      return { status: 200, body: { ...supportBody(found), thread: threadOf(found, () => ({})) } };
    },
  });

const reply = ({ support }: SupportDeps) =>
  definePersonRoute({
    method: 'post',
    path: '/api/support/{id}/reply',
    tag,
    summary: 'Reply to support',
    description: 'Opens the request again, where it was answered or closed.',
    session: 'earner',
    params: ById,
    body: z.strictObject({ text: SupportText }),
    answers: { 200: { description: 'Open.', schema: SupportBody } },
    problems: [404, 422],
    async handle({ params, body, person }) {
      const done = await support.reply(person.personId, SupportId.parse(params.id), body.text);
      return { status: 200, body: taken(done) };
    },
  });

const close = ({ support }: SupportDeps) =>
  definePersonRoute({
    method: 'post',
    path: '/api/support/{id}/close',
    tag,
    summary: 'Close a request to support',
    description: 'It needs no answer any more. Twice: the second changes nothing.',
    session: 'earner',
    params: ById,
    answers: { 200: { description: 'Closed.', schema: SupportBody } },
    problems: [404],
    async handle({ params, person }) {
      return { status: 200, body: taken(await support.close(person.personId, SupportId.parse(params.id))) };
    },
  });

function taken(done: SupportDone) {
  if (!done.ok) throw supportProblem(done.reason);
  return supportBody(done.request);
}

const refusals: Readonly<Record<SupportRefusal, () => Problem>> = {
  'unknown-request': () => new Problem(404, 'not-found', 'There is no such request to support.'),
  'support-open-limit': () =>
    new Problem(
      422,
      'support-open-limit',
      `${OPEN_REQUESTS_MAX} requests of the person are not closed: expected a reply to one of them, or that one is closed first.`,
    ),
  'support-day-limit': () =>
    new Problem(
      422,
      'support-day-limit',
      `The person has written ${MESSAGES_A_DAY_MAX} messages in 24 hours.`,
    ),
  'support-full': () =>
    new Problem(422, 'support-full', `The request has ${MESSAGES_MAX} messages: expected a new request.`),
  // What the schema lets through, and the database does not.
  'card-number': () =>
    new Problem(422, 'support-card-number', 'The text holds what reads as the number of a card.'),
};

export const supportProblem = (reason: SupportRefusal): Problem => refusals[reason]();
