import { createHash } from 'node:crypto';
import { z } from 'zod';
import { holdsCardNumber, readsAsCardNumber } from '../../../domain/pay/list/card-number.ts';
import type { ListFault } from '../../../domain/pay/list/faults.ts';
import { FILE_BYTES_MAX, type ListRail, listRails, uzsOfTiyin } from '../../../domain/pay/list/limits.ts';
import type {
  ListedPayout,
  ListImported,
  Lists,
  ListView,
  RepeatedLine,
} from '../../../domain/pay/list/port.ts';
import type { ReadList } from '../../../domain/pay/list/read-list.ts';
import type { ProjectId } from '../../../domain/shared/ids.ts';
import { maskPhone } from '../../../domain/shared/phone.ts';
import { VISIBLE_LINE } from '../../../domain/shared/visible-line.ts';
import { INT_MAX } from '../../http/fields.ts';
import { pageQuery } from '../../http/page.ts';
import { moneyProblem } from '../../http/pay/money-problem.ts';
import { Problem } from '../../http/problem.ts';
import { type Answer, defineStaffRoute, type StaffRoute, type Upload } from '../../http/route.ts';

const tag = 'Finance';

export interface ListParts {
  readonly lists: Lists;
  readonly readList: (bytes: Uint8Array, rail: ListRail) => Promise<ReadList>;
  /** The project that the money is of: it pays where the request names no other. */
  readonly book: ProjectId;
}

/** Finance's own lists: what is in a file, and what became of it. */
export const listRoutes = (parts: ListParts): StaffRoute[] => [
  importList(parts),
  listLists(parts),
  showList(parts),
  showLines(parts),
];

const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
const upload: Upload = {
  mediaTypes: [XLSX, 'text/csv', 'application/octet-stream'],
  bytesMax: FILE_BYTES_MAX,
};

const tiyin = (description: string) =>
  z.string().meta({ description: `${description} In tiyin, exact.`, example: '123450' });
const uzs = (description: string) =>
  z.string().meta({ description: `${description} In UZS.`, example: '1234.50' });

const Fault = z.object({
  line: z.int().meta({ description: 'Its number in the file, from 1.', example: 4 }),
  column: z.string().nullable().meta({
    description: "The column's letter and heading; null where it is the whole line or file.",
    example: 'C, Summa',
  }),
  code: z.string().meta({ description: 'What is wrong.', example: 'amount-ambiguous' }),
  found: z
    .string()
    .nullable()
    .meta({ description: 'What is there; never the number of a card.', example: '1,234' }),
  expected: z.string().meta({ description: 'What was expected.' }),
  next: z.string().meta({ description: 'What to do.' }),
});

const Repeat = z.object({
  line: z.int().meta({ description: 'Its number in the file.' }),
  list: z.string().meta({ description: 'The list that paid the same phone the same amount.' }),
  at: z.date().meta({ description: 'When that list was imported.' }),
});

const DryRun = z.object({
  lines: z.int().meta({ description: 'Lines that are right.', example: 500 }),
  total: tiyin('What they pay.'),
  total_uzs: uzs('The same.'),
  funds: tiyin('What the project may still pay out.'),
  missing: tiyin('How much of the total it lacks; 0 where it lacks nothing.'),
  faults: z
    .array(Fault)
    .meta({ description: 'What keeps the list from being imported, in the order of the file.' }),
  faults_total: z.int().meta({ description: 'How many there are; `faults` has the first 10 000.' }),
  repeats: z.array(Repeat).meta({
    description:
      'Lines that pay what a list of the last 90 days paid the same phone; `repeats=allowed` imports them.',
  }),
});

