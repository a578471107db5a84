import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import { openStream } from '../../../support/event-stream.ts';
import { approvalOf, bindsOf, type Finance, type FinanceBoard, openFinanceBoard } from './finance-board.ts';

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

async function draft(amounts: readonly bigint[] = [2_000_000n]) {
  const payouts = [];
  for (const amount of amounts) payouts.push(await board.pending(amount));
  const made = await maker.post('/finance/batches', { rail: 'multicard', name: 'Drivers' }).expect(201);
  const { id } = made.body;
  const added = await maker.post(`/finance/batches/${id}/items`, { payouts }, 1).expect(200);
  return { id, payouts, version: added.body.version as number };
}
async function submitted(amounts?: readonly bigint[]) {
  const { id, payouts, version } = await draft(amounts);
  const { body } = await maker.post(`/finance/batches/${id}/submit`, {}, version).expect(200);
  return { ...body, payouts };
}
async function approve(batch: Awaited<ReturnType<typeof submitted>>, by: Finance) {
  const proof = await by.prove(bindsOf(batch));
  return by.post(`/finance/batches/${batch.id}/approve`, approvalOf(batch, proof), batch.version);
}

describe('a batch from nothing to running', () => {
  test('takes six requests of two people, each with the version that the one before it answered', async () => {
    const payouts = [await board.pending(2_000_000n), await board.pending(3_000_000n)];
    const made = await maker.post('/finance/batches', { rail: 'multicard', name: 'Drivers' }).expect(201);
    expect(made.headers['etag']).toBe('"1"');
    expect(made.body).toMatchObject({ state: 'draft', count: 0, total: '0', content_hash: null });
    const path = `/finance/batches/${made.body.id}`;

    const added = await maker.post(`${path}/items`, { payouts }, 1).expect(200);
    expect(added.body).toEqual({
      added: 2,
      added_total: '5000000',
      count: 2,
      total: '5000000',
      version: 2,
    });
    const frozen = await maker.post(`${path}/submit`, {}, 2).expect(200);
    expect(frozen.headers['etag']).toBe('"3"');
    expect(frozen.body).toMatchObject({
      state: 'submitted',
      total: '5000000',
      total_uzs: '50000.00',
      content_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      approvals_needed: 1,
      makers: [{ id: maker.id, email: maker.email }],
    });
    const approved = await approve({ ...frozen.body, payouts }, checker);
    expect(approved.status).toBe(200);
    expect(approved.body).toMatchObject({ state: 'approved', version: 4, approvals: [{ id: checker.id }] });
    const running = await maker.post(`${path}/run`, {}, 4).expect(200);
    expect(running.body).toMatchObject({ state: 'running', started_at: expect.any(String) });
  });

  test('says what can be done next, and to each why they may not', async () => {
    const batch = await submitted();
    const next = async (who: Finance) =>
      (await who.get(`/finance/batches/${batch.id}`).expect(200)).body.next.map(
        ({ act, may, why_not }: { act: string; may: boolean; why_not: string | null }) => [act, may, why_not],
      );
    expect(await next(maker)).toEqual([
      ['approve', false, 'maker'],
      ['reject', true, null],
      ['withdraw', true, null],
    ]);
    expect(await next(checker)).toContainEqual(['approve', true, null]);
    expect(await next(admin)).toEqual([
      ['approve', true, null],
      ['reject', true, null],
      ['withdraw', false, 'role-forbids'],
    ]);
  });
});

describe('a change', () => {
  test.each(['submit', 'run', 'resume', 'close'])('%s without If-Match is 428', async (act) => {
    const { id } = await draft();
    const answer = await maker.post(`/finance/batches/${id}/${act}`).expect(428);
    expect(typeOf(answer)).toBe('version-required');
  });

  test('of a version that another has changed is 412, and changes nothing', async () => {
    const { id, version } = await draft();
    const stale = await maker.post(`/finance/batches/${id}/submit`, {}, version - 1).expect(412);
    expect(typeOf(stale)).toBe('version-stale');
    expect((await maker.get(`/finance/batches/${id}`)).body.state).toBe('draft');
  });

  test('in a state in which it can’t be is 409, and names the state', async () => {
    const { id, version } = await draft();
    const answer = await maker.post(`/finance/batches/${id}/run`, {}, version).expect(409);
    expect(answer.body).toMatchObject({ state: 'draft', next_step: expect.stringContaining('`next`') });
  });

  test('of no batch is 404', async () => {
    const none = '0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b21';
    await maker.get(`/finance/batches/${none}`).expect(404);
    await maker.post(`/finance/batches/${none}/submit`, {}, 1).expect(404);
    await maker.get(`/finance/batches/${none}/risk`).expect(404);
    await maker.get(`/finance/batches/${none}/items`).expect(404);
    await maker.get(`/finance/batches/${none}/events`).expect(404);
  });
});

