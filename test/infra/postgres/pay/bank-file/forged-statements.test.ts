import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { BankDocument, BankFile } from '../../../../../domain/pay/bank-file/file.ts';
import { ordersFile } from '../../../../../domain/pay/bank-file/orders.ts';
import { readBankFile } from '../../../../../domain/pay/bank-file/read.ts';
import { writeBankFile } from '../../../../../domain/pay/bank-file/write.ts';
import { linesOfBankFile } from '../../../../../domain/pay/reconcile/read-lines.ts';
import type { ProofBinds } from '../../../../../domain/staff/proof.ts';
import { bankFileBytes, bankFileText } from '../../../../../infra/pay/bank-file-bytes.ts';
import { bankFiles } from '../../../../../infra/postgres/pay/bank-file/store.ts';
import { sha256 } from '../../../../../infra/process/crypto.ts';
import { GROSS, type Payee } from '../dispatch-world.ts';
import { proofBy } from '../proofs.ts';
import { keyOf, NET, openRailWorld } from '../reconcile/rail-world.ts';

const MICROS = 10_000n;
const DAY = '2026-11-29';
const PAYER = { account: '20208000900123456001', name: 'Navbat', taxId: '301234567', bankCode: '00444' };
const THIEF = '22618000100999999001';

let world: Awaited<ReturnType<typeof openRailWorld>>;
let files: ReturnType<typeof bankFiles>;
beforeAll(async () => {
  world = await openRailWorld();
  files = bankFiles(world.pool, world.projectId, world.rowEncryption);
});
beforeEach(() => world.forget());
afterAll(() => world.close());

/** A batch whose file somebody of finance takes to the bank, with what it holds. */
async function exported(count = 1) {
  const { id, payees } = await world.bankBatch(count);
  await files.write(id, (orders) => bankFileBytes(writeBankFile(ordersFile(PAYER, DAY, orders)), 'Windows'));
  const decoded = bankFileText((await files.read(id, 1))?.bytes ?? Buffer.alloc(0));
  const read = decoded.ok ? readBankFile(decoded.text) : decoded;
  if (!read.ok || !('file' in read)) throw new Error('the file was not written');
  const [payee] = payees;
  if (!payee) throw new Error('nobody is paid');
  return { id, payee, payees, file: read.file };
}

/** As a member of finance sends it. */
function upload(by: string, file: BankFile, documents: readonly BankDocument[], hash = sha256(randomUUID())) {
  const lines = linesOfBankFile({ ...file, documents }, { keyOf });
  const source = { ...world.source(lines, 'bank-file'), file: { sha256: hash, by } };
  return world.statements.import(source, { dryRun: false });
}
const paid = (document: BankDocument): BankDocument => ({ ...document, bookedOn: DAY });
const back = (document: BankDocument): BankDocument => ({
  ...document,
  payer: document.payee,
  payee: document.payer,
  bookedOn: DAY,
});

test('an order that went to another account than it was approved for is a difference, and stops the rail', async () => {
  const { payee, file } = await exported();
  // Between the download and the bank.
  const altered = file.documents.map((one) => paid({ ...one, payee: { ...one.payee, account: THIEF } }));
  expect(await upload(world.maker, file, altered)).toMatchObject({
    buckets: [{ bucket: 'payee-differs', lines: 1, total: NET }],
    stopped: ['bank-file'],
  });
  expect(await world.stateOf(payee)).toMatchObject({ item: 'dispatched' });
  expect(await world.openDifferences()).toMatchObject([
    { bucket: 'payee-differs', amount: NET, payoutId: payee.payoutId },
  ]);
});

