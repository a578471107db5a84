import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { z } from 'zod';
import { type CliContext, CliError } from '../context.ts';

/** `navbat finance …`: the board's own routes, with the token of a member of staff. It opens no database and decides nothing. */

interface Where {
  readonly url: string;
  readonly tokenFile: string;
}

const URL_DEFAULT = 'http://127.0.0.1:3001';
/** Adding 100 000 payouts takes some 20 calls of the database. */
const ANSWER_MS_MAX = 120_000;

export function financeCommands(program: Command, context: CliContext): void {
  const finance = program
    .command('finance')
    .description('batches of payouts, over HTTP as a member of staff (docs/finance.md)')
    .requiredOption('--token-file <file>', 'holds the token of POST /staff/sessions, and nothing else')
    .option('--url <url>', 'of the board', URL_DEFAULT);
  const say = (answer: unknown) => context.say(JSON.stringify(answer, null, 2));
  const ask = async (work: (board: Board) => Promise<unknown>) => say(await work(boardOf(finance.opts())));
  reading(finance, ask);
  listing(finance, ask);
  making(finance, ask);
  deciding(finance, ask);
}

type Ask = (work: (board: Board) => Promise<unknown>) => Promise<void>;

function reading(finance: Command, ask: Ask): void {
  finance
    .command('inbox')
    .description('what waits for whom')
    .action(() => ask(({ get }) => get('/finance/inbox')));
  finance
    .command('batches')
    .description('the newest batches')
    .action(() => ask(({ get }) => get('/finance/batches')));
  for (const [name, path, words] of [
    ['show', '', 'one batch, and what can be done with it'],
    ['risk', '/risk', 'what to look at before approving'],
    ['items', '/items?limit=100', 'its first hundred lines'],
  ] as const)
    finance
      .command(`${name} <batch>`)
      .description(words)
      .action((batch: string) => ask(({ get }) => get(pathOf(batch) + path)));
}

interface AddOptions {
  readonly payouts?: string;
  readonly source?: string;
  readonly list?: string;
  readonly amountMax?: string;
  readonly dryRun?: boolean;
}

/** What became of lists and their links, and payouts that are not paid. */
function listing(finance: Command, ask: Ask): void {
  finance
    .command('lists')
    .description('the newest lists, and how many of their payees nobody reaches (links.unreachable)')
    .action(() => ask(({ get }) => get('/finance/lists')));
  finance
    .command('lines <list>')
    .description('its first hundred lines: payee, card and link')
    .action((list: string) =>
      ask(({ get }) => get(`/finance/lists/${encodeURIComponent(list)}/lines?limit=100`)),
    );
  finance
    .command('link <payout>')
    .description("sends its payee's link again, to the phone that the payout has")
    .action((payout: string) =>
      ask(
        async ({ send }) =>
          (await send('POST', `/finance/payouts/${encodeURIComponent(payout)}/link`, null)).body,
      ),
    );
  finance
    .command('cancel <payout>')
    .description('one that stands in no batch: its money is back where it was')
    .requiredOption('--reason <reason>')
    .action((payout: string, { reason }: { reason: string }) =>
      ask(
        async ({ send }) =>
          (await send('POST', `/finance/payouts/${encodeURIComponent(payout)}/cancel`, { reason })).body,
      ),
    );
}

function making(finance: Command, ask: Ask): void {
  finance
    .command('create <rail> <name>')
    .description('an empty draft; the rail is multicard or bank-file')
    .action((rail: string, name: string) =>
      ask(async ({ send }) => (await send('POST', '/finance/batches', { rail, name })).body),
    );
  finance
    .command('add <batch>')
    .description('payouts, by a file of ids, one a line, or all that match')
    .option('--payouts <file>')
    .option('--source <source>', 'withdrawal, list or api')
    .option('--list <id>')
    .option('--amount-max <tiyin>')
    .option('--dry-run', 'says how many match, and adds none')
    .action((batch: string, options: AddOptions) => ask(change(batch, 'items', addBody(options))));
  finance
    .command('drop <batch> <line>')
    .description('takes a line out of a draft')
    .action((batch: string, line: string) =>
      ask(async (board) => {
        const { etag } = await board.read(pathOf(batch));
        return (await board.send('DELETE', `${pathOf(batch)}/items/${encodeURIComponent(line)}`, null, etag))
          .body;
      }),
    );
  finance
    .command('submit <batch>')
    .description('freezes it')
    .action((batch: string) => ask(change(batch, 'submit')));
}

/** @throws CliError where the file can't be read. */
function addBody({ payouts, source, list, amountMax, dryRun }: AddOptions): object {
  if (payouts !== undefined) return { payouts: linesOf(payouts) };
  const filter = {
    ...(source === undefined ? {} : { source }),
    ...(list === undefined ? {} : { list_id: list }),
    ...(amountMax === undefined ? {} : { amount_max: amountMax }),
  };
  return { filter, ...(dryRun ? { dry_run: true } : {}) };
}