const List = z.object({
  id: z.uuid().meta({ description: 'Its id.' }),
  name: z.string().meta({ description: 'As it was imported.', example: 'Grants of November' }),
  funder: z.uuid().meta({ description: 'The project whose money pays it.' }),
  rail: z.string().meta({ description: 'By which it is paid.', example: 'multicard' }),
  lines: z.int().meta({ description: 'How many payouts it has.', example: 500 }),
  total: tiyin('What it pays.'),
  total_uzs: uzs('The same.'),
  sha256: z.string().meta({ description: 'Of the file, in hex.' }),
  imported_by: z.uuid().meta({ description: 'The member of staff; they approve none of it.' }),
  at: z.date().meta({ description: 'When it was imported.' }),
  states: z.record(z.string(), z.int()).meta({
    description: 'How many of its payouts are in which state.',
    example: { pending: 250, 'awaiting-card': 250 },
  }),
  links: z
    .object({
      sent: z.int().meta({ description: 'Have a link that the bot or a provider of SMS took.' }),
      waiting: z.int().meta({ description: 'Are sent one now.' }),
      unreachable: z.int().meta({
        description:
          'Nobody reaches: no chat with the bot, and no SMS that arrives. Tried again a day later, and as soon as they come to the bot.',
      }),
    })
    .meta({ description: 'Of the payees in `awaiting-card`, how many have their link.' }),
});

const listBody = ({ total, sha256, importedBy, ...list }: ListView) => ({
  ...list,
  total: total.toString(),
  total_uzs: uzsOfTiyin(total),
  sha256: sha256.toString('hex'),
  imported_by: importedBy,
});

const NAME_MAX = 100;
const ImportQuery = z
  .object({
    name: z
      .string()
      .max(NAME_MAX)
      .regex(VISIBLE_LINE, 'expected one line of visible text')
      .refine((name) => !readsAsCardNumber(name), 'expected no number of a card')
      .optional()
      .meta({
        description: 'What it is for people; needed unless `dry_run`.',
        example: 'Grants of November',
      }),
    rail: z.enum(listRails).default('multicard').meta({ description: 'By which it is to be paid.' }),
    funder: z
      .uuid()
      .optional()
      .meta({ description: "The project whose money pays it; the book's own where absent." }),
    dry_run: z
      .enum(['true', 'false'])
      .default('false')
      .transform((text) => text === 'true')
      .meta({ description: '`true`: says all that is wrong, and changes nothing.' }),
    repeats: z
      .enum(['allowed'])
      .optional()
      .meta({ description: 'Imports lines that an earlier list has paid, too.' }),
  })
  .refine(({ name, dry_run }) => name !== undefined || dry_run, {
    path: ['name'],
    error: 'expected a name for the list',
  });

const importList = ({ lists, readList, book }: ListParts) =>
  defineStaffRoute({
    method: 'post',
    path: '/finance/lists',
    tag,
    summary: 'Import a list',
    description:
      'The bytes of an XLSX or CSV file, whatever it is called: its first sheet, with the columns phone, name, amount (in UZS) and purpose, and by ' +
      '`bank-file` account and bank code, under headings in Uzbek, Russian or English. All lines become payouts whose amounts are held, or ' +
      'none does. A payee without a card is sent a link. The same Idempotency-Key with the same file is answered with the same list; a dry run needs none.',
    action: 'batch.make',
    idempotent: 'required',
    query: ImportQuery,
    upload,
    answers: {
      200: {
        description: 'What the file holds, of a dry run; or the list, where the key was used before.',
        schema: z.union([DryRun, List]),
      },
      201: { description: 'The list.', schema: List },
    },
    problems: [409, 422],
    async handle({ query, bytes, staff, idempotencyKey, now }) {
      const read = await readList(bytes, query.rail);
      const funder = query.funder ?? book;
      if (query.dry_run) return dryRun(lists, read, funder, now);
      refuseFaults(read);
      const sha256 = createHash('sha256').update(bytes).digest();
      const { name = '', rail, repeats = 'refused' } = query;
      const { lines, total } = read;
      const by = { staffId: staff.id, key: keyOf(idempotencyKey), funder };
      const done = await lists.import({ ...by, name, rail, sha256, lines, total, repeats, at: now });
      return importedAnswer(lists, done);
    },
  });

async function dryRun(lists: Lists, read: ReadList, funder: string, now: Date): Promise<Answer> {
  const [funds, repeats] = await Promise.all([lists.funds(funder), lists.repeats(read.lines, now)]);
  const missing = read.total > funds ? read.total - funds : 0n;
  const body = {
    lines: read.lines.length,
    total: read.total.toString(),
    total_uzs: uzsOfTiyin(read.total),
    funds: funds.toString(),
    missing: missing.toString(),
    faults: read.faults,
    faults_total: read.faultsTotal,
    repeats,
  };
  return { status: 200, body };
}

/** Shown of many; the dry run has all. */
const SHOWN_MAX = 20;
const toDryRun = 'Ask with `dry_run=true` for all.';

