import { z } from 'zod';
import {
  type Block,
  type Blocked,
  type BlockRefusal,
  type Earner,
  type EarnerBlocks,
  type Earners,
  NAME_MAX,
} from '../../../domain/earn/people/port.ts';
import type { Stats } from '../../../domain/earn/stats/port.ts';
import { STATS_DAYS_DEFAULT } from '../../../domain/earn/stats/days.ts';
import { dayAfter, tashkentDay } from '../../../domain/pay/ledger/head.ts';
import type { Withdrawals } from '../../../domain/pay/payout/withdrawals.ts';
import { Locale } from '../../../domain/shared/locale.ts';
import { maskPhone } from '../../../domain/shared/phone.ts';
import { ById } from '../../http/by-id.ts';
import { PhoneField } from '../../http/fields.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../http/page.ts';
import { moneyText, tiyin } from '../../http/pay/fields.ts';
import { Problem } from '../../http/problem.ts';
import { defineAdminRoute, type Route } from '../../http/route.ts';
import { balanceBody, balanceShape } from '../pay/own-balance.ts';
import type { Earned } from '../wire.ts';
import { installationBody, InstallationBodies } from './installation-body.ts';

const tag = 'People';
const REASON_MAX = 500;

export interface PeopleDeps {
  readonly earners: Earners;
  readonly blocks: EarnerBlocks;
  readonly stats: Stats;
  readonly withdrawals: Pick<Withdrawals, 'balance' | 'destinations'>;
  readonly earned: Earned;
}

export const peopleAdminRoutes = (deps: PeopleDeps): Route[] => [
  list(deps),
  show(deps),
  end(deps, 'block'),
  end(deps, 'unblock'),
];

const earnerShape = {
  id: z.uuid().meta({ description: 'Of the person, as accounts of the ledger know them.' }),
  name: z.string().nullable().meta({ description: 'What they want to be called; null where unknown.' }),
  phone: z
    .string()
    .nullable()
    .meta({ description: 'Masked; null where they proved none.', example: maskPhone('+998901234567') }),
  telegram_id: z.int().nullable().meta({ description: 'Null where no chat of theirs is known.' }),
  language: Locale.nullable().meta({ description: 'Null where they chose none.', example: 'uz' }),
  open_sessions: z.int().meta({ description: 'Sessions that go on.' }),
  last_session_at: z.date().nullable().meta({ description: 'When the newest began; null: never.' }),
  blocked_at: z.date().nullable().meta({ description: 'Since when staff block them; null: they do not.' }),
  created_at: z.date().meta({ description: 'When they first signed in.' }),
};

const earnerBody = (one: Earner) => ({
  id: one.personId,
  name: one.name,
  phone: one.phone === null ? null : maskPhone(one.phone),
  telegram_id: one.telegramId === null ? null : Number(one.telegramId),
  language: one.locale,
  open_sessions: one.openSessions,
  last_session_at: one.lastSessionAt,
  blocked_at: one.blockedAt,
  created_at: one.createdAt,
});

const Search = z.object({
  telegram_id: z
    .string()
    .regex(/^[1-9]\d{0,17}$/, 'expected a numeric id of Telegram')
    .optional()
    .meta({ description: 'Who has this account.', example: '123456789' }),
  phone: PhoneField.optional().meta({ description: 'Who proved this number.' }),
  name: z
    .string()
    .min(2)
    .max(NAME_MAX)
    .optional()
    .meta({ description: 'How their name begins, in small or capital letters.', example: 'azi' }),
  ...pageQuery,
});

const list = ({ earners }: PeopleDeps) =>
  defineAdminRoute({
    method: 'get',
    path: '/api/admin/users',
    tag,
    summary: 'List people',
    description: 'People who signed in to the project in which people earn. All that is named has to fit.',
    action: 'people.read',
    query: Search,
    answers: {
      200: {
        description: 'Who signed in last is first.',
        schema: pageSchema(z.object(earnerShape).meta({ id: 'Earner' })),
      },
    },
    async handle({ query: { limit, cursor, telegram_id: telegramId, ...search } }) {
      const page = await earners.list({ ...search, telegramId }, pageOrder({ limit, cursor }));
      return { status: 200, body: pageBody(page, earnerBody) };
    },
  });

const BlockBody = z.object({
  id: z.uuid(),
  reason: z
    .string()
    .meta({ description: '`by-staff`, or what happened, such as `phone-lost`.', example: 'by-staff' }),
  by: z.string().nullable().meta({ description: 'E-mail of who made it; null: what happened did.' }),
  because: z.string().nullable().meta({ description: 'Why, in their words.' }),
  made_at: z.date().meta({ description: 'From when.' }),
  until: z.date().nullable().meta({ description: 'When it ends by itself; null: it does not.' }),
  lifted_at: z.date().nullable().meta({ description: 'When it was lifted; null: it was not.' }),
  lifted_by: z.string().nullable().meta({ description: 'E-mail of who lifted it.' }),
  lifted_because: z.string().nullable().meta({ description: 'Why, in their words.' }),
});