describe('approving is refused', () => {
  test('to who made, dropped a line, or took it back: 403 maker', async () => {
    const batch = await submitted([2_000_000n, 2_000_000n]);
    expect(typeOf(await approve(batch, maker))).toBe('maker');
    const path = `/finance/batches/${batch.id}`;
    const back = await maker
      .post(`${path}/withdraw`, { reason: 'one line too many' }, batch.version)
      .expect(200);
    await checker.drop(`${path}/items/2`, back.body.version).expect(200);
    const again = await maker.post(`${path}/submit`, {}, back.body.version + 1).expect(200);
    expect(again.body.count).toBe(1);
    const refused = await approve({ ...again.body, payouts: [] }, checker);
    expect([refused.status, typeOf(refused)]).toEqual([403, 'maker']);
    expect((await approve({ ...again.body, payouts: [] }, admin)).status).toBe(200);
  });

  test('to who imported a line of it: 403 maker', async () => {
    const importer = await board.member();
    const funder = randomUUID();
    const { phone } = await board.person(0n);
    await board.owner.query(
      `insert into payout_destination (project_id, phone, rail, token_encrypted, holder_hash, last4, usable_from, made_at)
       values ($1, $2, 'multicard', 'x', $3, '4321', now() - interval '1 day', now() - interval '2 days')`,
      [PLATFORM_PROJECT_ID, phone, randomBytes(32)],
    );
    await board.fund(funder, 2_000_000n);
    const list = await supertest(board.url)
      .post(`/finance/lists?name=Grants&funder=${funder}`)
      .set('Authorization', `Bearer ${importer.token}`)
      .set('Content-Type', 'text/csv')
      .set('Idempotency-Key', randomUUID())
      .send(`Telefon;F.I.Sh.;Summa;Maqsad\r\n${phone};Vali Aliyev;20000;Grant`)
      .expect(201);
    const made = await maker.post('/finance/batches', { rail: 'multicard', name: 'Grants' }).expect(201);
    const path = `/finance/batches/${made.body.id}`;
    await maker.post(`${path}/items`, { filter: { list_id: list.body.id } }, 1).expect(200);
    const { body } = await maker.post(`${path}/submit`, {}, 2).expect(200);
    const refused = await approve({ ...body, payouts: [] }, importer);
    expect([refused.status, typeOf(refused)]).toEqual([403, 'maker']);
    expect((await approve({ ...body, payouts: [] }, checker)).status).toBe(200);
  });

  test('in another version, and by the hash of the version before', async () => {
    const before = await submitted([2_000_000n, 3_000_000n]);
    const path = `/finance/batches/${before.id}`;
    const back = await maker.post(`${path}/withdraw`, { reason: 'a line less' }, before.version).expect(200);
    await maker.drop(`${path}/items/2`, back.body.version).expect(200);
    const { body: now } = await maker.post(`${path}/submit`, {}, back.body.version + 1).expect(200);
    const ask = async (hash: string, version: number) => {
      const proof = await checker.prove(bindsOf({ ...now, content_hash: hash, version }));
      const body = approvalOf({ ...now, content_hash: hash }, proof);
      const answer = await checker.post(`${path}/approve`, body, version);
      return [answer.status, typeOf(answer)];
    };
    expect(await ask(now.content_hash, before.version)).toEqual([412, 'version-stale']);
    expect(await ask(now.content_hash, now.version + 1)).toEqual([412, 'version-stale']);
    expect(await ask(before.content_hash, now.version)).toEqual([409, 'hash-differs']);
    expect((await maker.get(path)).body.state).toBe('submitted');
  });

  test('with another total, by a tiyin, or another hash: 409 hash-differs, and the proof is not used up', async () => {
    const batch = await submitted();
    const path = `/finance/batches/${batch.id}/approve`;
    const proof = await checker.prove(bindsOf(batch));
    const body = approvalOf(batch, proof);
    for (const wrong of [
      { total: String(BigInt(batch.total) + 1n) },
      { count: batch.count + 1 },
      { hash: 'f'.repeat(64) },
    ]) {
      const answer = await checker.post(path, { ...body, ...wrong }, batch.version).expect(409);
      expect(typeOf(answer)).toBe('hash-differs');
    }
    // More than Postgres counts by.
    await checker.post(path, { ...body, count: 2_147_483_648 }, batch.version).expect(400);
    await checker.post(path, body, batch.version).expect(200);
  });

  test('with a proof of another batch, or one that was used: 403', async () => {
    const [batch, other] = [await submitted(), await submitted()];
    const proof = await checker.prove(bindsOf(other));
    const wrong = await checker.post(
      `/finance/batches/${batch.id}/approve`,
      approvalOf(batch, proof),
      batch.version,
    );
    expect([wrong.status, typeOf(wrong)]).toEqual([403, 'proof-other-subject']);
    await checker
      .post(`/finance/batches/${other.id}/approve`, approvalOf(other, proof), other.version)
      .expect(200);
    const right = await checker.prove(bindsOf(batch));
    await board.owner.query(
      'select staff_proof_outcome(p.id, p.staff_id, p.binds_hash) from staff_proof p where p.id = $1',
      [right],
    );
    const used = await checker.post(
      `/finance/batches/${batch.id}/approve`,
      approvalOf(batch, right),
      batch.version,
    );
    expect([used.status, typeOf(used)]).toEqual([403, 'proof-used']);
  });

  test('to an account of 23 hours: 403 approver-new; to one whose phone it pays: 403 own-money', async () => {
    const batch = await submitted();
    const young = await board.member('finance', 23);
    const reset = await board.member();
    await board.owner.query(`update staff set totp_bound_at = now() - interval '1 hour' where id = $1`, [
      reset.id,
    ]);
    for (const tooNew of [await approve(batch, young), await approve(batch, reset)])
      expect([tooNew.status, typeOf(tooNew)]).toEqual([403, 'approver-new']);

    const paid = await board.member('finance');
    const { rows } = await board.pool.query(
      'select x.phone from payout p join person_phone x on x.person_id = p.person_id where p.id = $1',
      [batch.payouts[0]],
    );
    await board.pool.query('select payout_handler_declare($1, $2, null)', [paid.id, rows[0].phone]);
    const own = await approve(batch, paid);
    expect([own.status, typeOf(own)]).toEqual([403, 'own-money']);
    const { data } = (await paid.get('/finance/inbox').expect(200)).body;
    expect(data.find(({ id }: { id: string }) => id === batch.id)).toMatchObject({
      may: false,
      why_not: 'own-money',
    });
  });

  test('to an operator, who may pause and read nothing', async () => {
    const batch = await submitted();
    const body = approvalOf(batch, '0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b21');
    const answer = await operator.post(`/finance/batches/${batch.id}/approve`, body, batch.version);
    expect([answer.status, typeOf(answer)]).toEqual([403, 'role-forbids']);
    await operator.get(`/finance/batches/${batch.id}`).expect(403);
    const approved = (await approve(batch, checker)).body;
    const { body: running } = await maker
      .post(`/finance/batches/${batch.id}/run`, {}, approved.version)
      .expect(200);
    const pausing = { reason: 'a look is needed' };
    await operator.post(`/finance/batches/${batch.id}/pause`, pausing, running.version).expect(200);
    await operator.post(`/finance/batches/${batch.id}/resume`, {}, running.version + 1).expect(403);
  });
});

