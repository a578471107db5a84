import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asProblem } from '../../../../apps/http/answer.ts';
import { holds } from '../../../../domain/pay/ledger/holds.ts';
import {
  accountClasses,
  type AccountId,
  type Ledger,
  Micros,
  type Transfer,
  transferKinds,
} from '../../../../domain/pay/ledger/port.ts';
import { refusalOf } from '../../../../domain/pay/ledger/refusals.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { openLedger } from '../../../../infra/postgres/pay/ledger/store.ts';
import { openTestBook } from './book.ts';

const eventAt = new Date('2026-11-29T10:00:00Z');
const actor = 'test';
const RAIL = 'sandbox-rail';

let book: Awaited<ReturnType<typeof openTestBook>>;
let ledger: Ledger;
beforeAll(async () => {
  book = await openTestBook();
  ledger = await openLedger(book.pool, book.projectId);
});
afterAll(() => book.close());

const hold = (debit: AccountId, credit: AccountId, amount: bigint, key: string = randomUUID()): Transfer => ({
  key,
  kind: 'hold',
  debit,
  credit,
  amount: Micros.parse(amount),
  subjectId: null,
  eventAt,
  actor,
});

/** A person with so much available. */
async function person(amount: bigint) {
  const { id } = await book.person(amount);
  const [available, held] = await ledger.open([
    { class: 'available', owner: id },
    { class: 'held', owner: id },
  ]);
  if (available === undefined || held === undefined) throw new Error('no accounts');
  const balances = async () => (await ledger.balances([available, held])).map(({ balance }) => balance);
  return { id, available, held, balances };
}

