import { z } from 'zod';
import {
  type StaffSupport,
  SupportId,
  type SupportRequest,
  supportStates,
  SupportText,
} from '../../../../domain/earn/support/support.ts';
import { ById } from '../../../http/by-id.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../../http/page.ts';
import { defineAdminRoute, type Route } from '../../../http/route.ts';
import { SupportBody, supportBody, threadOf, threadShape } from './support-body.ts';
import { supportProblem } from './support.routes.ts';

const tag = 'Support';
const action = 'support.answer';

export interface StaffSupportDeps {
  readonly staffSupport: StaffSupport;
}

export const staffSupportRoutes = (deps: StaffSupportDeps): Route[] => [
  list(deps),
  show(deps),
  answer(deps),
  close(deps),
];

const OfPerson = SupportBody.extend({
  person_id: z.uuid().meta({ description: 'Who asked: a person, as the ledger and the users know them.' }),
}).meta({ id: 'SupportRequestOfPerson' });

const ofPerson = (one: SupportRequest) => ({ ...supportBody(one), person_id: one.personId });

const list = ({ staffSupport }: StaffSupportDeps) =>
  defineAdminRoute({
    method: 'get',
    path: '/api/admin/support',
    tag,
    summary: 'List requests to support by state',
    action,
    query: z.object({
      state: z
        .enum(supportStates)
        .default('open')
        .meta({ description: 'In this state: those that wait for an answer, where it is left out.' }),
      ...pageQuery,
    }),
    answers: {
      200: { description: 'The oldest first: who has waited longest is next.', schema: pageSchema(OfPerson) },
    },
    async handle({ query }) {
      const page = await staffSupport.list(query.state, pageOrder(query));
      return { status: 200, body: pageBody(page, ofPerson) };
    },
  });

const ThreadBody = OfPerson.extend(
  threadShape(
    z.object({
      by: z.string().nullable().meta({ description: 'E-mail of who answered; null of the person.' }),
    }),
  ),
).meta({ id: 'SupportThreadOfPerson' });

const show = ({ staffSupport }: StaffSupportDeps) =>
  defineAdminRoute({
    method: 'get',
    path: '/api/admin/support/{id}',
    tag,
    summary: 'Show a person’s request to support',
    action,
    params: ById,
    answers: { 200: { description: 'With all that was said.', schema: ThreadBody } },
    problems: [404],
    async handle({ params }) {
      const found = await staffSupport.read(SupportId.parse(params.id));
      if (!found) throw supportProblem('unknown-request');
      return { status: 200, body: { ...ofPerson(found), thread: threadOf(found, ({ by }) => ({ by })) } };
    },
  });

const AnsweredBody = OfPerson.extend({
  told: z.enum(['telegram', 'list']).meta({
    description:
      '`telegram`: the person has a chat, where they are told as their preferences let them; `list`: they have none, and find the answer in the request alone.',
  }),
}).meta({ id: 'SupportAnswered' });

const answer = ({ staffSupport }: StaffSupportDeps) =>
  defineAdminRoute({
    method: 'post',
    path: '/api/admin/support/{id}/answer',
    tag,
    summary: 'Answer a person',
    description: 'Leaves a row of the audit. The person is told by Telegram, where they have a chat.',
    action,
    params: ById,
    body: z.strictObject({
      text: SupportText,
      close: z
        .boolean()
        .default(false)
        .meta({ description: 'Nothing more is expected: the request is closed with the answer.' }),
    }),
    answers: { 200: { description: 'Answered, or closed.', schema: AnsweredBody } },
    problems: [404, 422],
    async handle({ params, body, staff }) {
      const { text, close: closes } = body;
      const id = SupportId.parse(params.id);
      const done = await staffSupport.answer({ id, text, closes, by: staff });
      if (!done.ok) throw supportProblem(done.reason);
      return {
        status: 200,
        body: { ...ofPerson(done.request), told: done.reached ? 'telegram' : 'list' },
      };
    },
  });

const close = ({ staffSupport }: StaffSupportDeps) =>
  defineAdminRoute({
    method: 'post',
    path: '/api/admin/support/{id}/close',
    tag,
    summary: 'Close a person’s request',
    description: 'Without an answer. Leaves a row of the audit; twice: the second changes nothing.',
    action,
    params: ById,
    answers: { 200: { description: 'Closed.', schema: OfPerson } },
    problems: [404],
    async handle({ params, staff }) {
      const done = await staffSupport.close(SupportId.parse(params.id), staff);
      if (!done.ok) throw supportProblem(done.reason);
      return { status: 200, body: ofPerson(done.request) };
    },
  });
