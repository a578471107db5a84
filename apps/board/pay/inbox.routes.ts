import { z } from 'zod';
import { type Inbox, inboxOf, waitKinds, type Waits } from '../../../domain/pay/finance/inbox.ts';
import { tiyin } from '../../http/pay/fields.ts';
import { defineStaffRoute, type StaffRoute } from '../../http/route.ts';
import { uzs, uzsOfTiyin } from './batch-body.ts';

export interface InboxParts {
  readonly inbox: Inbox;
}

export const inboxRoutes = (parts: InboxParts): StaffRoute[] => [show(parts)];

const MS_A_SECOND = 1_000;

const Waiting = z
  .object({
    kind: z.enum(waitKinds).meta({ description: 'What would end the wait.' }),
    id: z.uuid().meta({
      description: 'Of the batch, the correction, the payment, the file for a bank or the statement.',
    }),
    path: z
      .string()
      .meta({ description: 'Shows it.', example: '/finance/batches/0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b21' }),
    name: z.string().meta({ description: 'As who made it called it.' }),
    count: z
      .int()
      .nullable()
      .meta({ description: 'Lines of a batch or a statement; payments that nobody heard of.' }),
    total: tiyin('How much it is about.'),
    total_uzs: uzs('The same in UZS.'),
    since: z.date().meta({ description: 'Since when it waits.' }),
    age_seconds: z.int().meta({ description: 'For how long.' }),
    may: z.boolean().meta({ description: 'Whether it waits for you.' }),
    why_not: z.string().nullable().meta({ description: 'Why you may not: a code of `/docs/problems`.' }),
  })
  .meta({ id: 'Waiting' });

const pathOf = (kind: Waits['kind'], id: string): string => {
  if (kind === 'payment.settle') return '/finance/dispatches/stuck';
  if (kind === 'statement.agree') return '/finance/statements';
  return `/finance/${kind === 'correction.agree' ? 'corrections' : 'batches'}/${id}`;
};

const body = ({ kind, id, name, count, total, since, whyNot }: Waits, now: Date) => ({
  kind,
  id,
  path: pathOf(kind, id),
  name,
  count,
  total: total.toString(),
  total_uzs: uzsOfTiyin(total),
  since,
  age_seconds: Math.max(0, Math.floor((now.getTime() - since.getTime()) / MS_A_SECOND)),
  may: whyNot === null,
  why_not: whyNot,
});

const show = ({ inbox }: InboxParts) =>
  defineStaffRoute({
    method: 'get',
    path: '/finance/inbox',
    tag: 'Finance',
    summary: 'Show what waits for whom',
    description:
      'Batches, corrections, payments and statements that a person has to go on with. What you may do comes first, the largest amounts before the others; of the rest it says why you may not.',
    action: 'finance.read',
    answers: {
      200: { description: 'At most 200 of each.', schema: z.object({ data: z.array(Waiting) }) },
    },
    async handle({ staff, now }) {
      const waits = inboxOf(await inbox.waiting(staff.id), staff);
      return { status: 200, body: { data: waits.map((one) => body(one, now)) } };
    },
  });