describe('a ledger', () => {
  test('knows the classes and kinds that the database has, and no others', async () => {
    const classes = await book.pool.query<{ owned_by: string; class: string }>(
      'select owned_by, class from ledger_class',
    );
    const known = Object.entries(accountClasses).flatMap(([owner, names]) =>
      names.map((name) => `${owner} ${name}`),
    );
    expect(classes.rows.map((row) => `${row.owned_by} ${row.class}`).toSorted()).toEqual(known.toSorted());
    const kinds = await book.pool.query<{ kind: string }>('select distinct kind from ledger_move order by 1');
    expect(kinds.rows.map(({ kind }) => kind)).toEqual([...transferKinds].toSorted());
  });

  test('opens an account once, whoever asks and however often', async () => {
    const owner = randomUUID();
    const names = [
      { class: 'available', owner },
      { class: 'clearing', rail: RAIL },
      { class: 'available', owner },
      { class: 'fee' },
    ] as const;
    const asked = await Promise.all(Array.from({ length: 20 }, () => ledger.open(names)));
    expect(new Set(asked.map((ids) => ids.join(' '))).size).toBe(1);
    expect(new Set(asked[0]).size).toBe(3);
  });

  test('joins what is posted at once into few calls, and answers each by itself', async () => {
    const { available, held, balances } = await person(60n);
    const before = await book.transfers();
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => ledger.post(hold(available, held, 1n))),
    );
    const ns = answers.flatMap((answer) => (answer.ok ? [answer.n] : []));
    expect(new Set(ns).size).toBe(60);
    expect(answers.filter((answer) => !answer.ok && answer.reason === 'insufficient')).toHaveLength(40);
    expect(await balances()).toEqual([0n, 60n]);
    expect(await book.transfers()).toBe(before + 60);
    const commits = await book.pool.query(
      'select from ledger_transfer where n = any ($1) and project_id = $2 group by posted_at',
      [ns, book.projectId],
    );
    expect(commits.rowCount).toBeLessThan(10);
  });

  test('posts all or none, and burns no key by none', async () => {
    const { available, held, balances } = await person(10n);
    const [first, second] = [hold(available, held, 6n), hold(available, held, 5n)];
    expect(await ledger.postAll([first, second])).toEqual({ ok: false, reason: 'insufficient' });
    expect(await balances()).toEqual([10n, 0n]);
    expect(await ledger.find(first.key)).toBeNull();
    const less = hold(available, held, 4n, second.key);
    expect(await ledger.postAll([first, less])).toMatchObject({ ok: true });
    expect(await ledger.postAll([first, less])).toMatchObject({
      ok: true,
      posted: [{ repeated: true }, { repeated: true }],
    });
    expect(await ledger.postAll([{ ...first, kind: 'pay' }])).toEqual({ ok: false, reason: 'key-reused' });
    expect(await ledger.find(first.key)).toMatchObject({ ...first, n: expect.any(BigInt) });
  });

  test('that is held by another for too long answers both who post that it is busy, and nothing is posted', async () => {
    const { available, held, balances } = await person(10n);
    const holder = await book.owner.connect();
    try {
      await holder.query('begin');
      await holder.query('select from ledger_book where project_id = $1 for update', [book.projectId]);
      const posts = await Promise.allSettled([
        ledger.post(hold(available, held, 1n)),
        ledger.post(hold(available, held, 2n)),
      ]);
      for (const post of posts) {
        expect(post).toMatchObject({ status: 'rejected', reason: { name: 'LedgerBusyError' } });
        expect(asProblem(post.status === 'rejected' && post.reason)).toMatchObject({
          status: 503,
          type: 'in-progress',
        });
      }
      await holder.query('rollback');
    } finally {
      holder.release(true);
    }
    expect(await balances()).toEqual([10n, 0n]);
  });

  test('refuses 1 001 names of accounts in one call of the function', async () => {
    const call = (count: number) =>
      book.pool.query(
        `select from ledger_open($1, array_fill('fee'::text, array[$2::int]), array_fill(null::uuid, array[$2]), array_fill(null::text, array[$2]))`,
        [book.projectId, count],
      );
    expect((await call(1_000)).rowCount).toBe(1_000);
    await expect(call(1_001)).rejects.toMatchObject({ code: 'NB004' });
  });

  test('counts each transfer of one call in the version of an account', async () => {
    const { available, held } = await person(10n);
    const version = async () => (await ledger.balances([held]))[0]?.version;
    expect(await version()).toBe(0n);
    await book.post([
      { key: randomUUID(), kind: 'hold', debit: available, credit: held, amount: 1n },
      { key: randomUUID(), kind: 'hold', debit: available, credit: held, amount: 2n },
    ]);
    expect(await version()).toBe(2n);
  });

  test('refuses a book of a project that does not exist', async () => {
    await expect(openLedger(book.pool, randomUUID() as ProjectId)).rejects.toMatchObject({ code: 'NB003' });
  });

  test('fails one card number in a batch, and not what is posted with it', async () => {
    const { available, held, balances } = await person(10n);
    const bad = hold(available, held, 1n, 'card:8600-4954-7331-6478');
    const [good, refused] = await Promise.allSettled([
      ledger.post(hold(available, held, 2n)),
      ledger.post(bad),
    ]);
    expect(good).toMatchObject({ status: 'fulfilled', value: { ok: true } });
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'NB004' } });
    expect(await balances()).toEqual([8n, 2n]);
  });
});

test('a state of the functions is the refusal of a transfer, or none', () => {
  expect(['NB001', 'NB002', 'NB003', 'NB009', '23505'].map(refusalOf)).toEqual([
    'insufficient',
    'key-reused',
    'no-such-move',
    null,
    null,
  ]);
});