test('a batch whose approver counts no more says so, waits in the inbox for another, and is run then', async () => {
  const batch = await submitted();
  const left = await board.member('finance');
  const { body: approved } = await approve(batch, left);
  await board.owner.query('update staff set disabled_at = now() where id = $1', [left.id]);
  const path = `/finance/batches/${batch.id}`;
  const shown = (await checker.get(path).expect(200)).body;
  expect(shown).toMatchObject({
    state: 'approved',
    approvals: [],
    approvals_gone: [{ id: left.id, email: left.email }],
    run_block: 'approval-gone',
  });
  expect(shown.next).toEqual(
    expect.arrayContaining([
      { act: 'approve', may: true, why_not: null },
      { act: 'run', may: false, why_not: 'approval-gone' },
    ]),
  );
  const refused = await maker.post(`${path}/run`, {}, approved.version);
  expect([refused.status, typeOf(refused), refused.body.who]).toEqual([409, 'approval-gone', left.email]);
  const { data } = (await checker.get('/finance/inbox').expect(200)).body;
  expect(data.find(({ id }: { id: string }) => id === batch.id)).toMatchObject({
    kind: 'batch.approve',
    may: true,
  });
  const { body: again } = await approve({ ...batch, version: approved.version }, checker);
  expect(again.approvals).toEqual([{ id: checker.id, email: checker.email }]);
  await maker.post(`${path}/run`, {}, again.version).expect(200);
});

