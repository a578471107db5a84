import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { BankFile } from '../../../../../domain/pay/bank-file/file.ts';
import { ordersFile } from '../../../../../domain/pay/bank-file/orders.ts';
import { readBankFile } from '../../../../../domain/pay/bank-file/read.ts';
import { payoutOf } from '../../../../../domain/pay/bank-file/reference.ts';
import { writeBankFile } from '../../../../../domain/pay/bank-file/write.ts';
import { checkHeld, checkRail } from '../../../../../domain/pay/reconcile/equation.ts';
import { linesOfBankFile } from '../../../../../domain/pay/reconcile/read-lines.ts';
import { bankFileBytes, bankFileText } from '../../../../../infra/pay/bank-file-bytes.ts';
import { bankFiles } from '../../../../../infra/postgres/pay/bank-file/store.ts';
import { GROSS } from '../dispatch-world.ts';
import { keyOf, NET, openRailWorld } from '../reconcile/rail-world.ts';

const MICROS = 10_000n;
const DAY = '2026-11-29';
const PAYER = { account: '20208000900123456001', name: 'Navbat', taxId: '301234567', bankCode: '00444' };

let world: Awaited<ReturnType<typeof openRailWorld>>;
let files: ReturnType<typeof bankFiles>;
beforeAll(async () => {
  world = await openRailWorld();
  files = bankFiles(world.pool, world.projectId, world.rowEncryption);
});
beforeEach(() => world.forget());
afterAll(() => world.close());

const write = (batchId: string) =>
  files.write(batchId, (orders) => bankFileBytes(writeBankFile(ordersFile(PAYER, DAY, orders)), 'Windows'));

function contentOf(bytes: Buffer): BankFile {
  const read = bankFileText(bytes);
  const file = read.ok ? readBankFile(read.text) : read;
  if (!file.ok || !('file' in file)) throw new Error(JSON.stringify(file));
  return file.file;
}

/** What the bank says a day later of so many of its documents, and what came back. */
const statement = (file: BankFile, paid: readonly number[], back: readonly number[] = []) => {
  const own = paid.flatMap((n) => file.documents[n] ?? []);
  const returned = back.flatMap((n) => file.documents[n] ?? []);
  const documents = [
    ...own.map((one) => ({ ...one, bookedOn: DAY, purpose: one.purpose.toUpperCase() })),
    ...returned.map((one) => ({
      ...one,
      payer: one.payee,
      payee: one.payer,
      day: '2026-11-30',
      bookedOn: null,
    })),
  ];
  return linesOfBankFile({ ...file, documents }, { keyOf });
};
const take = (lines: ReturnType<typeof statement>, dryRun = false) => world.take(lines, dryRun, 'bank-file');
const expectBalanced = async () => {
  const { rails, held } = await world.equation.books();
  expect(rails.flatMap((rail) => checkRail(rail, null))).toEqual([]);
  expect(checkHeld(held)).toEqual([]);
};

test('a running batch is one file, whose bytes are the same each time, and which pays exactly its items', async () => {
  const { id, payees } = await world.bankBatch(3);
  expect(await files.waiting()).toContain(id);
  const written = await write(id);
  expect(written).toMatchObject({ ok: true, file: { part: 1, documents: 3, total: 3n * NET } });
  expect(await files.waiting()).not.toContain(id);
  expect(await write(id)).toEqual({ ok: true, file: null });
  const [first, again] = [await files.read(id, 1), await files.read(id, 1)];
  expect(first?.bytes.equals(again?.bytes ?? Buffer.alloc(0))).toBe(true);
  expect(first?.sha256).toBe(
    createHash('sha256')
      .update(first?.bytes ?? '')
      .digest('hex'),
  );
  expect(first).toMatchObject({ parts: 1, documents: 3, total: 3n * NET });
  const { documents, account } = contentOf(first?.bytes ?? Buffer.alloc(0));
  expect(account).toBe(PAYER.account);
  expect(documents.map(({ purpose }) => payoutOf(purpose))).toEqual(payees.map(({ payoutId }) => payoutId));
  expect(documents).toMatchObject(
    [1, 2, 3].map((n) => ({
      number: String(n),
      day: DAY,
      amount: NET,
      payee: { account: '22618000100765432001', name: 'Кодир Гуломов', bankCode: '00873' },
    })),
  );
  // The word of a date, as windows-1251 has it.
  expect(first?.bytes.includes(Buffer.from([0xc4, 0xe0, 0xf2, 0xe0, 0x3d]))).toBe(true);
  expect(await files.read(id, 2)).toBeNull();
});

