import fc from 'fast-check';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { periodOf, type Period } from '../../../../domain/pay/ledger/period.ts';
import { AccountId } from '../../../../domain/pay/ledger/accounts.ts';
import type { LedgerReads, StatementLine, StatementSpan } from '../../../../domain/pay/ledger/reads.ts';
import { ProjectId } from '../../../../domain/shared/ids.ts';
import { inTransaction } from '../../../../infra/postgres/engine/transaction.ts';
import { ledgerReads } from '../../../../infra/postgres/pay/ledger/reads.ts';
import { type ChainedBook, DAY_MS, openChainedBook } from './chained-book.ts';

const RUNS = 30;
const DAYS = 4;
const BATCHES_A_DAY = 8;
const PROPERTY_MS = 120_000;

let book: ChainedBook;
let reads: LedgerReads;
let accounts: readonly AccountId[];
/** Noon of Tashkent, when the first transfer was posted. */
let begunMs: number;

/** Four days, a few transfers each three hours, and nothing else at the same time. */
beforeAll(async () => {
  book = await openChainedBook();
  reads = ledgerReads(book.app, ProjectId.parse(book.book));
  begunMs = book.now().getTime();
  for (let batch = 0; batch < DAYS * BATCHES_A_DAY; batch++) {
    await book.moveTo((batch * DAY_MS) / BATCHES_A_DAY);
    await book.post(1 + ((batch * 7) % 13));
  }
  const { rows } = await book.app.query<{ id: string }>(
    'select id from ledger_account where project_id = $1 order by id',
    [book.book],
  );
  accounts = rows.map(({ id }) => AccountId.parse(id));
}, PROPERTY_MS);
afterAll(() => book.close());

async function pagesOf(span: StatementSpan, limit: number): Promise<StatementLine[]> {
  const lines: StatementLine[] = [];
  for (let [after, hasMore] = [span.after, true]; hasMore;) {
    const page = await reads.lines({ ...span, after }, limit);
    lines.push(...page.rows);
    after = page.rows.at(-1)?.n ?? after;
    ({ hasMore } = page);
  }
  return lines;
}

/** Any instants of the four days and around them; null is without an end. */
const instant = fc.option(fc.integer({ min: -1, max: (DAYS + 1) * 24 }), { freq: 5 });
const periods = fc.tuple(instant, instant).map(([from, to]): Period => {
  const [first, last] = from !== null && to !== null && from > to ? [to, from] : [from, to];
  const at = (hours: number | null) => (hours === null ? null : BigInt(begunMs + hours * 3_600_000) * 1_000n);
  return { from: at(first), to: at(last) };
});

const sumOf = (lines: readonly StatementLine[]) => lines.reduce((sum, { amount }) => sum + amount, 0n);

