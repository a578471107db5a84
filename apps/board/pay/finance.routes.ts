import { z } from 'zod';
import { uzsOf } from '../../../domain/pay/ledger/amount.ts';
import { periodOf } from '../../../domain/pay/ledger/period.ts';
import { accountClasses, AccountId } from '../../../domain/pay/ledger/accounts.ts';
import type {
  AccountOwner,
  AccountView,
  ClosedDay,
  LedgerReads,
  Statement,
  StatementLine,
} from '../../../domain/pay/ledger/reads.ts';
import { isOurTime, notOurTime } from '../../../domain/shared/refine.ts';
import { Day as DayField } from '../../http/fields.ts';
import { pageQuery } from '../../http/page.ts';
import { spaced } from '../../http/pay/fields.ts';
import { Problem } from '../../http/problem.ts';
import { type Answer, defineStaffRoute, type StaffRoute } from '../../http/route.ts';
import { statementCsv } from './statement-csv.ts';

const tag = 'Finance';

export interface FinanceParts {
  readonly reads: LedgerReads;
}

/** What finance reads of the book. None of it moves money. */
export const financeRoutes = (parts: FinanceParts): StaffRoute[] => [
  listAccounts(parts),
  showAccount(parts),
  showStatement(parts),
  listDays(parts),
];

/** Exact, for programs: JSON numbers lose what is above 2^53. */
const Micros = z.string().regex(/^-?\d+$/);
const micros = (description: string) =>
  Micros.meta({ description: `${description} In 10^-6 UZS, exact.`, example: '12500000' });
const bound = (description: string) =>
  Micros.nullable().meta({
    description: `${description}, in 10^-6 UZS; null where nothing bounds it.`,
    example: '0',
  });
const uzs = (description: string) =>
  z.string().meta({ description: `${description} In UZS, exact: at least two decimals.`, example: '12.50' });

const ownerFields = {
  class: z.string().meta({ description: 'What sort of account it is.', example: 'available' }),
  owner: z.uuid().nullable().meta({
    description: "Whose it is: a person or a project; null where it is the book's own or a rail's.",
  }),
  rail: z.string().nullable().meta({ description: 'Of which rail it is, if of one.' }),
};

const Account = z.object({
  id: AccountId.meta({ description: 'Its number in the ledger.', example: '42' }),
  ...ownerFields,
  balance: uzs('What was credited less what was debited.'),
  balance_micros: micros('The same.'),
  floor_micros: bound('Below this it never goes'),
  ceiling_micros: bound('Above this it never goes'),
  transfers: z.string().meta({ description: 'How many transfers have moved it.', example: '17' }),
});

const accountBody = ({ id, balance, floor, ceiling, transfers, ...account }: AccountView) => ({
  id,
  ...ownerBody(account),
  balance: uzsOf(balance),
  balance_micros: balance.toString(),
  floor_micros: floor?.toString() ?? null,
  ceiling_micros: ceiling?.toString() ?? null,
  transfers: transfers.toString(),
});

const ownerBody = ({ class: name, owner, rail }: AccountOwner) => ({ class: name, owner, rail });

const nextAfter = z
  .string()
  .nullable()
  .meta({ description: 'Send it as `after` for the next page; null on the last.', example: '42' });

const listAccounts = ({ reads }: FinanceParts) =>
  defineStaffRoute({
    method: 'get',
    path: '/finance/accounts',
    tag,
    summary: 'List accounts',
    description: 'The accounts of the book with their balances of now, in the order of their numbers.',
    action: 'finance.read',
    query: z.object({
      class: z
        .enum(Object.values(accountClasses).flat() as [string, ...string[]])
        .optional()
        .meta({ description: 'Those of this class alone.' }),
      owner: z.uuid().optional().meta({ description: 'Those of this person or project alone.' }),
      rail: z
        .string()
        .regex(/^[a-z][a-z0-9-]{0,39}$/, 'expected the name of a rail, such as multicard')
        .optional()
        .meta({ description: 'Those of this rail alone.', example: 'multicard' }),
      limit: pageQuery.limit,
      after: AccountId.optional().meta({
        description: '`next_after` of the page before.',
        example: '42',
      }),
    }),
    answers: {
      200: {
        description: 'A page of accounts.',
        schema: z.object({ data: z.array(Account), next_after: nextAfter }),
      },
    },
    async handle({ query: { limit, after, ...filter } }) {
      const { rows, hasMore } = await reads.accounts(filter, { after: after ?? null, limit });
      const next = hasMore ? (rows.at(-1)?.id ?? null) : null;
      return { status: 200, body: { data: rows.map(accountBody), next_after: next } };
    },
  });

const ById = z.object({
  id: AccountId.meta({
    description: 'The number of the account: `GET /finance/accounts`.',
    example: '42',
  }),
});

const showAccount = ({ reads }: FinanceParts) =>
  defineStaffRoute({
    method: 'get',
    path: '/finance/accounts/{id}',
    tag,
    summary: 'Show an account',
    action: 'finance.read',
    params: ById,
    answers: { 200: { description: 'The account.', schema: Account } },
    problems: [404],
    async handle({ params }) {
      return { status: 200, body: accountBody(await accountOf(reads, params.id)) };
    },
  });