function refuseFaults({ faults, faultsTotal }: ReadList): void {
  if (faultsTotal === 0) return;
  const pointerOf = ({ line, column }: ListFault) =>
    column === null ? `line ${line}` : `line ${line}, ${column}`;
  const errors = faults.slice(0, SHOWN_MAX).map((fault) => ({
    pointer: pointerOf(fault),
    detail: `${fault.found === null ? '' : `${fault.found}: `}expected ${fault.expected}. ${fault.next}`,
  }));
  throw new Problem(
    422,
    'list-faulty',
    `${faultsTotal} values are wrong; nothing was imported. ${toDryRun}`,
    { errors },
  );
}

function repeatsProblem(repeats: readonly RepeatedLine[]): Problem {
  const errors = repeats.slice(0, SHOWN_MAX).map(({ line, list, at }) => ({
    pointer: `line ${line}`,
    detail: `the list ${list} of ${at.toISOString().slice(0, 10)} pays this phone this amount`,
  }));
  return new Problem(
    422,
    'list-repeats',
    `${repeats.length} lines pay what a list of the last 90 days paid. ${toDryRun}`,
    { errors },
  );
}

function keyOf(key: string | null): string {
  if (key === null) throw new Error('the route asks for a key');
  if (!holdsCardNumber(key)) return key;
  throw new Problem(400, 'idempotency-key-is-card', 'The Idempotency-Key holds the number of a card.');
}

async function importedAnswer(lists: Lists, done: ListImported): Promise<Answer> {
  if (!done.ok) throw refusalProblem(done.refusal);
  const list = await lists.find(done.id);
  if (!list) throw new Error(`no list ${done.id}`);
  const body = listBody(list);
  return done.repeated
    ? { status: 200, body, headers: { 'Idempotent-Replayed': 'true' } }
    : { status: 201, body };
}

/** @throws where it is refused for what no list does. */
function refusalProblem(refusal: Extract<ListImported, { readonly ok: false }>['refusal']): Problem {
  const { kind } = refusal;
  if (kind === 'repeats') return repeatsProblem(refusal.lines);
  if (kind === 'funds-missing')
    return new Problem(
      422,
      'list-unfunded',
      `The project that \`funder\` names lacks ${uzsOfTiyin(refusal.tiyin)} UZS; without \`funder\` it is Navbat's own.`,
      {
        extra: { missing: refusal.tiyin.toString() },
      },
    );
  if (kind === 'insufficient')
    return new Problem(422, 'list-unfunded', 'The money of the project was spent in the same moment.');
  if (kind === 'key-reused')
    return new Problem(422, 'idempotency-key-reused', 'This Idempotency-Key stands for another list.');
  if (kind === 'role') return new Problem(403, 'role-forbids', 'Only finance imports lists.');
  // Of `not-payable`, a payee's accounts: sent again it is refused again.
  if (kind === 'not-payable' || kind === 'busy') return moneyProblem(refusal);
  throw new Error(`a list was refused: ${kind}`);
}

const listLists = ({ lists }: ListParts) =>
  defineStaffRoute({
    method: 'get',
    path: '/finance/lists',
    tag,
    summary: 'List the lists',
    description: 'The newest first, with how many of their payouts are in which state.',
    action: 'finance.read',
    query: z.object({
      limit: pageQuery.limit,
      after: z.uuid().optional().meta({ description: '`next_after` of the page before.' }),
    }),
    answers: {
      200: {
        description: 'A page of lists.',
        schema: z.object({
          data: z.array(List),
          next_after: z
            .uuid()
            .nullable()
            .meta({ description: 'Send it as `after` for the next page; null on the last.' }),
        }),
      },
    },
    async handle({ query: { limit, after } }) {
      const { rows, hasMore } = await lists.page(after ?? null, limit);
      return {
        status: 200,
        body: { data: rows.map(listBody), next_after: hasMore ? (rows.at(-1)?.id ?? null) : null },
      };
    },
  });

const ById = z.object({ id: z.uuid().meta({ description: 'The id of the list.' }) });

async function listOf(lists: Lists, id: string): Promise<ListView> {
  const list = await lists.find(id);
  if (!list) throw new Problem(404, 'not-found', 'There is no such list.');
  return list;
}