describe('a statement', () => {
  test(
    'of any account and period: the opening balance and the sum of the lines are the closing balance; over all accounts they are nothing',
    async () => {
      await fc.assert(
        fc.asyncProperty(periods, fc.integer({ min: 1, max: 40 }), async (period, limit) => {
          let [openings, moved, closings] = [0n, 0n, 0n];
          for (const account of accounts) {
            const statement = await reads.statement(account, period, null);
            const lines = await pagesOf(statement, limit);
            expect(statement.opening + sumOf(lines)).toBe(statement.closing);
            let balance = statement.opening;
            for (const line of lines) {
              expect([line.before, line.after]).toEqual([balance, balance + line.amount]);
              balance = line.after;
              const posted = periodOf(line.postedAt, undefined).from ?? 0n;
              expect(period.from === null || posted >= period.from).toBe(true);
              expect(period.to === null || posted < period.to).toBe(true);
            }
            openings += statement.opening;
            moved += sumOf(lines);
            closings += statement.closing;
          }
          expect([openings, moved, closings]).toEqual([0n, 0n, 0n]);
        }),
        { numRuns: RUNS },
      );
    },
    PROPERTY_MS,
  );

  test('of the whole time has every transfer twice, and ends with the balance of the account', async () => {
    const numbers: bigint[] = [];
    for (const account of accounts) {
      const statement = await reads.statement(account, { from: null, to: null }, null);
      numbers.push(...(await pagesOf(statement, 7)).map(({ n }) => n));
      expect(statement.opening).toBe(0n);
      expect(statement.closing).toBe((await reads.account(account))?.balance);
    }
    const { rows } = await book.app.query<{ n: string }>(
      'select n from ledger_transfer where project_id = $1',
      [book.book],
    );
    expect(numbers.toSorted((a, b) => Number(a - b))).toEqual(
      rows.flatMap(({ n }) => [BigInt(n), BigInt(n)]).toSorted((a, b) => Number(a - b)),
    );
  });

  test('from the very time of a transfer has it, and until that time has not, by the last digit', async () => {
    const earnings = AccountId.parse(book.earnings);
    const whole = await pagesOf(await reads.statement(earnings, { from: null, to: null }, null), 1_000);
    const middle = whole[Math.floor(whole.length / 2)]?.postedAt ?? '';
    const at = periodOf(middle, undefined).from ?? 0n;
    const of = async (from: bigint | null, to: bigint | null) =>
      (await pagesOf(await reads.statement(earnings, { from, to }, null), 1_000)).map(
        ({ postedAt }) => postedAt,
      );
    const times = whole.map(({ postedAt }) => postedAt);
    expect(await of(at, null)).toEqual(times.filter((time) => time >= middle));
    expect(await of(null, at)).toEqual(times.filter((time) => time < middle));
    expect(await of(at, at + 1n)).toEqual(times.filter((time) => time === middle));
  });

  test('of neighbouring days has each transfer in one of them', async () => {
    const earnings = AccountId.parse(book.earnings);
    const whole = await pagesOf(await reads.statement(earnings, { from: null, to: null }, null), 1_000);
    const parts: StatementLine[] = [];
    for (let day = 0; day <= DAYS; day++) {
      const name = new Date(begunMs + day * DAY_MS).toISOString().slice(0, 10);
      parts.push(...(await pagesOf(await reads.statement(earnings, periodOf(name, name), null), 1_000)));
    }
    expect(parts).toEqual(whole);
    expect(whole.length).toBeGreaterThan(DAYS * BATCHES_A_DAY);
  });

  test('goes on where its first page said it ends, whatever is posted meanwhile', async () => {
    const earnings = AccountId.parse(book.earnings);
    const first = await reads.statement(earnings, { from: null, to: null }, null);
    await book.post(20);
    const again = await reads.statement(earnings, { from: null, to: null }, first.upTo);
    expect(again).toEqual(first);
    const newer = await reads.statement(earnings, { from: null, to: null }, null);
    expect(newer.upTo).toBe(first.upTo + 20n);
    expect((await pagesOf({ ...newer, after: first.upTo }, 100)).length).toBe(16);
  });

  test('skips nothing that a slow poster commits late: until then its number and those behind it are not there', async () => {
    const earnings = AccountId.parse(book.earnings);
    const before = await reads.statement(earnings, { from: null, to: null }, null);
    const { behind } = await inTransaction(book.owner, async (slow) => {
      await slow.query(
        `select from ledger_post($1, '{slow}', '{earn}', array[$2::bigint], array[$3::bigint], '{5}', '{null}', '{2026-11-29}', '{test}')`,
        [book.book, book.earnings, book.people[0]?.available],
      );
      // Held up by the first, whose number is the smaller one.
      const posting = book.post(1);
      await wait(200);
      expect((await reads.statement(earnings, { from: null, to: null }, null)).upTo).toBe(before.upTo);
      return { behind: posting };
    });
    await behind;
    const after = await reads.statement(earnings, { from: null, to: null }, null);
    const lines = await pagesOf({ ...after, after: before.upTo }, 100);
    expect(lines.map(({ n }) => n)).toEqual([before.upTo + 1n, before.upTo + 2n]);
    expect(lines[0]?.key).toBe('slow');
  });

  test('counts its lines no further than it is asked', async () => {
    const statement = await reads.statement(AccountId.parse(book.earnings), { from: null, to: null }, null);
    const lines = await pagesOf(statement, 1_000);
    expect(await reads.countLines(statement, 10_000)).toBe(lines.length);
    expect(await reads.countLines(statement, 5)).toBe(5);
  });

  test('of another book is empty, and its account is not there', async () => {
    const other = ledgerReads(book.app, ProjectId.parse(await book.newBook()));
    const account = AccountId.parse(book.earnings);
    expect(await other.account(account)).toBeNull();
    const statement = await other.statement(account, { from: null, to: null }, null);
    expect(statement).toEqual({ account, after: 0n, upTo: 0n, opening: 0n, closing: 0n });
    expect((await other.lines({ account, after: 0n, upTo: 1_000n }, 10)).rows).toEqual([]);
  });
});

describe('accounts', () => {
  test('come in pages of their order, each once', async () => {
    const seen: string[] = [];
    for (let [after, hasMore]: [AccountId | null, boolean] = [null, true]; hasMore;) {
      const page = await reads.accounts({}, { after, limit: 9 });
      seen.push(...page.rows.map(({ id }) => id));
      after = page.rows.at(-1)?.id ?? null;
      ({ hasMore } = page);
    }
    expect(seen).toEqual(accounts);
  });

  test('are found by class, by owner and by both', async () => {
    const [person] = book.people;
    const of = async (filter: Parameters<LedgerReads['accounts']>[0]) =>
      (await reads.accounts(filter, { after: null, limit: 100 })).rows.map(({ id }) => id);
    expect(await of({ owner: person?.id })).toEqual([person?.available, person?.held]);
    expect(await of({ owner: person?.id, class: 'held' })).toEqual([person?.held]);
    expect(await of({ class: 'held' })).toEqual(
      book.people.map(({ held }) => held).toSorted((a, b) => Number(a) - Number(b)),
    );
    expect(await of({ rail: 'none-like-it' })).toEqual([]);
  });
});