async function accountOf(reads: LedgerReads, id: AccountId): Promise<AccountView> {
  const account = await reads.account(id);
  if (!account) throw new Problem(404, 'not-found', 'There is no such account in the book.');
  return account;
}

const Line = z.object({
  n: z.string().meta({ description: 'Its number in the book; numbers have no gaps.', example: '4711' }),
  kind: z.string().meta({ description: 'What sort of transfer it is.', example: 'hold' }),
  key: z.string().meta({ description: 'The key under which it was posted, once.' }),
  amount: uzs('What it moved: positive where this account was credited.'),
  amount_micros: micros('The same.'),
  before_micros: micros('The balance before it.'),
  after_micros: micros('The balance after it.'),
  other: z
    .object({ id: AccountId.meta({ description: 'Its number in the ledger.' }), ...ownerFields })
    .meta({ description: 'The account on the other side.' }),
  subject_id: z.uuid().nullable().meta({ description: 'What it was for, such as a withdrawal.' }),
  event_at: z.iso
    .datetime({ precision: 6 })
    .meta({ description: 'When it happened, which may be days before it was posted.' }),
  posted_at: z.iso.datetime({ precision: 6 }).meta({
    description: 'When it was posted. Periods go by this: it never goes back in the order of the numbers.',
  }),
  actor: z.string().meta({ description: 'Who or what posted it.' }),
});

const lineBody = (line: StatementLine) => ({
  n: line.n.toString(),
  kind: line.kind,
  key: line.key,
  amount: uzsOf(line.amount),
  amount_micros: line.amount.toString(),
  before_micros: line.before.toString(),
  after_micros: line.after.toString(),
  other: { id: line.other.id, ...ownerBody(line.other) },
  subject_id: line.subjectId,
  event_at: line.eventAt,
  posted_at: line.postedAt,
  actor: line.actor,
});

const edge = (description: string) =>
  z
    .union(
      [DayField, z.iso.datetime({ offset: true }).refine((text) => isOurTime(new Date(text)), notOurTime)],
      {
        error: 'expected a day such as 2026-11-29, or a time with its offset',
      },
    )
    .optional()
    .meta({ description, example: '2026-11-29' });
/** A transfer's, as text. */
const TransferNumber = z.string().regex(/^\d{1,18}$/, 'expected the number of a transfer, such as 4711');

const StatementQuery = z
  .object({
    from: edge('From when: a day of Asia/Tashkent, from its beginning, or an instant with its offset.'),
    to: edge('Until when: a day of Asia/Tashkent, to its end, or an instant that is no part of it.'),
    after: TransferNumber.optional().meta({
      description: '`next_after` of the page before.',
      example: '4711',
    }),
    up_to: TransferNumber.optional().meta({
      description:
        '`up_to` of the first page: what was posted since is left out, so that the pages are one statement.',
      example: '5000',
    }),
    format: z
      .enum(['json', 'csv'])
      .optional()
      .meta({ description: 'In place of `Accept`, for a link that people open.' }),
    limit: pageQuery.limit,
  })
  .refine(({ from, to }) => inOrder(periodOf(from, to)), {
    path: ['to'],
    error: 'expected a time after `from`',
  });

const inOrder = ({ from, to }: ReturnType<typeof periodOf>) => from === null || to === null || from < to;

/** A spreadsheet holds 1 048 576 lines. */
const CSV_LINES_MAX = 1_000_000;
/** 200 000 lines took 8 s on a machine with ten times the work that it has cores for; who reads more slowly asks for shorter periods. */
const CSV_SECONDS_MAX = 120;

const StatementBody = z.object({
  account: Account.meta({ description: 'The account, with its balance of now.' }),
  opening_balance: uzs('The balance before the period.'),
  opening_micros: micros('The same.'),
  closing_balance: uzs('The balance at the end of the period, or now where that is sooner.'),
  closing_micros: micros('The same.'),
  up_to: z.string().meta({
    description: 'The last number of the book that is looked at; send it with each further page.',
    example: '5000',
  }),
  data: z.array(Line).meta({ description: 'The transfers of this page.' }),
  next_after: nextAfter,
});

