import { createHash } from 'node:crypto';
import { tashkentDay } from '../../domain/pay/ledger/head.ts';
import { uzsOf } from '../../domain/pay/ledger/amount.ts';
import type { CardRail, RailPayment } from '../../domain/pay/rail/port.ts';
import { checkHeld, checkRail, type Imbalance } from '../../domain/pay/reconcile/equation.ts';
import type { Difference, Differences, EquationReads, Statements } from '../../domain/pay/reconcile/port.ts';
import { linesOfPayments } from '../../domain/pay/reconcile/read-lines.ts';
import { eachStep } from './each-step.ts';

const HOUR_MS = 3_600_000;
/** After a round of which something failed. */
const FAILED_MS = 60_000;
const DAY_MS = 24 * HOUR_MS;
/** Between two looks whether an hour has passed, or somebody has imported a statement. */
const LOOK_MS = 5_000;
/** A payment is told by the rail within hours. */
const WINDOW_MS = 3 * DAY_MS;
/** Once a day so far back: a payment may come back weeks after it was made. */
const WIDE_WINDOW_MS = 45 * DAY_MS;
/** A page of a hundred each: more than the rail pays in a window. */
const PAGES_MAX = 5_000;
const CALL_MS_MAX = 10_000;
/** What one message names; the routes have all. */
const TOLD_MAX = 10;

export interface ReconcileDeps {
  readonly statements: Statements;
  readonly differences: Differences;
  readonly equation: EquationReads;
  /** Null: no account of it is set, and only what is uploaded is compared. */
  readonly rail: CardRail | null;
  readonly now: () => Date;
  /** To the chat of finance; throws where it was not accepted. Null: there is none. */
  readonly tell: ((text: string) => Promise<void>) | null;
  readonly onFault: (what: 'history' | 'wallet' | 'message', error: unknown) => void;
  readonly onFound: (rail: string, equation: string) => void;
  readonly onStopped: (rails: readonly string[]) => void;
}

/** Every hour, and after each import: what the rail says is taken in, and the books are compared with it to the tiyin. */
export function reconciling(deps: ReconcileDeps): () => Promise<number> {
  let due = new Date(0);
  let wideOn = '';
  let seen: string | null = null;
  const told = new Set<string>();
  return async () => {
    const at = deps.now();
    const newest = await newestStatement(deps);
    if (at < due && newest === seen) return LOOK_MS;
    // Where a step fails the next round is soon, and not at once: the rail is asked in each.
    due = new Date(at.getTime() + FAILED_MS);
    const isWide = tashkentDay(at) !== wideOn;
    await eachStep([
      async () => {
        if (await takeWindows(deps, at, isWide ? WIDE_WINDOW_MS : WINDOW_MS)) wideOn = tashkentDay(at);
      },
      () => deps.differences.findOnlyOurs(),
      () => compare(deps),
      async () => {
        const stopped = await deps.differences.stopRails();
        if (stopped.length > 0) deps.onStopped(stopped);
      },
      () => tell(deps, told),
    ]);
    seen = await newestStatement(deps);
    due = new Date(at.getTime() + HOUR_MS);
    return LOOK_MS;
  };
}

const newestStatement = async ({ statements }: ReconcileDeps): Promise<string | null> =>
  (await statements.list(null, { limit: 1, after: null })).rows[0]?.id ?? null;

/** Window by window, the newest first: what is of today waits for nothing that is of last month. @returns whether the rail told all of it. */
async function takeWindows(deps: ReconcileDeps, now: Date, backMs: number): Promise<boolean> {
  for (let back = 0; back < backMs; back += WINDOW_MS)
    if (!(await takeHistory(deps, new Date(now.getTime() - back)))) return false;
  return true;
}

/** @returns whether the rail told all of the window that ends then. */
async function takeHistory(deps: ReconcileDeps, to: Date): Promise<boolean> {
  const { rail, statements, onFault, onStopped } = deps;
  if (!rail) return false;
  const from = new Date(to.getTime() - WINDOW_MS);
  try {
    const payments = await historyOf(rail, { from, to });
    const lines = linesOfPayments(payments, { keyOf, seenAt: to });
    const { stopped } = await statements.import(
      { rail: rail.id, from, to, lines, file: null },
      { dryRun: false },
    );
    if (stopped.length > 0) onStopped(stopped);
    return true;
  } catch (error) {
    onFault('history', error);
    return false;
  }
}