test('lines of the statement pay the items one by one, each once, and the batch is done with its last', async () => {
  const { id, payees } = await world.bankBatch(3);
  await write(id);
  const file = contentOf((await files.read(id, 1))?.bytes ?? Buffer.alloc(0));
  const states = async () => Promise.all(payees.map(async (one) => (await world.stateOf(one))?.item));
  // Until another person has agreed.
  expect(await take(statement(file, [0, 1]), true)).toMatchObject({
    buckets: [{ bucket: 'early', lines: 2 }],
  });
  expect(await states()).toEqual(['dispatched', 'dispatched', 'dispatched']);
  for (let times = 0; times < 3; times += 1) await take(statement(file, times % 2 ? [0, 1] : [1, 0]));
  expect(await states()).toEqual(['paid', 'paid', 'dispatched']);
  expect(await world.balance(payees[0]?.held ?? '')).toBe(0n);
  expect(await world.balance(payees[2]?.held ?? '')).toBe(GROSS * MICROS);
  await world.pool.query('select dispatch_finish_batches(100)');
  const batch = async () =>
    (await world.pool.query('select state from payout_batch where id = $1', [id])).rows[0]?.state;
  expect(await batch()).toBe('running');
  await expectBalanced();
  // The third is paid, and comes back a day later.
  await take(statement(file, [2], [2]));
  expect(await states()).toEqual(['paid', 'paid', 'returned']);
  expect(await world.balance(payees[2]?.available ?? '')).toBe(GROSS * MICROS);
  await world.pool.query('select dispatch_finish_batches(100)');
  expect(await batch()).toBe('done');
  await expectBalanced();
});

test('a document that the bank has booked twice stops the rail', async () => {
  const [{ id }, next] = [await world.bankBatch(1), await world.bankBatch(1)];
  await write(id);
  const file = contentOf((await files.read(id, 1))?.bytes ?? Buffer.alloc(0));
  expect(await take(statement(file, [0, 0]))).toMatchObject({
    buckets: [
      { bucket: 'matched', lines: 1 },
      { bucket: 'duplicate', lines: 1 },
    ],
    stopped: ['bank-file'],
  });
  expect(await write(next.id)).toMatchObject({
    ok: false,
    refusal: { kind: 'stopped' },
  });
});

test('two processes at once write one file', async () => {
  const { id } = await world.bankBatch(2);
  const done = await Promise.all([write(id), write(id), write(id)]);
  expect(done.filter((one) => one.ok && one.file !== null)).toHaveLength(1);
  const { rows } = await world.pool.query('select items, state from payout_dispatch where batch_id = $1', [
    id,
  ]);
  expect(rows).toEqual([{ items: 2, state: 'exported' }]);
});

test('what may not be paid any more fails and gives its money back; the file has the others', async () => {
  const { id, payees } = await world.bankBatch(2);
  await world.owner.query('update payout_destination set distrusted_at = now() where id = $1', [
    payees[0]?.destinationId,
  ]);
  expect(await write(id)).toMatchObject({ ok: true, file: { documents: 1, total: NET } });
  expect(await world.stateOf(payees[0] as (typeof payees)[number])).toMatchObject({
    payout: 'failed',
    reason: 'destination-distrusted',
  });
  expect(await world.balance(payees[0]?.available ?? '')).toBe(GROSS * MICROS);
  const alone = await world.bankBatch(1);
  await world.owner.query('update payout_destination set removed_at = now() where id = $1', [
    alone.payees[0]?.destinationId,
  ]);
  expect(await write(alone.id)).toEqual({ ok: true, file: null });
  await expectBalanced();
});

describe('nothing is written', () => {
  test('of a batch that is paused', async () => {
    const { id } = await world.bankBatch(1);
    await world.owner.query(`update payout_batch set state = 'paused' where id = $1`, [id]);
    expect(await files.waiting()).not.toContain(id);
    expect(await write(id)).toEqual({ ok: false, refusal: { kind: 'batch-state', state: 'paused' } });
  });

  test('where the file is not of exactly these items, or its writing fails', async () => {
    const { id } = await world.bankBatch(1);
    await expect(
      files.write(id, () => {
        throw new Error('no room');
      }),
    ).rejects.toThrow('no room');
    const client = await world.pool.connect();
    try {
      for (const [documents, total] of [
        [2, NET],
        [1, NET - 1n],
      ] as const) {
        await client.query('begin');
        const { rows } = await client.query('select dispatch from bank_file_begin($1)', [id]);
        await expect(
          client.query(`select bank_file_keep($1, $2, $3, sha256('x'), 'x')`, [
            rows[0]?.dispatch,
            documents,
            total.toString(),
          ]),
        ).rejects.toMatchObject({ code: 'NB024' });
        await client.query('rollback');
      }
    } finally {
      client.release();
    }
    expect(await files.waiting()).toContain(id);
    await write(id);
  });

  test('that was changed in the database is given to nobody', async () => {
    const { id } = await world.bankBatch(1);
    await write(id);
    const { rows } = await world.pool.query('select dispatch_id from bank_file where batch_id = $1', [id]);
    await world.owner.query('update bank_file set content_encrypted = $2 where batch_id = $1', [
      id,
      world.rowEncryption.encrypt('another file', rows[0]?.dispatch_id),
    ]);
    await expect(files.read(id, 1)).rejects.toThrow('was changed');
    await expect(world.owner.query('delete from bank_file')).rejects.toMatchObject({ code: 'NB009' });
  });
});
