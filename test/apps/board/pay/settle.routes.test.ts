import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import { approvalOf, bindsOf, type Finance, type FinanceBoard, openFinanceBoard } from './finance-board.ts';

const AMOUNT = 2_000_000n;

let board: FinanceBoard;
let maker: Finance;
let checker: Finance;
beforeAll(async () => {
  board = await openFinanceBoard();
  [maker, checker] = [await board.member('finance'), await board.member('finance')];
});
afterAll(() => board.close());

const typeOf = (answer: { body: { type?: string } }) => answer.body.type?.replace('urn:navbat:problem:', '');

/** A withdrawal that stands in a file for the bank, written so many hours ago. */
async function exported(hours: number): Promise<string> {
  const { id: person } = await board.person(AMOUNT);
  const { rows } = await board.owner.query<{ id: string }>(
    `insert into payout_destination (project_id, person_id, rail, token_encrypted, holder_hash, last4, usable_from, made_at)
     values ($1, $2, 'bank-file', 'x', $3, '2001', now() - interval '1 day', now() - interval '2 days') returning id`,
    [PLATFORM_PROJECT_ID, person, randomBytes(32)],
  );
  const asked = await board.pool.query<{ id: string }>(
    `select id from payout_ask($1, 'withdrawal', null, $2, null, null, null, null, $3, 'bank-file', $4, 0, 'person')`,
    [PLATFORM_PROJECT_ID, person, rows[0]?.id, AMOUNT],
  );
  const payout = asked.rows[0]?.id ?? '';
  const { body: made } = await maker
    .post('/finance/batches', { rail: 'bank-file', name: 'Bank' })
    .expect(201);
  const path = `/finance/batches/${made.id}`;
  await maker.post(`${path}/items`, { payouts: [payout] }, 1).expect(200);
  const { body: batch } = await maker.post(`${path}/submit`, {}, 2).expect(200);
  const proof = await checker.prove(bindsOf(batch));
  await checker.post(`${path}/approve`, approvalOf(batch, proof), batch.version).expect(200);
  await maker.post(`${path}/run`, {}, batch.version + 1).expect(200);
  await board.pool.query('select bank_file_begin($1)', [made.id]);
  await board.owner.query(
    `update payout_dispatch set state_at = state_at - $2 * interval '1 hour' where batch_id = $1`,
    [made.id, hours],
  );
  return payout;
}

test('a payment of a file that no statement has is listed and in the inbox, and two people settle it', async () => {
  const id = await exported(73);
  const { data } = (await maker.get('/finance/dispatches/stuck').expect(200)).body;
  const [one] = data;
  expect(data).toMatchObject([
    { id, rail: 'bank-file', state: 'exported', amount: '2000000', items: 1, settle_asked: null },
  ]);
  const inbox = (await maker.get('/finance/inbox').expect(200)).body.data;
  expect(inbox).toContainEqual(
    expect.objectContaining({
      kind: 'payment.settle',
      path: '/finance/dispatches/stuck',
      count: 1,
      total: '2000000',
      may: true,
    }),
  );
  const path = `/finance/dispatches/${id}/settle`;
  const asked = await maker.post(path, { outcome: 'failed', evidence: 'letter 17 of the bank' }).expect(200);
  expect(asked.body.settle_asked).toMatchObject({ outcome: 'failed', evidence: 'letter 17 of the bank' });
  const { hash } = asked.body.settle_asked;
  const binds = { action: 'money.correct', subject: id, version: one.version, hash, total: one.amount };
  const own = await maker.post(`${path}/agree`, { outcome: 'failed', proof_id: await maker.prove(binds) });
  expect([own.status, typeOf(own)]).toEqual([403, 'maker']);
  const other = { ...binds, total: '1' };
  const wrong = await checker.post(`${path}/agree`, {
    outcome: 'failed',
    proof_id: await checker.prove(other),
  });
  expect([wrong.status, typeOf(wrong)]).toEqual([403, 'proof-other-subject']);
  const agreed = await checker.post(`${path}/agree`, {
    outcome: 'failed',
    proof_id: await checker.prove(binds),
  });
  expect([agreed.status, agreed.body.state, agreed.body.reason]).toEqual([200, 'failed', 'by-hand']);
  expect((await maker.get('/finance/dispatches/stuck').expect(200)).body.data).toEqual([]);
  const again = await maker.post(path, { outcome: 'paid', evidence: 'a mistake' });
  expect([again.status, again.body.state]).toEqual([409, 'failed']);
});

test('one of a file that a statement may still have is not settled', async () => {
  const id = await exported(71);
  expect((await maker.get('/finance/dispatches/stuck').expect(200)).body.data).toEqual([]);
  const early = await maker.post(`/finance/dispatches/${id}/settle`, { outcome: 'failed', evidence: 'x' });
  expect([early.status, typeOf(early)]).toEqual([409, 'settle-later']);
});

test('those that people look at come in pages, each once, and a limit is checked', async () => {
  const path = '/finance/dispatches/stuck';
  const ids = [await exported(73), await exported(80), await exported(75)];
  const { body: draft } = await maker
    .post('/finance/batches', { rail: 'multicard', name: 'Stuck' })
    .expect(201);
  const { rows } = await board.owner.query<{ id: string }>(
    `insert into payout_dispatch (project_id, batch_id, rail, amount, items, state, next_at, job_id, made_at, state_at)
     select $1, $2, 'multicard', 2000000, 1, 'stuck', now(), gen_random_uuid(), now(), now() from generate_series(1, 2) returning id`,
    [PLATFORM_PROJECT_ID, draft.id],
  );
  const all = [...ids, ...rows.map(({ id }) => id)].toSorted();
  const seen: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const query: string = `limit=2${cursor && `&cursor=${cursor}`}`;
    const { body } = await maker.get(`${path}?${query}`).expect(200);
    expect(body.data.length).toBeLessThanOrEqual(2);
    seen.push(...body.data.map(({ id }: { id: string }) => id));
    cursor = body.next_cursor;
  }
  expect(seen).toEqual(all);
  for (const query of ['limit=0', 'limit=101', 'limit=x', 'cursor=x'])
    await maker.get(`${path}?${query}`).expect(400);
});
