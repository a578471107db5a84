import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestBook } from './book.ts';

let book: Awaited<ReturnType<typeof openTestBook>>;
beforeAll(async () => {
  book = await openTestBook();
});
afterAll(() => book.close());

const states = (posted: readonly { readonly state: string }[]) => posted.map(({ state }) => state);

describe('a post', () => {
  test('moves from one account to the other, with the next number of the book', async () => {
    const { available, held } = await book.person(10n);
    const [first] = await book.post([
      { key: randomUUID(), kind: 'hold', debit: available, credit: held, amount: 4n },
    ]);
    const [second] = await book.post([
      { key: randomUUID(), kind: 'release', debit: held, credit: available, amount: 1n },
    ]);
    expect([first?.state, second?.state]).toEqual(['posted', 'posted']);
    expect(BigInt(second?.n ?? 0)).toBe(BigInt(first?.n ?? 0) + 1n);
    expect([await book.balance(available), await book.balance(held)]).toEqual([7n, 3n]);
    const { rows } = await book.pool.query(
      'select side, amount, before, after, other from ledger_entry where account = $1 and n = $2',
      [held, first?.n],
    );
    expect(rows).toEqual([{ side: 'credit', amount: '4', before: '0', after: '4', other: available }]);
  });

  test('of the same columns again is the first one, and of others under its key is refused', async () => {
    const { id, available, held } = await book.person(10n);
    const other = await book.person(10n);
    const item = { key: randomUUID(), kind: 'hold', debit: available, credit: held, amount: 4n, subject: id };
    const [first] = await book.post([item]);
    const others = [
      { ...item, amount: 5n },
      { ...item, subject: null },
      { ...item, kind: 'release' },
      { ...item, debit: other.available },
      { ...item, credit: other.held },
    ];
    expect(await book.post([item, ...others, item])).toEqual([
      { n: first?.n, state: 'repeated' },
      ...others.map(() => ({ n: null, state: 'NB002' })),
      { n: first?.n, state: 'repeated' },
    ]);
    expect(await book.balance(held)).toBe(4n);
  });

  test('is walked in order: what comes in front counts, and a refused item moves nothing', async () => {
    const { available, held } = await book.person(10n);
    const hold = (key: string, amount: bigint) => ({
      key,
      kind: 'hold',
      debit: available,
      credit: held,
      amount,
    });
    const [a, b] = [randomUUID(), randomUUID()];
    const walk = [hold(a, 6n), hold(b, 5n), hold(b, 5n), hold(a, 6n), hold(a, 1n), hold(randomUUID(), 4n)];
    expect(states(await book.post(walk))).toEqual([
      'posted',
      'NB001',
      'NB001',
      'repeated',
      'NB002',
      'posted',
    ]);
    expect([await book.balance(available), await book.balance(held)]).toEqual([0n, 10n]);
  });

  test('under a key that was refused for no account or move takes it after all', async () => {
    const { available, held } = await book.person(10n);
    const key = randomUUID();
    const good = { key, kind: 'hold', debit: available, credit: held, amount: 1n };
    const walk = [{ ...good, kind: 'pay' }, good, { ...good, debit: '999999999' }, good];
    expect(states(await book.post(walk))).toEqual(['NB003', 'posted', 'NB002', 'repeated']);
  });
});

test('all of a call are posted or none, and none burns no key', async () => {
  const { available, held } = await book.person(10n);
  const hold = (amount: bigint, key: string = randomUUID()) => ({
    key,
    kind: 'hold',
    debit: available,
    credit: held,
    amount,
  });
  const before = await book.transfers();
  const [first, second] = [hold(6n), hold(5n)];
  await expect(book.postAll([first, second])).rejects.toMatchObject({ code: 'NB001', detail: '2' });
  expect([await book.transfers(), await book.balance(available)]).toEqual([before, 10n]);
  const less = hold(4n, second.key);
  expect(states(await book.postAll([first, less]))).toEqual(['posted', 'posted']);
  expect(states(await book.postAll([first, less]))).toEqual(['repeated', 'repeated']);
  await expect(book.postAll([{ ...first, kind: 'pay' }])).rejects.toMatchObject({ code: 'NB002' });
});

test('each transfer of one call counts in the version of an account', async () => {
  const { available, held } = await book.person(10n);
  const version = async () =>
    (await book.pool.query<{ version: string }>('select version from ledger_account where id = $1', [held]))
      .rows[0]?.version;
  const hold = () => ({ key: randomUUID(), kind: 'hold', debit: available, credit: held, amount: 1n });
  expect(await version()).toBe('0');
  await book.post([hold(), hold()]);
  expect(await version()).toBe('2');
});

describe('a post is refused', () => {
  test('where it takes an account below its floor, though what comes later would pay for it', async () => {
    const { available, held } = await book.person(0n);
    const earn = { kind: 'earn', debit: await book.open('earnings'), credit: available };
    const hold = { kind: 'hold', debit: available, credit: held, amount: 5n };
    const walk = [
      { key: randomUUID(), ...hold },
      { key: randomUUID(), ...earn, amount: 5n },
    ];
    expect(states(await book.post(walk))).toEqual(['NB001', 'posted']);
    expect([await book.balance(available), await book.balance(held)]).toEqual([5n, 0n]);
  });

  test('where it takes an account above its ceiling', async () => {
    const { id, available } = await book.person(10n);
    const [receivable, earnings] = [await book.open('receivable', id), await book.open('earnings')];
    const recover = { kind: 'recover', debit: available, credit: receivable };
    const walk = [
      { key: randomUUID(), kind: 'take-back', debit: receivable, credit: earnings, amount: 3n },
      { key: randomUUID(), ...recover, amount: 4n },
      { key: randomUUID(), ...recover, amount: 3n },
      { key: randomUUID(), ...recover, amount: 1n },
    ];
    expect(states(await book.post(walk))).toEqual(['posted', 'NB001', 'posted', 'NB001']);
    expect([await book.balance(available), await book.balance(receivable)]).toEqual([7n, 0n]);
  });

  test("where it gives one person's hold to another", async () => {
    const [one, other] = [await book.person(10n), await book.person(0n)];
    const release = { kind: 'release', debit: one.held, amount: 4n };
    const walk = [
      { key: randomUUID(), kind: 'hold', debit: one.available, credit: one.held, amount: 4n },
      { key: randomUUID(), ...release, credit: other.available },
      { key: randomUUID(), ...release, credit: one.available },
    ];
    expect(states(await book.post(walk))).toEqual(['posted', 'NB003', 'posted']);
    expect(await book.balance(other.available)).toBe(0n);
  });
});

test('who has waited since before another post is dated after it', async () => {
  const { available, held } = await book.person(2n);
  const hold = () => ({ key: randomUUID(), kind: 'hold', debit: available, credit: held, amount: 1n });
  const early = await book.owner.connect();
  await early.query('begin');
  await early.query('select now()');
  const [first] = await book.post([hold()]);
  const [second] = await book.on(early).post([hold()]);
  await early.query('commit');
  early.release();
  const { rows } = await book.pool.query<{ n: string }>(
    'select n from ledger_transfer where project_id = $1 and n = any ($2) order by posted_at, n',
    [book.projectId, [first?.n, second?.n]],
  );
  expect(rows.map(({ n }) => n)).toEqual([first?.n, second?.n]);
});
