import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import { type Finance, type FinanceBoard, openFinanceBoard } from './finance-board.ts';

let board: FinanceBoard;
let maker: Finance;
let checker: Finance;
let admin: Finance;
let operator: Finance;
beforeAll(async () => {
  board = await openFinanceBoard();
  [maker, checker] = [await board.member('finance'), await board.member('finance')];
  [admin, operator] = [await board.member('admin'), await board.member('operator')];
});
afterAll(() => board.close());

const typeOf = (answer: { body: { type?: string } }) => answer.body.type?.replace('urn:navbat:problem:', '');
const funded = async () => board.book.balance(await board.book.open('funded', PLATFORM_PROJECT_ID));

const amount = '2000000';
const topUp = (who: Finance, key: string = randomUUID(), more: object = {}) =>
  who
    .post('/finance/top-ups', { project_id: PLATFORM_PROJECT_ID, amount, reason: 'order 1', ...more })
    .set('Idempotency-Key', key);
const bindsOf = (id: string, total = amount) => ({ action: 'money.correct', subject: id, version: 1, total });
const agree = async (who: Finance, id: string, proof?: string) =>
  who.post(`/finance/corrections/${id}/agree`, { proof_id: proof ?? (await who.prove(bindsOf(id))) }, 1);

describe('a top-up', () => {
  test('moves when another person agrees, once, and shows who did what', async () => {
    const before = await funded();
    const { id } = (await topUp(maker).expect(202)).body;
    expect(await funded()).toBe(before);
    const done = await agree(checker, id);
    expect([done.status, done.body]).toEqual([
      200,
      expect.objectContaining({
        state: 'agreed',
        version: 2,
        amount_uzs: '20000.00',
        asked_by: { id: maker.id, email: maker.email },
        ended_by: { id: checker.id, email: checker.email },
        transfer: expect.stringMatching(/^\d+$/),
      }),
    ]);
    expect(await funded()).toBe(before + 20_000_000_000n);
    const again = await admin.post(
      `/finance/corrections/${id}/agree`,
      { proof_id: await admin.prove(bindsOf(id)) },
      2,
    );
    expect([again.status, typeOf(again), again.body.state]).toEqual([409, 'correction-ended', 'agreed']);
    expect(await funded()).toBe(before + 20_000_000_000n);
  });

  test('asked twice under one key is one; without a key 400', async () => {
    const key = randomUUID();
    const first = await topUp(maker, key).expect(202);
    const second = await topUp(maker, key).expect(202);
    expect(second.body).toEqual(first.body);
    expect(second.headers['idempotent-replayed']).toBe('true');
    const bare = { project_id: PLATFORM_PROJECT_ID, amount, reason: 'order 1' };
    expect(typeOf(await maker.post('/finance/top-ups', bare).expect(400))).toBe('idempotency-key-missing');
    expect(typeOf(await topUp(maker, key, { amount: '2000001' }))).toBe('idempotency-key-reused');
  });

  test('is not agreed to by who asked, by a young account, with a proof of another amount, or by an operator', async () => {
    const before = await funded();
    const { id } = (await topUp(maker).expect(202)).body;
    expect(typeOf(await agree(maker, id))).toBe('maker');
    const young = await board.member('finance', 23);
    expect(typeOf(await agree(young, id))).toBe('approver-new');
    const other = await checker.prove(bindsOf(id, '2000001'));
    expect(typeOf(await agree(checker, id, other))).toBe('proof-other-subject');
    expect(
      (await operator.post(`/finance/corrections/${id}/agree`, { proof_id: randomUUID() }, 1)).status,
    ).toBe(403);
    expect(await funded()).toBe(before);
    await checker.post(`/finance/corrections/${id}/withdraw`, { reason: 'no such order' }, 1).expect(200);
    expect(typeOf(await agree(admin, id))).toBe('correction-ended');
    expect(await funded()).toBe(before);
  });

  test('is not asked for by an admin, who gives the roles, nor for a project that is none', async () => {
    await topUp(admin).expect(403);
    expect(typeOf(await topUp(maker, randomUUID(), { project_id: randomUUID() }).expect(422))).toBe(
      'no-such-account',
    );
  });
});