describe('what came back by a file of one person', () => {
  /** Of a payment that the bank made: it is told, and nothing is moved. */
  async function forged() {
    const { payee, file } = await exported();
    const left = await upload(world.maker, file, file.documents.map(paid));
    expect(await world.agreeTo(left.statementId ?? '')).toEqual({ ok: true });
    const { statementId, buckets } = await upload(world.maker, file, file.documents.map(back));
    expect(buckets).toMatchObject([{ bucket: 'early', lines: 1, total: NET }]);
    return { payee, file, id: statementId ?? '' };
  }

  /** A second factor for exactly this, as it was made by a code. */
  async function proof(by: string, id: string, change: Partial<ProofBinds> = {}, factorHours = 48) {
    const { rows } = await world.pool.query<{ hash: string }>(
      `select encode(sha256, 'hex') hash from statement where id = $1`,
      [id],
    );
    const of = { action: 'money.correct', subject: id, version: 1, hash: rows[0]?.hash ?? '' } as const;
    const binds = { ...of, count: 1, total: NET.toString(), ...change };
    return proofBy(world.pool, by, binds, factorHours);
  }
  const stands = async ({ payee }: { payee: Payee }) => {
    expect(await world.stateOf(payee)).toMatchObject({
      payout: 'paid',
      item: 'paid',
      told: ['receipt-paid'],
    });
    expect(await world.balance(payee.available)).toBe(0n);
  };

  test('moves nothing, however often it comes and whoever sends it', async () => {
    const one = await forged();
    const other = await world.staff();
    await upload(world.maker, one.file, one.file.documents.map(back));
    await upload(other, one.file, one.file.documents.map(back));
    await stands(one);
    await expect(
      world.pool.query('select statement_import($1, $2)', [
        one.id,
        JSON.stringify([await asReturned(one.payee)]),
      ]),
    ).rejects.toMatchObject({ code: 'NB021' });
    await stands(one);
  });

  /** As whoever has the role that runs may say of it. */
  async function asReturned({ payoutId }: Payee) {
    const { rows } = await world.pool.query<object>(
      `select key, direction, uuid, reference, amount::text, commission::text, at, 'returned' bucket, dispatch_id dispatch, payout_id payout
       from statement_line where payout_id = $1 and direction = 'back'`,
      [payoutId],
    );
    return rows[0];
  }

  test('gives the money back, once, when another person agrees with a proof', async () => {
    const one = await forged();
    const { rows } = await world.statements.list('bank-file', { limit: 1, after: null });
    expect(rows).toMatchObject([{ id: one.id, toAgree: { count: 1, total: NET } }]);
    const checkers = [await world.staff(), await world.staff('admin')];
    const shown: [string, string][] = [];
    for (const by of checkers) shown.push([by, await proof(by, one.id)]);
    const both = await Promise.all(shown.map((of) => world.statements.agree(one.id, ...of)));
    expect(both).toEqual(
      expect.arrayContaining([
        { ok: true },
        { ok: false, refusal: { kind: 'batch-state', state: 'agreed' } },
      ]),
    );
    expect(await world.stateOf(one.payee)).toMatchObject({
      payout: 'returned',
      item: 'returned',
      told: ['receipt-paid', 'receipt-returned'],
    });
    expect(await world.balance(one.payee.available)).toBe(GROSS * MICROS);
    const { rows: after } = await world.statements.list('bank-file', { limit: 1, after: null });
    expect(after).toMatchObject([{ id: one.id, toAgree: null, buckets: [{ bucket: 'returned', lines: 1 }] }]);
    await upload(world.maker, one.file, one.file.documents.map(back));
    expect(await world.balance(one.payee.available)).toBe(GROSS * MICROS);
  });

  const differs: Partial<ProofBinds> = { total: '1' };
  test.each<[string, string, () => Promise<string>, Partial<ProofBinds>, number]>([
    ['who uploaded it', 'maker', () => Promise.resolve(world.maker), {}, 48],
    ['an operator', 'role', () => world.staff('operator'), {}, 48],
    ['an account that is a day old in an hour', 'approver-new', () => world.staff('finance', 0.95), {}, 48],
    ['a second factor of today', 'approver-new', () => world.staff(), {}, 1],
    ['a proof of another sum', 'proof', () => world.staff(), differs, 48],
    ['a proof of another file', 'proof', () => world.staff(), { hash: '0'.repeat(64) }, 48],
  ])('is not agreed to by %s', async (_who, kind, who, change, hours) => {
    const one = await forged();
    const by = await who();
    const shown = await proof(by, one.id, change, hours);
    expect(await world.statements.agree(one.id, by, shown)).toMatchObject({ ok: false, refusal: { kind } });
    await stands(one);
  });

  test('is not agreed to by one whose money it is', async () => {
    const one = await forged();
    const own = await world.staff();
    const phone = '+998901112233';
    await world.pool.query('insert into person (id, created_at) values ($1, now()) on conflict do nothing', [
      one.payee.personId,
    ]);
    await world.pool.query(
      `insert into person_phone (address_hash, person_id, phone, proof, proven_at) values ($1, $2, $3, 'code', now())`,
      [randomBytes(32), one.payee.personId, phone],
    );
    await world.pool.query('select payout_handler_declare($1, $2, null)', [own, phone]);
    const shown = await proof(own, one.id);
    expect(await world.statements.agree(one.id, own, shown)).toEqual({
      ok: false,
      refusal: { kind: 'own-money' },
    });
    await stands(one);
  });

  test('is not agreed to by one who has the same account', async () => {
    const one = await forged();
    const own = await world.staff();
    const phone = await world.phoneOfSameCard(one.payee);
    await world.pool.query('select payout_handler_declare($1, $2, null)', [own, phone]);
    const shown = await proof(own, one.id);
    expect(await world.statements.agree(one.id, own, shown)).toEqual({
      ok: false,
      refusal: { kind: 'own-money' },
    });
    await stands(one);
  });

  test('of which nothing waits is nothing to agree to', async () => {
    const { file } = await exported();
    const altered = file.documents.map((one) => paid({ ...one, payee: { ...one.payee, account: THIEF } }));
    const { statementId } = await upload(world.maker, file, altered);
    const checker = await world.staff();
    const shown = await proof(checker, statementId ?? '');
    expect(await world.statements.agree(statementId ?? '', checker, shown)).toEqual({
      ok: false,
      refusal: { kind: 'unknown' },
    });
  });

  test('is not agreed to while who uploaded it counts no more: another person uploads what the bank says', async () => {
    const one = await exported();
    const left = await world.staff();
    const first = await upload(left, one.file, one.file.documents.map(paid));
    await world.pool.query('update staff set disabled_at = now() where id = $1', [left]);
    expect(await world.agreeTo(first.statementId ?? '')).toEqual({
      ok: false,
      refusal: { kind: 'approval-gone', who: `${left}@example.com` },
    });
    const second = await upload(world.maker, one.file, one.file.documents.map(paid));
    expect(await world.agreeTo(second.statementId ?? '')).toEqual({ ok: true });
    expect(await world.stateOf(one.payee)).toMatchObject({ item: 'paid' });
  });

  test('is of who sends the same file again, once who uploaded it counts no more and nobody has agreed', async () => {
    const one = await exported();
    const [left, again, hash] = [await world.staff(), await world.staff(), sha256(randomUUID())];
    const send = (by: string) => upload(by, one.file, one.file.documents.map(paid), hash);
    const leaves = (by: string) =>
      world.pool.query('update staff set disabled_at = now() where id = $1', [by]);
    const uploader = async () =>
      (await world.statements.list('bank-file', { limit: 1, after: null })).rows[0]?.importedBy;
    const { statementId: id } = await send(left);
    await send(again);
    expect(await uploader()).toBe(left);
    await leaves(left);
    expect(await send(again)).toMatchObject({ statementId: id, repeated: true });
    expect(await uploader()).toBe(again);
    expect(await world.agreeTo(id ?? '', again)).toMatchObject({ refusal: { kind: 'maker' } });
    expect(await world.agreeTo(id ?? '')).toEqual({ ok: true });
    expect(await world.stateOf(one.payee)).toMatchObject({ item: 'paid' });
    await leaves(again);
    await send(world.maker);
    expect(await uploader()).toBe(again);
  });
});