const blockBody = (one: Block) => ({
  id: one.id,
  reason: one.reason,
  by: one.by,
  because: one.because,
  made_at: one.madeAt,
  until: one.until,
  lifted_at: one.liftedAt,
  lifted_by: one.liftedBy,
  lifted_because: one.liftedBecause,
});

const PersonBody = z.object({
  ...earnerShape,
  balance: z.object(balanceShape).meta({ description: 'What they have.' }),
  traffic: z
    .object({
      bytes: z.int().meta({ description: 'What their phones reported, in bytes.' }),
      amount: tiyin('What it earns, less what was taken back.'),
      review: tiyin('What a person looks at first.'),
    })
    .meta({ description: `Of the last ${STATS_DAYS_DEFAULT} days of Asia/Tashkent.` }),
  installations: InstallationBodies,
  destinations: z.int().meta({ description: 'Cards in use.' }),
  blocks: z.array(BlockBody).meta({ description: 'The newest first, and those that ended too.' }),
});

const show = (deps: PeopleDeps) =>
  defineAdminRoute({
    method: 'get',
    path: '/api/admin/users/{id}',
    tag,
    summary: 'Show a person',
    action: 'people.read',
    params: ById,
    answers: { 200: { description: 'As it is now.', schema: PersonBody } },
    problems: [404],
    async handle({ params, now }) {
      const one = await deps.earners.find(params.id);
      if (!one) throw problems['unknown-person']();
      return { status: 200, body: await personBody(deps, one, now) };
    },
  });

async function personBody({ earners, stats, withdrawals, earned }: PeopleDeps, one: Earner, now: Date) {
  const today = tashkentDay(now);
  const [kept, unposted, traffic, installations, destinations, blocks] = await Promise.all([
    withdrawals.balance(one.personId),
    earned(one.personId),
    stats.range(one.personId, { from: dayAfter(today, 1 - STATS_DAYS_DEFAULT), to: today }),
    earners.installations(one.personId, now),
    withdrawals.destinations(one.personId),
    earners.blocks(one.personId),
  ]);
  return {
    ...earnerBody(one),
    balance: balanceBody(kept, unposted, now),
    traffic: {
      bytes: traffic.bytes,
      amount: traffic.amount.toString(),
      review: traffic.review.toString(),
    },
    installations: installations.map(installationBody),
    destinations: destinations.length,
    blocks: blocks.map(blockBody),
  };
}

const descriptions = {
  block:
    'The person starts no session and withdraws nothing from then on; sessions that are open end, and withdrawals that are open wait. What they earned stays theirs.',
  unblock:
    'Lifts what staff blocked; what happened to a person, such as a lost phone, ends by itself. Nobody lifts a block of the person whose phone they have.',
} as const;

const end = ({ blocks }: PeopleDeps, what: 'block' | 'unblock') =>
  defineAdminRoute({
    method: 'post',
    path: `/api/admin/users/{id}/${what}`,
    tag,
    summary: what === 'block' ? 'Block a person' : 'Unblock a person',
    description: descriptions[what],
    action: 'people.block',
    params: ById,
    body: z.strictObject({
      reason: moneyText(REASON_MAX).meta({
        description: 'Why. It is kept, with who did it.',
        example: 'Case 4711: three phones of one address',
      }),
    }),
    answers: {
      200: {
        description: 'Done.',
        schema: z.object({
          id: z.uuid(),
          blocked: z.boolean().meta({ description: 'Whether staff block them now.' }),
        }),
      },
    },
    problems: [404, 409],
    async handle({ params, body, staff }) {
      const done: Blocked = await blocks[what](params.id, staff, body.reason);
      if (!done.ok) throw problems[done.reason]();
      return { status: 200, body: { id: params.id, blocked: what === 'block' } };
    },
  });

const problems: Readonly<Record<BlockRefusal, () => Problem>> = {
  'unknown-person': () => new Problem(404, 'not-found', 'There is no such person.'),
  'already-blocked': () => new Problem(409, 'already-blocked', 'Staff block this person already.'),
  'not-blocked': () => new Problem(409, 'not-blocked', 'No member of staff blocks this person.'),
  'own-person': () =>
    new Problem(403, 'own-money', 'You have the phone of this person: another member of staff does it.'),
};