const linesOf = (path: string): string[] =>
  readText(path)
    .split(/\s+/)
    .filter((line) => line !== '');

interface ApproveOptions {
  readonly total: string;
  readonly code: string;
}

function deciding(finance: Command, ask: Ask): void {
  finance
    .command('approve <batch>')
    .description('what you have read, with a code of the authenticator app')
    .requiredOption('--total <tiyin>', 'as you read it')
    .requiredOption('--code <code>', 'six digits')
    .action((batch: string, options: ApproveOptions) => ask((board) => approve(board, batch, options)));
  finance
    .command('run <batch>')
    .description('now, or at a time')
    .option('--at <time>', 'such as 2026-11-30T09:00:00+05:00')
    .action((batch: string, { at }: { at?: string }) =>
      ask(change(batch, 'run', at === undefined ? {} : { at })),
    );
  for (const act of ['reject', 'withdraw', 'pause', 'cancel-rest'] as const)
    finance
      .command(`${act} <batch>`)
      .requiredOption('--reason <reason>')
      .action((batch: string, { reason }: { reason: string }) => ask(change(batch, act, { reason })));
  for (const act of ['resume', 'close'] as const)
    finance.command(`${act} <batch>`).action((batch: string) => ask(change(batch, act)));
}

const Batch = z.looseObject({
  id: z.uuid(),
  version: z.int(),
  count: z.int(),
  total: z.string(),
  content_hash: z.string().nullable(),
});

async function approve({ read, send }: Board, batch: string, { total, code }: ApproveOptions) {
  const { body, etag } = await read(pathOf(batch));
  const { id, version, count, content_hash: hash, ...shown } = Batch.parse(body);
  if (hash === null) throw new CliError('It is a draft: there is nothing to approve.');
  if (shown.total !== total)
    throw new CliError(`The batch pays ${shown.total} tiyin, and not ${total}. Read it again.`);
  const binds = { action: 'batch.approve', subject: id, version, hash, count, total };
  const proof = await send('POST', '/staff/proofs', { code, binds });
  const { id: proof_id } = z.looseObject({ id: z.uuid() }).parse(proof.body);
  return (await send('POST', `${pathOf(batch)}/approve`, { hash, count, total, proof_id }, etag)).body;
}

/** Of the batch as it is now: what was changed between the two requests is refused. */
const change =
  (batch: string, act: string, body: object = {}) =>
  async ({ read, send }: Board): Promise<unknown> => {
    const { etag } = await read(pathOf(batch));
    return (await send('POST', `${pathOf(batch)}/${act}`, body, etag)).body;
  };

const pathOf = (batch: string) => `/finance/batches/${encodeURIComponent(batch)}`;

interface Answer {
  readonly body: unknown;
  readonly etag: string | null;
}

interface Board {
  readonly read: (path: string) => Promise<Answer>;
  readonly get: (path: string) => Promise<unknown>;
  readonly send: (method: string, path: string, body: object | null, etag?: string | null) => Promise<Answer>;
}

function boardOf({ url, tokenFile }: Where): Board {
  const token = readText(tokenFile).trim();
  const send: Board['send'] = async (method, path, body, etag = null) => {
    const answer = await fetch(new URL(path, url), {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        Accept: 'application/json',
        ...(body ? { 'Content-Type': 'application/json' } : {}),
        ...(etag === null ? {} : { 'If-Match': etag }),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    }).catch((cause: unknown) => {
      throw new CliError(`The board at ${url} does not answer.`, { cause });
    });
    const said: unknown = await answer.json().catch(() => null);
    if (!answer.ok) throw new CliError(wordsOf(answer.status, said));
    return { body: said, etag: answer.headers.get('etag') };
  };
  const read: Board['read'] = (path) => send('GET', path, null);
  return { read, send, get: async (path) => (await read(path)).body };
}

const ProblemBody = z.looseObject({
  type: z.string(),
  detail: z.string(),
  next_step: z.string(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).default([]),
});

/** Said already, or the same for each problem of its type. */
const SAID = new Set(['type', 'title', 'status', 'detail', 'retry', 'next_step', 'docs', 'errors']);

/** A sentence, and a line for each wrong field and for each other member of the problem, such as `version` or `line`. */
function wordsOf(status: number, said: unknown): string {
  const problem = ProblemBody.safeParse(said);
  if (!problem.success) return `The board answered ${status}.`;
  const { type, detail, next_step: next, errors, ...rest } = problem.data;
  return [
    `${type.replace('urn:navbat:problem:', '')}: ${detail} ${next}`,
    ...errors.map(({ pointer, detail: wrong }) => `${pointer}: ${wrong}`),
    ...Object.entries(rest)
      .filter(([name]) => !SAID.has(name))
      .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`),
  ].join('\n');
}

/** @throws CliError */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CliError(`${path} can't be read.`, { cause });
  }
}
