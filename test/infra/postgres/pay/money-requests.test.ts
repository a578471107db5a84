import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { MoneyAnswer, MoneyRequest } from '../../../../domain/pay/money-request.ts';
import { inTransaction } from '../../../../infra/postgres/engine/transaction.ts';
import { answerOnce } from '../../../../infra/postgres/pay/money-requests.ts';
import { openTestBook } from './book.ts';

const AT_ONCE = 50;
const at = new Date('2026-11-29T10:00:00Z');
const hashOf = (asked: unknown) => createHash('sha256').update(JSON.stringify(asked)).digest();

let book: Awaited<ReturnType<typeof openTestBook>>;
let request: MoneyRequest;
beforeAll(async () => {
  book = await openTestBook();
});
afterAll(() => book.close());
beforeEach(() => {
  const { projectId } = book;
  request = { projectId, personId: randomUUID(), key: randomUUID(), bodyHash: hashOf('1000'), at };
});

const refusalOf = (error: unknown): MoneyAnswer | null =>
  (error as { code?: string }).code === 'NB001' ? { status: 422, body: { type: 'insufficient' } } : null;

/** Holds the whole balance under a key that is new each time: what would move money again if the work were done again. */
async function withdrawing(amount: bigint) {
  const person = await book.person(amount);
  const ask = (asked: Partial<MoneyRequest> = {}) =>
    // Of the owner, who may post what it likes.
    inTransaction(book.owner, (tx) =>
      answerOnce(
        tx,
        { ...request, ...asked },
        {
          refusalOf,
          work: async () => {
            const id = randomUUID();
            await tx.query(
              `select from ledger_post_all($1, $2, '{hold}', $3, $4, $5, '{null}', $6, '{test}')`,
              [book.projectId, [`hold:${id}`], [person.available], [person.held], [amount.toString()], [at]],
            );
            // Not in the order of their names, nor of their lengths.
            return { status: 202, body: { state: 'pending', id, net: '99', gross: '100' } };
          },
        },
      ),
    );
  const held = () => book.balance(person.held);
  return { person, ask, held };
}

describe('a request about money', () => {
  test('asked 50 times at once is done once, and each is answered the same to the byte', async () => {
    const { ask, held } = await withdrawing(1_000n);
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => ask()));
    expect(new Set(answers.map((each) => JSON.stringify('answer' in each && each.answer))).size).toBe(1);
    expect(answers.filter((each) => each.ok && !each.repeated)).toHaveLength(1);
    expect(await held()).toBe(1_000n);
  });

  test('that is refused keeps the refusal as its answer, also when the money is there meanwhile', async () => {
    const { person, ask, held } = await withdrawing(1_000n);
    await book.post([
      { key: randomUUID(), kind: 'hold', debit: person.available, credit: person.held, amount: 1n },
    ]);
    const refused = { ok: true, answer: { status: 422, body: { type: 'insufficient' } } };
    expect(await ask()).toEqual({ ...refused, repeated: false });
    await book.post([
      { key: randomUUID(), kind: 'release', debit: person.held, credit: person.available, amount: 1n },
    ]);
    expect(await ask()).toEqual({ ...refused, repeated: true });
    expect(await held()).toBe(0n);
    expect(await ask({ key: 'another' })).toMatchObject({ answer: { status: 202 }, repeated: false });
  });

  test('is refused under the key of another one, and its answer stays', async () => {
    const { ask, held } = await withdrawing(1_000n);
    const first = await ask();
    expect(await ask({ bodyHash: hashOf('2000') })).toEqual({ ok: false, reason: 'idempotency-key-reused' });
    expect(await ask()).toEqual({ ...first, repeated: true });
    expect(await held()).toBe(1_000n);
  });

  test('of a year ago is answered as it was then', async () => {
    const { ask } = await withdrawing(1_000n);
    const first = await ask({ at: new Date('2025-11-29T10:00:00Z') });
    expect(await ask()).toEqual({ ...first, repeated: true });
    await book.reconciler.retire(at, { jobDays: 1, phoneDays: 1 });
    expect(await ask()).toEqual({ ...first, repeated: true });
  });

  test('shares its key with no other person, and with no other project', async () => {
    const { ask } = await withdrawing(1_000n);
    const first = await ask();
    const other = await withdrawing(1_000n);
    const theirs = await other.ask({ personId: randomUUID() });
    expect(theirs).toMatchObject({ ok: true, repeated: false });
    expect(theirs).not.toEqual(first);
    const { projectId } = await book.makeProject();
    expect(await (await withdrawing(1_000n)).ask({ projectId })).toMatchObject({ repeated: false });
  });

  test('whose first try was rolled back is done by the twin that waited', async () => {
    const { ask, held } = await withdrawing(1_000n);
    const tx = await book.pool.connect();
    await tx.query('begin');
    const gone = await answerOnce(tx, request, {
      refusalOf,
      work: async () => ({ status: 202, body: 'gone' }),
    });
    expect(gone).toMatchObject({ answer: { body: 'gone' } });
    const twin = ask();
    await expect(
      Promise.race([twin, new Promise((resolve) => setTimeout(resolve, 200, 'waits'))]),
    ).resolves.toBe('waits');
    await tx.query('rollback');
    tx.release();
    expect(await twin).toMatchObject({ ok: true, answer: { status: 202 }, repeated: false });
    expect(await held()).toBe(1_000n);
  });

  test('that ends in an error of ours is not kept, and moves nothing', async () => {
    const { ask, held, person } = await withdrawing(1_000n);
    const failing = inTransaction(book.owner, (tx) =>
      answerOnce(tx, request, {
        refusalOf,
        work: async () => {
          await tx.query(
            `select from ledger_post_all($1, '{k1}', '{hold}', $2, $3, '{1000}', '{null}', $4, '{test}')`,
            [book.projectId, [person.available], [person.held], [at]],
          );
          throw new Error('lost');
        },
      }),
    );
    await expect(failing).rejects.toThrow('lost');
    expect(await held()).toBe(0n);
    expect(await ask()).toMatchObject({ answer: { status: 202 }, repeated: false });
  });
});