describe('what left by a file of one person', () => {
  const itemOf = async (payee: Payee) => (await world.stateOf(payee))?.item;
  /** As whoever has the role that runs may say of a line. */
  const imports = (statement: string, lines: readonly object[]) =>
    world.pool.query('select statement_import($1, $2)', [statement, JSON.stringify(lines)]);
  const lineOf = async ({ payoutId }: Payee, change: object) => {
    const { rows } = await world.pool.query<object>(
      `select $2 as key, 'out' direction, i.payout_id::text reference, i.net::text amount, '0' commission, now() at, 'matched' bucket,
         i.dispatch_id dispatch, i.payout_id payout, true told
       from payout_item i where i.payout_id = $1`,
      [payoutId, keyOf(randomUUID())],
    );
    return { ...rows[0], ...change };
  };

  test('is not agreed to by one whose money it is', async () => {
    const { payee, file } = await exported();
    const { statementId } = await upload(world.maker, file, file.documents.map(paid));
    const [own, id] = [await world.staff(), statementId ?? ''];
    const phone = await world.phoneOfSameCard(payee);
    await world.pool.query('select payout_handler_declare($1, $2, null)', [own, phone]);
    const { rows } = await world.pool.query<{ hash: string }>(
      `select encode(sha256, 'hex') hash from statement where id = $1`,
      [id],
    );
    const of = { action: 'money.correct', subject: id, version: 1, hash: rows[0]?.hash ?? '' } as const;
    const shown = await proofBy(world.pool, own, { ...of, count: 1, total: NET.toString() });
    expect(await world.statements.agree(id, own, shown)).toEqual({
      ok: false,
      refusal: { kind: 'own-money' },
    });
    expect(await itemOf(payee)).toBe('dispatched');
  });

  test('hides no order that went to another account: it pays nothing by itself, and what the bank says is found', async () => {
    const { payee, file } = await exported();
    const written = await upload(world.maker, file, file.documents.map(paid));
    expect(written).toMatchObject({ buckets: [{ bucket: 'early', lines: 1, total: NET }] });
    expect(await itemOf(payee)).toBe('dispatched');
    const inWords = await lineOf(payee, {});
    await expect(imports(written.statementId ?? '', [inWords])).rejects.toMatchObject({ code: 'NB021' });
    // Nobody heard of it for three days.
    await world.owner.query(
      `update payout_dispatch set state_at = state_at - interval '73 hours' where id = (select dispatch_id from payout_item where payout_id = $1)`,
      [payee.payoutId],
    );
    await world.differences.findOnlyOurs();
    expect(await world.openDifferences()).toMatchObject([{ bucket: 'only-ours', payoutId: payee.payoutId }]);
    const altered = file.documents.map((one) => paid({ ...one, payee: { ...one.payee, account: THIEF } }));
    expect(await upload(await world.staff(), file, altered)).toMatchObject({
      buckets: [{ bucket: 'payee-differs', lines: 1 }],
      stopped: ['bank-file'],
    });
    expect(await itemOf(payee)).toBe('dispatched');
  });

  test('pays when another person agrees, all of its lines by one agreement', async () => {
    const { file, payees } = await exported(3);
    const { statementId } = await upload(world.maker, file, file.documents.map(paid));
    const { rows } = await world.statements.list('bank-file', { limit: 1, after: null });
    expect(rows).toMatchObject([{ id: statementId, toAgree: { count: 3, total: 3n * NET } }]);
    expect(await world.agreeTo(statementId ?? '', world.maker)).toMatchObject({
      refusal: { kind: 'maker' },
    });
    expect(await world.agreeTo(statementId ?? '')).toEqual({ ok: true });
    expect(await Promise.all(payees.map(itemOf))).toEqual(['paid', 'paid', 'paid']);
  });

  test('keeps no true line from being agreed to: it is of the file that told it last', async () => {
    const [one, other] = [await exported(), await exported()];
    const both = [...one.file.documents, ...other.file.documents].map(paid);
    const forged = await upload(world.maker, one.file, both);
    const told = await upload(await world.staff(), one.file, one.file.documents.map(paid));
    expect(await world.agreeTo(told.statementId ?? '')).toEqual({ ok: true });
    expect(await Promise.all([one.payee, other.payee].map(itemOf))).toEqual(['paid', 'dispatched']);
    const { rows } = await world.statements.list('bank-file', { limit: 2, after: null });
    expect(rows.find(({ id }) => id === forged.statementId)).toMatchObject({ toAgree: { count: 1 } });
  });

  test('takes no line after it was agreed to, neither a new one nor one of another file', async () => {
    const [one, other] = [await exported(), await exported()];
    const { statementId } = await upload(world.maker, one.file, one.file.documents.map(paid));
    expect(await world.agreeTo(statementId ?? '')).toEqual({ ok: true });
    const fresh = await lineOf(other.payee, {});
    await expect(imports(statementId ?? '', [fresh])).rejects.toMatchObject({ code: 'NB021' });
    await upload(world.maker, other.file, other.file.documents.map(paid));
    const { rows } = await world.pool.query<{ key: string }>(
      'select key from statement_line where payout_id = $1',
      [other.payee.payoutId],
    );
    const taken = await lineOf(other.payee, { key: rows[0]?.key });
    await expect(imports(statementId ?? '', [taken])).rejects.toMatchObject({ code: 'NB021' });
    expect(await itemOf(other.payee)).toBe('dispatched');
  });

  test('has somebody who uploaded it: a bank says nothing to us by itself', async () => {
    await expect(
      world.pool.query(`select statement_open($1, 'bank-file', null, now(), now(), null)`, [world.projectId]),
    ).rejects.toMatchObject({ code: 'NB004' });
  });
});