test('a paused batch waits in the inbox to go on, and once its rest was cancelled offers nothing that is refused', async () => {
  const batch = await submitted();
  const path = `/finance/batches/${batch.id}`;
  let { version } = (await approve(batch, checker)).body;
  ({ version } = (await maker.post(`${path}/run`, {}, version).expect(200)).body);
  // On its way, so that it is not done at once.
  await board.owner.query(
    `update payout_item set state = 'dispatched', dispatch_id = $2 where batch_id = $1`,
    [batch.id, randomUUID()],
  );
  ({ version } = (await maker.post(`${path}/pause`, { reason: 'a look' }, version).expect(200)).body);
  const waits = async () => {
    const { data } = (await checker.get('/finance/inbox').expect(200)).body;
    return data.find(({ id }: { id: string }) => id === batch.id);
  };
  expect(await waits()).toMatchObject({ kind: 'batch.resume', path, may: true, why_not: null });
  const { body } = await checker.post(`${path}/cancel-rest`, { reason: 'late' }, version).expect(200);
  expect(body).toMatchObject({
    state: 'paused',
    next: [
      { act: 'resume', may: false, why_not: 'rest-cancelled' },
      { act: 'cancel-rest', may: false, why_not: 'rest-cancelled' },
    ],
  });
  expect(typeOf(await checker.post(`${path}/resume`, {}, body.version).expect(409))).toBe('rest-cancelled');
  expect(await waits()).toBeUndefined();
});

test('who made the key that asked for one of its payouts is a maker of the batch, and does not approve it', async () => {
  const keyId = randomUUID();
  const funder = await projectWithKey(keyId, checker.id);
  const payout = await board.owed(2_000_000n, { asker: `key:${keyId}`, funder });
  const { body: made } = await maker
    .post('/finance/batches', { rail: 'multicard', name: 'Drivers' })
    .expect(201);
  await maker.post(`/finance/batches/${made.id}/items`, { payouts: [payout] }, 1).expect(200);
  const { body: batch } = await maker.post(`/finance/batches/${made.id}/submit`, {}, 2).expect(200);
  const refused = await approve(batch, checker);
  expect([refused.status, typeOf(refused)]).toEqual([403, 'maker']);
  const shown = (await checker.get(`/finance/batches/${made.id}`).expect(200)).body;
  expect(shown.makers.map(({ id }: { id: string }) => id).toSorted()).toEqual(
    [maker.id, checker.id].toSorted(),
  );
  expect(shown.next).toContainEqual({ act: 'approve', may: false, why_not: 'maker' });
  expect((await approve(batch, admin)).body.state).toBe('approved');
});

/** A project with a secret key of this id, behind which this member of staff stands. */
async function projectWithKey(keyId: string, staffId: string): Promise<string> {
  const { rows } = await board.owner.query<{ id: string }>(
    `insert into project (id, slug, settings, ceilings, created_at) values (gen_random_uuid(), $1, '{}', '{}', now()) returning id`,
    [`keyed-${keyId.slice(0, 8)}`],
  );
  await board.owner.query(
    `insert into api_key (id, project_id, access, mode, hash, hint, scopes, created_at, created_by)
     values ($1, $2, 'secret', 'live', sha256(random()::text::bytea), 'abcd', '{payouts}', now(), $3)`,
    [keyId, rows[0]?.id, staffId],
  );
  return rows[0]?.id ?? '';
}