describe('a hold', () => {
  test('is paid with a fee out of it, or given back; of both, what came first counts', async () => {
    const { id, balances } = await person(100n);
    const { hold: holdMoney, settle, release } = holds(ledger);
    const act = (subjectId: string) => ({ subjectId, eventAt, actor });
    const from = { kind: 'person', id } as const;
    const [paid, back] = [randomUUID(), randomUUID()];
    for (const subject of [paid, back])
      expect(await holdMoney({ from, amount: Micros.parse(40n), ...act(subject) })).toMatchObject({
        ok: true,
      });
    expect(await balances()).toEqual([20n, 80n]);

    const settled = { rail: RAIL, fee: 3n, ...act(paid) };
    expect(await settle(settled)).toEqual({ ok: true, repeated: false });
    expect(await settle(settled)).toEqual({ ok: true, repeated: true });
    expect(await release(act(paid))).toEqual({ ok: false, reason: 'resolved' });
    expect(await settle({ ...settled, fee: 2n })).toEqual({ ok: false, reason: 'resolved' });
    expect(await balances()).toEqual([20n, 40n]);

    expect(await release(act(back))).toEqual({ ok: true, repeated: false });
    expect(await settle({ rail: RAIL, fee: 0n, ...act(back) })).toEqual({ ok: false, reason: 'resolved' });
    expect(await balances()).toEqual([60n, 0n]);
    expect(await release(act(randomUUID()))).toEqual({ ok: false, reason: 'no-such-hold' });
  });

  test('whose money was moved past it is a fault that is heard, and is not called resolved', async () => {
    const { id, available, held } = await person(10n);
    const { hold: holdMoney, release } = holds(ledger);
    const act = { subjectId: randomUUID(), eventAt, actor };
    await holdMoney({ from: { kind: 'person', id }, amount: Micros.parse(10n), ...act });
    await ledger.post({ ...hold(held, available, 5n), kind: 'release' });
    await expect(release(act)).rejects.toThrow("a hold can't be resolved: insufficient");
  });

  test('of a project is taken off what it has paid in', async () => {
    const { projectId } = await book.makeProject();
    const [bank, funded, fundedHeld] = await ledger.open([
      { class: 'bank' },
      { class: 'funded', owner: projectId },
      { class: 'funded-held', owner: projectId },
    ]);
    if (!bank || !funded || !fundedHeld) throw new Error('no accounts');
    const topUp = { ...hold(bank, funded, 10n), kind: 'top-up' } as const;
    expect(await ledger.post(topUp)).toMatchObject({ ok: true });
    const { hold: holdMoney, settle } = holds(ledger);
    const act = { subjectId: randomUUID(), eventAt, actor };
    const from = { kind: 'project', id: projectId } as const;
    expect(await holdMoney({ from, amount: Micros.parse(10n), ...act })).toMatchObject({ ok: true });
    expect(await settle({ rail: RAIL, fee: 1n, ...act })).toEqual({ ok: true, repeated: false });
    expect((await ledger.balances([funded, fundedHeld])).map(({ balance }) => balance)).toEqual([0n, 0n]);
  });

  // Design §1.8.
  test('100 settlements and releases at once: one wins, and the money moves once', async () => {
    const { id, balances } = await person(10n);
    const { hold: holdMoney, settle, release } = holds(ledger);
    const act = { subjectId: randomUUID(), eventAt, actor };
    await holdMoney({ from: { kind: 'person', id }, amount: Micros.parse(10n), ...act });
    const [clearing = ''] = await ledger.open([{ class: 'clearing', rail: RAIL }]);
    const before = await book.balance(clearing);
    const ends = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const way = i % 2 === 0 ? 'settled' : 'released';
        return {
          way,
          end: way === 'settled' ? await settle({ rail: RAIL, fee: 1n, ...act }) : await release(act),
        };
      }),
    );
    const won = ends.filter(({ end }) => end.ok && !end.repeated);
    expect(won).toHaveLength(1);
    const ways = new Set(ends.filter(({ end }) => end.ok).map(({ way }) => way));
    expect([...ways]).toEqual([won[0]?.way]);
    const isPaid = won[0]?.way === 'settled';
    expect(await balances()).toEqual([isPaid ? 0n : 10n, 0n]);
    expect(await book.balance(clearing)).toBe(before + (isPaid ? 9n : 0n));
  });
});