const showList = ({ lists }: ListParts) =>
  defineStaffRoute({
    method: 'get',
    path: '/finance/lists/{id}',
    tag,
    summary: 'Show a list',
    action: 'finance.read',
    params: ById,
    answers: { 200: { description: 'The list.', schema: List } },
    problems: [404],
    async handle({ params }) {
      return { status: 200, body: listBody(await listOf(lists, params.id)) };
    },
  });

const time = (description: string) => z.date().nullable().meta({ description });
const Line = z.object({
  line: z.int().meta({ description: 'Its number in the file.', example: 2 }),
  payout_id: z.uuid().meta({ description: 'The payout that it became.' }),
  phone: z.string().meta({ description: 'Of the payee; not in full.', example: '+998•••••••67' }),
  name: z.string().meta({ description: 'As the list says it.' }),
  purpose: z.string().meta({ description: 'What it is paid for.' }),
  amount: tiyin('What it pays.'),
  amount_uzs: uzs('The same.'),
  state: z.string().meta({ description: 'Of the payout.', example: 'awaiting-card' }),
  reason: z.string().nullable().meta({ description: 'Why it ended so; null where nothing has to be said.' }),
  name_on_card: z
    .string()
    .nullable()
    .meta({ description: 'As the rail tells it; null where it does not, or no card is bound.' }),
  name_score: z.int().nullable().meta({
    description: '0 to 100: how well the name on the card fits. Below 80: look twice.',
    example: 100,
  }),
  last4: z.string().nullable().meta({ description: 'Of the card or account.', example: '1234' }),
  link: z
    .object({
      channel: z
        .string()
        .nullable()
        .meta({ description: 'By which it was sent: `telegram` or `sms`; null until then.', example: 'sms' }),
      sent_at: time('When the bot or a provider of SMS took it; null until then.'),
      failed_at: time('When nobody was found who takes it; null where it was sent, or is on its way.'),
      reason: z.string().nullable().meta({
        description:
          'Why it reached nobody, or what its provider said of it later; null where nothing is wrong.',
        example: 'payee-unreachable',
      }),
      is_reminder: z.boolean().meta({ description: 'It is the second, of the third day.' }),
      opened_at: time('When somebody first went to the form of the rail.'),
      used_at: time('When a card was bound by it.'),
      expires_at: z.date().meta({ description: 'Until when it works.' }),
    })
    .nullable()
    .meta({
      description: 'The latest link; null where none was made, as the payee has a card.',
    }),
});

const lineBody = ({ id, amount, nameOnCard, nameScore, link, phone, ...line }: ListedPayout) => ({
  ...line,
  payout_id: id,
  phone: maskPhone(phone),
  amount: amount.toString(),
  amount_uzs: uzsOfTiyin(amount),
  name_on_card: nameOnCard,
  name_score: nameScore,
  link: link && {
    channel: link.channel,
    sent_at: link.sentAt,
    failed_at: link.failedAt,
    reason: link.reason,
    is_reminder: link.isReminder,
    opened_at: link.openedAt,
    used_at: link.usedAt,
    expires_at: link.expiresAt,
  },
});

const LinesQuery = z.object({
  limit: pageQuery.limit,
  after: z.coerce
    .number()
    .int()
    .min(0)
    .max(INT_MAX)
    .optional()
    .meta({ description: '`next_after` of the page before.', example: 101 }),
});

const showLines = ({ lists }: ListParts) =>
  defineStaffRoute({
    method: 'get',
    path: '/finance/lists/{id}/lines',
    tag,
    summary: 'Show the lines of a list',
    description:
      'In the order of the file: each payee, the card that was bound, how well its name fits, and the link.',
    action: 'finance.read',
    params: ById,
    query: LinesQuery,
    answers: {
      200: {
        description: 'A page of lines.',
        schema: z.object({
          data: z.array(Line),
          next_after: z
            .int()
            .nullable()
            .meta({ description: 'Send it as `after` for the next page; null on the last.' }),
        }),
      },
    },
    problems: [404],
    async handle({ params, query: { limit, after } }) {
      const { id } = await listOf(lists, params.id);
      const { rows, hasMore } = await lists.payouts(id, after ?? 0, limit);
      return {
        status: 200,
        body: { data: rows.map(lineBody), next_after: hasMore ? (rows.at(-1)?.line ?? null) : null },
      };
    },
  });