const showStatement = ({ reads }: FinanceParts) =>
  defineStaffRoute({
    method: 'get',
    path: '/finance/accounts/{id}/transfers',
    tag,
    summary: 'Show a statement',
    description:
      'The transfers of an account in a period, in the order of their numbers, with its balance before the first and after the last. ' +
      'By JSON in pages: send `next_after` of the page before as `after`, and its `up_to`. By text/csv the whole period in one file, ' +
      `of at most ${spaced(CSV_LINES_MAX)} transfers; \`after\` and \`limit\` are for pages alone.`,
    action: 'finance.read',
    params: ById,
    query: StatementQuery,
    csv:
      'RFC 4180: a heading, a line a transfer, and a last line `total` with their count, their sum, and the balances before the first and after the ' +
      'last. A file without it is not whole. A text that a spreadsheet would take for a formula has an apostrophe in front; a number stays one.',
    answers: {
      200: {
        description: 'The statement.',
        schema: StatementBody,
      },
    },
    problems: [404, 422],
    async handle({ params, query, wantsCsv }) {
      const account = await accountOf(reads, params.id);
      const upTo = query.up_to === undefined ? null : BigInt(query.up_to);
      const statement = await reads.statement(account.id, periodOf(query.from, query.to), upTo);
      if (query.format === 'csv' || (query.format === undefined && wantsCsv))
        return csvAnswer(reads, statement);
      return pageAnswer(reads, account, statement, query);
    },
  });

interface PageAsked {
  readonly after?: string | undefined;
  readonly limit: number;
}

async function pageAnswer(
  reads: LedgerReads,
  account: AccountView,
  statement: Statement,
  { after, limit }: PageAsked,
): Promise<Answer> {
  const { opening, closing, upTo } = statement;
  const seen = after === undefined ? statement.after : BigInt(after);
  const span = { ...statement, after: seen > statement.after ? seen : statement.after };
  const { rows, hasMore } = await reads.lines(span, limit);
  const body = {
    account: accountBody(account),
    opening_balance: uzsOf(opening),
    opening_micros: opening.toString(),
    closing_balance: uzsOf(closing),
    closing_micros: closing.toString(),
    up_to: upTo.toString(),
    data: rows.map(lineBody),
    next_after: hasMore ? (rows.at(-1)?.n.toString() ?? null) : null,
  };
  return { status: 200, body };
}

async function csvAnswer(reads: LedgerReads, statement: Statement): Promise<Answer> {
  const count = await reads.countLines(statement, CSV_LINES_MAX + 1);
  if (count > CSV_LINES_MAX)
    throw new Problem(
      422,
      'statement-too-long',
      `The period has more than ${CSV_LINES_MAX} transfers of this account. Ask for a shorter one.`,
    );
  return {
    status: 200,
    body: undefined,
    file: {
      name: `statement-${statement.account}.csv`,
      mediaType: 'text/csv; charset=utf-8',
      secondsMax: CSV_SECONDS_MAX,
      chunks: (signal) => statementCsv(reads, statement, signal),
    },
  };
}

const Day = z.object({
  day: z.iso.date().meta({ description: 'A day of Asia/Tashkent.' }),
  block: z.string().meta({ description: 'The block that it ended with.', example: '3' }),
  up_to: z.string().meta({ description: 'The number of its last transfer.', example: '5000' }),
  totals: z
    .array(
      z.object({
        class: ownerFields.class,
        balance: uzs('Of all its accounts, since the book began.'),
        balance_micros: micros('The same.'),
      }),
    )
    .meta({ description: 'By class of account; they add up to 0.' }),
  head: z.string().meta({ description: 'The hash of that block, in hex: it stands for all before it.' }),
  jws: z.string().meta({
    description:
      'Day, totals and head, signed: `navbat ledger verify --from` reads them. A key of `/.well-known/jwks.json` checks it.',
  }),
  chat_sent_at: z
    .date()
    .nullable()
    .meta({ description: 'When it went to the chat of finance; null until then.' }),
  witness_sent_at: z
    .date()
    .nullable()
    .meta({ description: 'When LEDGER_WITNESS_URL took it; null until then, or where none is set.' }),
});

const dayBody = ({ day, block, upTo, totals, head, jws, chatSentAt, witnessSentAt }: ClosedDay) => ({
  day,
  block: block.toString(),
  up_to: upTo.toString(),
  totals: totals.map((total) => ({
    class: total.class,
    balance: uzsOf(total.balance),
    balance_micros: total.balance.toString(),
  })),
  head,
  jws,
  chat_sent_at: chatSentAt,
  witness_sent_at: witnessSentAt,
});

const listDays = ({ reads }: FinanceParts) =>
  defineStaffRoute({
    method: 'get',
    path: '/finance/ledger/days',
    tag,
    summary: 'List signed days',
    description:
      'What each day of Asia/Tashkent ended with, the newest first: totals, head and signature, and whether they were sent outside.',
    action: 'finance.read',
    query: z.object({
      limit: pageQuery.limit,
      after: DayField.optional().meta({
        description: '`next_after` of the page before.',
        example: '2026-11-29',
      }),
    }),
    answers: {
      200: {
        description: 'A page of days.',
        schema: z.object({
          data: z.array(Day),
          next_after: nextAfter.meta({
            description: 'Send it as `after` for the next page; null on the last.',
            example: '2026-11-29',
          }),
        }),
      },
    },
    async handle({ query: { limit, after } }) {
      const { rows, hasMore } = await reads.days({ after: after ?? null, limit });
      const next = hasMore ? (rows.at(-1)?.day ?? null) : null;
      return { status: 200, body: { data: rows.map(dayBody), next_after: next } };
    },
  });