test('an adjustment down takes no more than there is, and a write-off no more than is owed', async () => {
  const person = await board.person(1_000_000n);
  const ask = async (path: string, body: object) =>
    (
      await maker
        .post(path, { ...body, reason: 'case 1' })
        .set('Idempotency-Key', randomUUID())
        .expect(202)
    ).body.id;
  const down = await ask('/finance/adjustments', {
    of: 'person',
    owner_id: person.id,
    direction: 'down',
    amount: '1000001',
  });
  const refused = await agree(checker, down, await checker.prove(bindsOf(down, '1000001')));
  expect([refused.status, typeOf(refused)]).toEqual([422, 'insufficient']);
  expect(await board.book.balance(person.account)).toBe(10_000_000_000n);
  const debt = await ask('/finance/write-offs', { person_id: person.id, amount: '1' });
  expect(typeOf(await agree(checker, debt, await checker.prove(bindsOf(debt, '1'))))).toBe('insufficient');
});

test('one that was asked by somebody who counts no more is withdrawn and asked again, and says who it was', async () => {
  const before = await funded();
  const left = await board.member('finance');
  const { id } = (await topUp(left).expect(202)).body;
  await board.owner.query('update staff set disabled_at = now() where id = $1', [left.id]);
  const refused = await agree(checker, id);
  expect([refused.status, typeOf(refused), refused.body.who]).toEqual([409, 'approval-gone', left.email]);
  expect(await funded()).toBe(before);
  await checker.post(`/finance/corrections/${id}/withdraw`, { reason: 'asked anew' }, 1).expect(200);
});

test.each(['phone', 'card'])('money of a member of staff, by a %s, is not corrected by them', async (by) => {
  const holder = randomBytes(32);
  const person = await board.person(1_000_000n, { holder });
  const other = await board.person(0n, { holder });
  const own = await board.member('finance');
  await board.pool.query('select payout_handler_declare($1, $2, null)', [
    own.id,
    by === 'phone' ? person.phone : other.phone,
  ]);
  const asked = await maker
    .post('/finance/adjustments', {
      of: 'person',
      owner_id: person.id,
      direction: 'up',
      amount,
      reason: 'case 2',
    })
    .set('Idempotency-Key', randomUUID())
    .expect(202);
  expect(typeOf(await agree(own, asked.body.id))).toBe('own-money');
});

test('the inbox shows to each what they may do first, and of the rest why not', async () => {
  const { id } = (await topUp(maker, randomUUID(), { amount: '99000000000' }).expect(202)).body;
  const waits = async (who: Finance) =>
    (await who.get('/finance/inbox').expect(200)).body.data.map(
      (one: { id: string; kind: string; may: boolean; why_not: string | null }) => [
        one.id === id,
        one.kind,
        one.may,
        one.why_not,
      ],
    );
  expect((await waits(checker))[0]).toEqual([true, 'correction.agree', true, null]);
  expect(await waits(maker)).toContainEqual([true, 'correction.agree', false, 'maker']);
});