/** A key of its own for each rail's line; and no number of a card by chance, which hex could make. */
const keyOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

async function historyOf(rail: CardRail, period: { from: Date; to: Date }): Promise<readonly RailPayment[]> {
  const payments: RailPayment[] = [];
  let cursor: string | null = null;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const reply = await rail.history(period, cursor, AbortSignal.timeout(CALL_MS_MAX));
    if (reply.kind !== 'answered') throw new Error(`the history of ${rail.id}: ${whyOf(reply)}`);
    payments.push(...reply.value.payments);
    cursor = reply.value.cursor;
    if (cursor === null) return payments;
  }
  throw new Error(`the history of ${rail.id} has more than ${PAGES_MAX} pages`);
}

const whyOf = (reply: { kind: 'refused'; because: string } | { kind: 'unknown'; why: string }): string =>
  reply.kind === 'refused' ? reply.because : reply.why;

async function compare(deps: ReconcileDeps): Promise<void> {
  const { equation, rail } = deps;
  const books = await equation.books();
  const balance = rail ? await walletOf(deps, rail) : null;
  const ofRail = async (one: (typeof books)['rails'][number]): Promise<void> => {
    const isAsked = one.rail === rail?.id && balance !== null;
    const moving = isAsked ? await equation.movedSince(one.rail, books.at) : one.inFlight;
    const wrong = checkRail(one, isAsked ? balance : null, union(one.inFlight, moving));
    // A wallet that was not read says nothing of what was found before.
    for (const name of isAsked ? (['wallet', 'clearing'] as const) : (['clearing'] as const))
      await record(deps, one.rail, name, wrong);
  };
  await eachStep([
    ...books.rails.map((one) => () => ofRail(one)),
    () => record(deps, 'all', 'held', checkHeld(books.held)),
  ]);
}

const union = <One extends { readonly dispatch: string }>(
  a: readonly One[],
  b: readonly One[],
): readonly One[] => [...new Map([...a, ...b].map((one) => [one.dispatch, one])).values()];

async function walletOf({ onFault }: ReconcileDeps, rail: CardRail): Promise<bigint | null> {
  const reply = await rail.wallet(AbortSignal.timeout(CALL_MS_MAX));
  if (reply.kind === 'answered') return reply.value.balance;
  onFault('wallet', new Error(`the wallet of ${rail.id}: ${whyOf(reply)}`));
  return null;
}

async function record(
  { differences, onFound }: ReconcileDeps,
  rail: string,
  equation: Imbalance['equation'],
  wrong: readonly Imbalance[],
): Promise<void> {
  const by = wrong.find((one) => one.equation === equation)?.by ?? null;
  if (await differences.ofEquation(rail, equation, by)) onFound(rail, equation);
}

/** Each difference that nobody has explained, once of this process; one that was not accepted is told with the next. */
async function tell({ differences, tell: send, onFault }: ReconcileDeps, told: Set<string>): Promise<void> {
  if (!send) return;
  const { rows } = await differences.list({ open: true }, { limit: 100, after: null });
  const news = rows.filter(({ id, note }) => note === null && !told.has(id));
  if (news.length === 0) return;
  try {
    await send(messageOf(news));
    for (const { id } of news) told.add(id);
  } catch (error) {
    onFault('message', error);
  }
}

/** 1 tiyin in the ledger's unit. */
const MICROS = 10_000n;

function messageOf(news: readonly Difference[]): string {
  const lines = news
    .slice(0, TOLD_MAX)
    .map(({ id, rail, bucket, amount }) => `${rail}: ${bucket}, ${uzsOf(amount * MICROS)} UZS (${id})`);
  const more = news.length > TOLD_MAX ? [`and ${news.length - TOLD_MAX} more`] : [];
  return [
    'Money does not fit. No new batch of these rails begins until somebody says why: GET /finance/differences.',
    ...lines,
    ...more,
  ].join('\n');
}