test('while a difference of its rail is unexplained a batch does not run: the answer, `next` and the inbox say why', async () => {
  const approved = (await approve(await submitted(), checker)).body;
  const { rows } = await board.owner.query(
    `insert into difference (project_id, rail, bucket, subject, amount, found_at) values ($1, 'multicard', 'wallet', 'by:1', 1, now()) returning id`,
    [PLATFORM_PROJECT_ID],
  );
  const run = () => maker.post(`/finance/batches/${approved.id}/run`, {}, approved.version);
  const answer = await run();
  expect([answer.status, typeOf(answer)]).toEqual([409, 'rail-differs']);
  const why = { may: false, why_not: 'rail-differs' };
  const { next } = (await maker.get(`/finance/batches/${approved.id}`).expect(200)).body;
  expect(next).toContainEqual({ act: 'run', ...why });
  const { data } = (await maker.get('/finance/inbox').expect(200)).body;
  expect(data.find(({ id }: { id: string }) => id === approved.id)).toMatchObject({
    kind: 'batch.run',
    ...why,
  });
  await maker.post(`/finance/differences/${rows[0].id}/note`, { note: 'a charge' }).expect(200);
  expect((await run()).body.state).toBe('running');
});

test('above 100 000 000 UZS two people approve, and one of them twice is one', async () => {
  const batch = await submitted(Array.from({ length: 26 }, () => 400_000_000n));
  expect(batch.approvals_needed).toBe(2);
  const first = await approve(batch, checker);
  expect(first.body).toMatchObject({ state: 'submitted', version: batch.version });
  expect(typeOf(await approve(batch, checker))).toBe('maker');
  expect((await approve(batch, admin)).body.state).toBe('approved');
});