describe('a rail', () => {
  const rails = async () => (await maker.get('/finance/rails').expect(200)).body.data;
  const ofAll = async () => (await rails()).find(({ id }: { id: string }) => id === 'all');

  test('is stopped by one, an operator too, and opened by two with a proof of this very stop', async () => {
    await operator.post('/finance/rails/all/stop', { reason: 'amounts differ' }).expect(200);
    const { stopped } = await ofAll();
    expect(stopped).toMatchObject({ by: { id: operator.id }, reason: 'amounts differ', open_asked: null });
    await operator.post('/finance/rails/all/open', { reason: 'mended' }).expect(403);
    expect((await board.audit()).at(-1)).toMatchObject({
      action: 'rail.open',
      subject: 'POST /finance/rails/all/open',
      detail: { outcome: 'refused', reason: 'role', role: 'operator' },
    });
    await maker.post('/finance/rails/all/open', { reason: 'mended' }).expect(200);
    expect((await ofAll()).stopped.open_asked).toMatchObject({ by: { id: maker.id }, reason: 'mended' });
    const open = async (who: Finance, version: number) =>
      who.post('/finance/rails/all/open/agree', {
        proof_id: await who.prove({ action: 'rail.open', subject: 'all', version }),
      });
    expect(typeOf(await open(maker, stopped.version))).toBe('maker');
    expect(typeOf(await open(checker, stopped.version + 1))).toBe('proof-other-subject');
    expect((await ofAll()).stopped).not.toBeNull();
    expect((await open(checker, stopped.version)).status).toBe(200);
    expect((await ofAll()).stopped).toBeNull();
  });

  test('is stopped whatever version somebody read; where none is compared, If-Match is 400', async () => {
    const body = { reason: 'amounts differ' };
    await operator.post('/finance/rails/bank-file/stop', body, 7).expect(200);
    await operator.post('/finance/rails/bank-file/stop', body).expect(200);
    const { body: refused } = await maker.post('/finance/rails/bank-file/open', body, 7).expect(400);
    expect(refused.errors).toMatchObject([{ pointer: 'If-Match' }]);
    const bankFile = (await rails()).find(({ id }: { id: string }) => id === 'bank-file');
    expect(bankFile.stopped.open_asked).toBeNull();
    await board.owner.query(
      `update rail set stopped_at = null, stopped_by = null, reason = null where id = 'bank-file'`,
    );
  });

  test('is not opened as somebody asked who counts no more, until another asks', async () => {
    await operator.post('/finance/rails/all/stop', { reason: 'amounts differ' }).expect(200);
    const { stopped } = await ofAll();
    const left = await board.member('finance');
    await left.post('/finance/rails/all/open', { reason: 'mended' }).expect(200);
    await board.owner.query(`update staff set role = 'viewer' where id = $1`, [left.id]);
    expect((await ofAll()).stopped.open_asked).toBeNull();
    const open = async () =>
      checker.post('/finance/rails/all/open/agree', {
        proof_id: await checker.prove({ action: 'rail.open', subject: 'all', version: stopped.version }),
      });
    const refused = await open();
    expect([refused.status, typeOf(refused), refused.body.who]).toEqual([409, 'approval-gone', left.email]);
    expect((await ofAll()).stopped).not.toBeNull();
    await maker.post('/finance/rails/all/open', { reason: 'mended' }).expect(200);
    expect((await open()).status).toBe(200);
  });

  test('that is none is 400; one that is open is not opened', async () => {
    await maker.post('/finance/rails/paypal/stop', { reason: 'x' }).expect(400);
    await maker.post('/finance/rails/multicard/open', { reason: 'x' }).expect(404);
  });
});

test('payouts are a file with their count and sum, and no cell of it is a formula', async () => {
  const ids = [await board.pending(2_000_000n), await board.pending(3_000_000n)];
  const csv = await checker.get('/finance/payouts?state=pending').set('Accept', 'text/csv').expect(200);
  const lines = csv.text.trim().split('\r\n');
  for (const id of ids) expect(csv.text).toContain(id);
  expect(lines.at(-1)).toMatch(/^total,,2,,50000\.00,5000000,/);
  const shown = (await checker.get(`/finance/payouts/${ids[0]}`).expect(200)).body;
  expect(shown).toMatchObject({
    state: 'pending',
    net_uzs: '20000.00',
    transfers: [{ kind: 'hold', from: 'available', to: 'held', amount: '20000.00' }],
  });
});