test('a key that holds a card number is refused before it is kept, and the transaction goes on', async () => {
  const { ask, held } = await withdrawing(1_000n);
  const refused = { ok: false, reason: 'idempotency-key-is-card' };
  expect(await ask({ key: 'to:4242-4242-4242-4242' })).toEqual(refused);
  expect(await held()).toBe(0n);
  expect(await ask({ key: 'withdraw-1764432000000' })).toMatchObject({ ok: true, repeated: false });
});

test.each([
  // By Luhn alone one of ten was a card number: 100 amounts of 13 and of 16 digits, and numbers that stand side by side.
  [
    'amounts in micros',
    Array.from({ length: 100 }, (_, i) => ({ micros: `${1_234_567_000_000 + i * 10_007}` })),
  ],
  ['fees in tiyin', { fees: ['42424242', '42424242'], more: [4242, 4242, 4242, 4242] }],
])('an answer of %s is kept', async (_what, body) => {
  const answer = { status: 200, body };
  const told = inTransaction(book.pool, (tx) =>
    answerOnce(tx, request, { refusalOf, work: () => Promise.resolve(answer) }),
  );
  expect(await told).toEqual({ ok: true, answer, repeated: false });
});

describe('the table of requests', () => {
  const insert = (values: Partial<Record<'key' | 'body_hash', unknown>> = {}) =>
    book.pool.query(
      'insert into money_request (project_id, person_id, key, body_hash, at) values ($1, $2, $3, $4, $5)',
      [
        request.projectId,
        request.personId,
        values.key ?? request.key,
        values.body_hash ?? request.bodyHash,
        at,
      ],
    );

  test('keeps no request without an answer', async () => {
    await expect(insert()).rejects.toMatchObject({ code: 'NB004' });
  });

  test('commits nothing that a crash may lose', async () => {
    const answered = (wait: 'on' | 'off') =>
      inTransaction(book.pool, async (tx) => {
        await tx.query(`set local synchronous_commit = ${wait}`);
        return answerOnce(
          tx,
          { ...request, key: wait },
          { refusalOf, work: async () => ({ status: 200, body: {} }) },
        );
      });
    await expect(answered('off')).rejects.toMatchObject({ code: 'NB004' });
    expect(await answered('on')).toMatchObject({ ok: true, repeated: false });
    const { rows } = await book.owner.query('select key from money_request where person_id = $1', [
      request.personId,
    ]);
    expect(rows).toEqual([{ key: 'on' }]);
  });

  test.each([
    [199, '23514'],
    [200, null],
    [499, null],
    // What failed by a fault of ours is no answer: it is to be asked again.
    [500, '23514'],
  ])('takes an answer of status %i: %s', async (status, code) => {
    const told = inTransaction(book.pool, (tx) =>
      answerOnce(tx, request, { refusalOf, work: async () => ({ status, body: {} }) }),
    ).then(
      () => null,
      (error: { readonly code?: string }) => error.code,
    );
    expect(await told).toBe(code);
  });

  test.each([
    ['a card number', '4242424242424242'],
    ['a card number with separators', 'to:4242-4242-4242-4242'],
    ['a space', 'a key'],
    ['nothing', ''],
    ['256 signs', 'k'.repeat(256)],
  ])('has no key that is or holds %s', async (_what, key) => {
    await expect(insert({ key })).rejects.toMatchObject({ code: '23514' });
  });

  test.each([
    ['answered a second time', `select money_request_answer($1, $2, $3, 200, '{}')`],
    ['deleted', 'delete from money_request where (project_id, person_id, key) = ($1, $2, $3)'],
    [
      'asked otherwise',
      `update money_request set body_hash = sha256('other') where (project_id, person_id, key) = ($1, $2, $3)`,
    ],
  ])('has no row that is %s', async (_what, sql) => {
    const { ask } = await withdrawing(1_000n);
    const first = await ask();
    const { projectId, personId, key } = request;
    await expect(book.owner.query(sql, [projectId, personId, key])).rejects.toMatchObject({ code: 'NB009' });
    expect(await ask()).toEqual({ ...first, repeated: true });
  });

  test.each([
    [
      'written with its answer',
      `insert into money_request (project_id, person_id, key, body_hash, at, status, answer)
       values ($1, $2, $3, sha256('x'), navbat_now(), 200, '{}')`,
    ],
    [
      'answered by hand',
      `update money_request set status = 200, answer = '{}' where (project_id, person_id, key) = ($1, $2, $3)`,
    ],
    ['deleted', 'delete from money_request where (project_id, person_id, key) = ($1, $2, $3)'],
  ])('has no row that the role which runs has %s', async (_what, sql) => {
    const { projectId, personId, key } = request;
    await expect(book.pool.query(sql, [projectId, personId, key])).rejects.toMatchObject({ code: '42501' });
  });

  test('is not emptied by the role which runs', async () => {
    await expect(book.pool.query('truncate money_request')).rejects.toMatchObject({ code: '42501' });
  });

  test('holds no card number in an answer', async () => {
    const told = inTransaction(book.pool, (tx) =>
      answerOnce(tx, request, {
        refusalOf,
        work: async () => ({ status: 202, body: { card: '4242 4242 4242 4242' } }),
      }),
    );
    await expect(told).rejects.toMatchObject({ code: '23514' });
  });
});