describe('lines', () => {
  test('are needed to submit a batch: one without any says so, before and when it is asked', async () => {
    const made = await maker.post('/finance/batches', { rail: 'multicard', name: 'Empty' }).expect(201);
    expect(made.body.next).toContainEqual({ act: 'submit', may: false, why_not: 'batch-empty' });
    const refused = await maker.post(`/finance/batches/${made.body.id}/submit`, undefined, 1).expect(422);
    expect(typeOf(refused)).toBe('batch-empty');
    expect(refused.body.next_step).toContain('POST /finance/batches/{id}/items');
  });

  test('are added by a filter, as many as wait, and none twice', async () => {
    const from = new Date(Date.now() - 1_000).toISOString();
    await board.pending(7_700_000n);
    await board.pending(7_700_000n);
    await board.pending(7_700_001n);
    const made = await maker.post('/finance/batches', { rail: 'multicard', name: 'By filter' }).expect(201);
    const path = `/finance/batches/${made.body.id}/items`;
    const filter = { source: 'withdrawal', from, amount_max: '7700000' };
    const dry = await maker.post(path, { filter, dry_run: true }, 1).expect(200);
    expect(dry.body).toMatchObject({ added: 2, added_total: '15400000', count: 0, version: 1 });
    const stale = await maker.post(path, { filter, dry_run: true }, 2).expect(412);
    expect(typeOf(stale)).toBe('version-stale');
    const added = await maker.post(path, { filter }, 1).expect(200);
    expect(added.body).toMatchObject({ added: 2, count: 2, total: '15400000', version: 2 });
    const none = await maker.post(path, { filter }, 2).expect(422);
    expect(typeOf(none)).toBe('no-payouts-match');
    expect(none.body.detail).toContain('A card or an account is paid 24 hours after it was new.');
  });

  test('are all or none: one that can’t be paid is told by its reason', async () => {
    const [good, young] = [await board.pending(), await board.pending(2_000_000n)];
    await board.owner.query(
      `insert into payout_block (person_id, reason, made_at) select person_id, 'phone-lost', now() from payout where id = $1`,
      [young],
    );
    const made = await maker.post('/finance/batches', { rail: 'multicard', name: 'Blocked' }).expect(201);
    const path = `/finance/batches/${made.body.id}/items`;
    const refused = await maker.post(path, { payouts: [good, young] }, 1).expect(422);
    expect(typeOf(refused)).toBe('blocked');
    expect(refused.body).toMatchObject({
      payout_id: young,
      detail: expect.stringContaining(`Payout ${young}: `),
    });
    const none = randomUUID();
    expect((await maker.post(path, { payouts: [good, none] }, 1).expect(404)).body.payout_id).toBe(none);
    const twice = await maker.post(path, { payouts: [good, good] }, 1).expect(409);
    expect(twice.body).toMatchObject({ state: 'batched', payout_id: good });
    expect((await maker.get(`/finance/batches/${made.body.id}`)).body.count).toBe(0);
  });

  test('that are frozen are looked at again: the one that can’t be paid is told by its number and its payout', async () => {
    const payouts = [await board.pending(), await board.pending(), await board.pending()];
    const made = await maker.post('/finance/batches', { rail: 'multicard', name: 'Gone' }).expect(201);
    const path = `/finance/batches/${made.body.id}`;
    await maker.post(`${path}/items`, { payouts }, 1).expect(200);
    await board.owner.query(
      'update payout_destination set removed_at = now() where id = (select destination_id from payout where id = $1)',
      [payouts[1]],
    );
    const refused = await maker.post(`${path}/submit`, {}, 2).expect(422);
    expect(typeOf(refused)).toBe('destination-gone');
    expect(refused.body).toMatchObject({
      line: 2,
      payout_id: payouts[1],
      detail: expect.stringContaining(`Line 2, payout ${payouts[1]}: `),
    });
  });

  test('are told page by page and as a file with count and sum', async () => {
    const { id } = await draft([2_000_000n, 2_500_000n, 3_000_000n]);
    const path = `/finance/batches/${id}/items`;
    const first = (await maker.get(`${path}?limit=2`).expect(200)).body;
    expect(first.data.map(({ n, net }: { n: number; net: string }) => [n, net])).toEqual([
      [1, '2000000'],
      [2, '2500000'],
    ]);
    expect((await maker.get(`${path}?limit=2&after=${first.next_after}`)).body.data).toHaveLength(1);
    const csv = await maker.get(path).set('Accept', 'text/csv').expect(200);
    const lines = csv.text.trim().split('\r\n');
    expect(lines).toHaveLength(5);
    expect(lines.at(-1)).toMatch(/^total,3,,75000\.00,7500000,/);
  });

  test('after a number that no line has are none; after what is no number of a line is 400', async () => {
    const path = `/finance/batches/${(await draft()).id}/items`;
    expect((await maker.get(`${path}?after=2147483647`).expect(200)).body).toEqual({
      data: [],
      next_after: null,
    });
    for (const after of ['-1', '1.5', '2147483648'])
      expect(typeOf(await maker.get(`${path}?after=${after}`).expect(400))).toBe('invalid-request');
  });

  test.each([
    [{ payouts: [] }, '/payouts'],
    [{}, '/payouts'],
    [{ payouts: ['0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b21'], filter: {} }, '/payouts'],
    [{ payouts: ['0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b21'], dry_run: true }, '/dry_run'],
    [{ filter: { amount_max: '1.5' } }, '/filter/amount_max'],
    [{ filter: { rail: 'multicard' } }, '/filter/rail'],
  ])('%j names what is wrong', async (body, pointer) => {
    const { id, version } = await draft();
    const answer = await maker.post(`/finance/batches/${id}/items`, body, version).expect(400);
    expect(answer.body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
  });
});

test('the risk panel counts what a thief would show', async () => {
  const shared = Buffer.alloc(32, 7);
  const payouts = [
    await board.owed(2_000_000n, { days: 2 }),
    await board.pending(3_000_000n, { holder: shared }),
    await board.pending(4_000_000n, { holder: shared }),
  ];
  const made = await maker.post('/finance/batches', { rail: 'multicard', name: 'Risky' }).expect(201);
  await maker.post(`/finance/batches/${made.body.id}/items`, { payouts }, 1).expect(200);
  const { body, headers } = await checker.get(`/finance/batches/${made.body.id}/risk`).expect(200);
  // All that an approval names: nobody has to read the batch besides.
  expect([headers['etag'], body.batch]).toEqual([
    '"2"',
    expect.objectContaining({ version: 2, count: 3, total: '9000000', content_hash: null }),
  ]);
  expect(body).toMatchObject({
    new_destinations: { count: 1, total: '2000000' },
    shared_cards: { count: 2, total: '7000000' },
    first_payouts: { count: 3, total: '9000000' },
    blocked: { count: 0, total: '0' },
    repeated_payees: { count: 0 },
  });
  expect(body.largest.map(({ net }: { net: string }) => net)).toEqual(['4000000', '3000000', '2000000']);
});

test('what a revoked key asked for is a sign of risk, and is found by the key', async () => {
  const [revoked, other] = [randomUUID(), randomUUID()];
  const owedBy = async (keyId: string, tiyin: bigint) => {
    const funder = await projectWithKey(keyId, admin.id);
    return board.owed(tiyin, { asker: `key:${keyId}`, funder });
  };
  const payouts = [await owedBy(revoked, 2_000_000n), await owedBy(other, 3_000_000n)];
  const made = await maker.post('/finance/batches', { rail: 'multicard', name: 'Leaked' }).expect(201);
  await maker.post(`/finance/batches/${made.body.id}/items`, { payouts }, 1).expect(200);
  const sign = async () =>
    (await checker.get(`/finance/batches/${made.body.id}/risk`).expect(200)).body.revoked_keys;
  expect(await sign()).toEqual({ count: 0, total: '0' });
  await board.owner.query('update api_key set revoked_at = now() where id = $1', [revoked]);
  expect(await sign()).toEqual({ count: 1, total: '2000000' });
  const found = await checker.get(`/finance/payouts?asked_by=key:${revoked}`).expect(200);
  expect(found.body.data.map(({ id }: { id: string }) => id)).toEqual([payouts[0]]);
  const wrong = await checker.get('/finance/payouts?asked_by=key:demo').expect(400);
  expect(wrong.body.errors[0].detail).toContain('`key:ID`');
});

test('who follows a batch is told how it is now, and each further one up to four', async () => {
  const { id } = await draft();
  const follow = () =>
    fetch(`${board.url}/finance/batches/${id}/events`, { headers: { Authorization: auth } });
  const auth = `Bearer ${await board.openBearer(checker)}`;
  const streams = await Promise.all([follow(), follow(), follow(), follow()]);
  const [first] = streams;
  const reader = first?.body?.getReader();
  const { value } = (await reader?.read()) ?? {};
  const text = new TextDecoder().decode(value);
  expect(text).toMatch(/^id: 2-0-0-0-0-0\nevent: progress\ndata: \{"state":"draft","version":2,/);
  const fifth = await follow();
  expect([fifth.status, ((await fifth.json()) as { type: string }).type]).toEqual([
    429,
    'urn:navbat:problem:too-many-subscribers',
  ]);
  for (const stream of streams.slice(1)) await stream.body?.cancel();
  await reader?.cancel();
  await expect.poll(async () => (await follow()).status, { timeout: 10_000 }).toBe(200);
});

test('who comes back with Last-Event-ID is told what they have not; a line that is dropped is told too', async () => {
  const { id } = await draft([2_000_000n, 3_000_000n]);
  const token = await board.openBearer(maker);
  const path = `${board.url}/finance/batches/${id}/events`;
  const first = await openStream(path, token);
  await expect.poll(() => first.events, { timeout: 5_000 }).toHaveLength(1);
  const [known] = first.events;
  const counts = { paid: { count: 0 }, dropped: { count: 0 } };
  expect(known).toMatchObject({ id: '2-0-0-0-0-0', event: 'progress', data: { version: 2, items: counts } });
  first.close();
  const back = await openStream(path, token, { 'Last-Event-ID': known?.id ?? '' });
  await sleep(2_500);
  expect(back.events).toEqual([]);
  // As housekeeping goes on with a rest that was cancelled: the version stays.
  await board.owner.query(
    `with gone as (update payout_item set state = 'dropped' where batch_id = $1 and n = 2 returning payout_id)
     update payout p set state = 'pending' from gone g where p.id = g.payout_id`,
    [id],
  );
  await expect.poll(() => back.events, { timeout: 5_000 }).toHaveLength(1);
  const dropped = { count: 1, total: '3000000' };
  expect(back.events).toMatchObject([{ id: '2-0-0-0-0-1', data: { version: 2, items: { dropped } } }]);
});
