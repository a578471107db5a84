import { describe, expect, test } from 'vitest';
import { v7 as uuidv7 } from 'uuid';
import { PHONE, OTHER_PHONE, HOUR_MS, ids, openOps } from './open-ops.ts';

const { board, operator, viewer, shop, ago, seed, search } = await openOps();

describe('search', () => {
  test('finds a job by its id and by the id of what it serves', async () => {
    const { id, verificationId } = await seed();
    expect(await search(id)).toBe(`/ops/jobs/${id}`);
    expect(await search(verificationId)).toBe(`/ops/jobs/${id}`);
  });

  test('finds a recipient by number however it is written, and by id, and no link or log line carries the number', async () => {
    const { id } = await seed();
    await seed({ phone: OTHER_PHONE });
    const recipientId = uuidv7();
    const hash = board.addressHash(PHONE);
    await board.pool.query(
      'insert into recipient (id, project_id, phone, address_hash, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)',
      [recipientId, shop, PHONE, hash, board.time.now],
    );
    const address = `/ops/recipients/${hash.toString('hex')}`;
    for (const q of [PHONE, '+998 90 123-45-67', recipientId]) expect(await search(q)).toBe(address);
    expect(ids(await viewer.json(`/ops/jobs?recipient=${encodeURIComponent(PHONE)}`))).toEqual([id]);
    expect(ids(await viewer.json(`/ops/jobs?recipient=${recipientId}`))).toEqual([id]);
    expect(
      (await viewer.get(`/ops/recipients?recipient=${encodeURIComponent(PHONE)}`)).headers['location'],
    ).toBe(address);
    expect(board.log.join('')).not.toContain('901234567');
  });

  test('finds an error in the reason of a job or of an attempt, as text and not as a pattern', async () => {
    const byJob = await seed({ state: 'rejected', reason: '100%_sure' });
    const byAttempt = await seed({
      state: 'failed',
      reason: 'other',
      attempts: [{ channel: 'sms', provider: 'twilio', outcome: 'failed', reason: 'not 100%_SURE' }],
    });
    await seed({ state: 'rejected', reason: '100 or sure' });
    expect(await search('100%_sure')).toBe('/ops/jobs?text=100%25_sure&hours=168');
    expect(ids(await viewer.json('/ops/jobs?text=100%25_sure'))).toEqual(
      [byAttempt.id, byJob.id].toSorted().toReversed(),
    );
  });

  test('narrows by kind, state, project, reason and time', async () => {
    const { id } = await seed({ state: 'rejected', reason: 'landline' });
    await seed({ state: 'rejected', reason: 'landline' }, 'taxi');
    await seed({ state: 'rejected', reason: 'filtered' });
    await seed({ state: 'failed', reason: 'landline' });
    await seed({ state: 'rejected', reason: 'landline', at: ago(25 * HOUR_MS) });
    expect(
      ids(await viewer.json('/ops/jobs?kind=otp-send&state=rejected&project=shop&reason=landline')),
    ).toEqual([id]);
  });

  test.each([
    '/ops/jobs?state=happy',
    '/ops/jobs?kind=tea',
    '/ops/jobs?hours=2',
    '/ops/jobs?cursor=nonsense',
    '/ops/jobs?text=%00',
    '/ops/jobs?text=a&text=b',
    '/ops/jobs?recipient=nobody',
    '/ops/jobs?limit=100000',
  ])('%s is refused and named', async (path) => {
    const answer = await viewer.get(path).set('Accept', 'application/json');
    expect([answer.status, answer.headers['content-type']]).toEqual([
      400,
      'application/problem+json; charset=utf-8',
    ]);
  });
});

test('nothing under /ops shows a whole number, a key id of a code, metadata or a client', async () => {
  const { id } = await seed({ state: 'rejected', reason: 'landline' });
  await board.owner.query(
    `update verification set metadata = '{"note":"meta-secret"}', client = '{"ip":"203.0.113.9"}', code_kid = 'kid-secret'`,
  );
  await board.owner.query(
    `insert into recipient (id, project_id, phone, address_hash, push_token_encrypted, telegram_chat_id, created_at, updated_at)
     values ($1, $2, $3, $4, 'encrypted-secret', 77000111, $5, $5)`,
    [uuidv7(), shop, PHONE, board.addressHash(PHONE), board.time.now],
  );
  const address = board.addressHash(PHONE).toString('hex');
  for (const path of [
    '/ops',
    '/ops/jobs',
    `/ops/jobs/${id}`,
    `/ops/recipients/${address}`,
    '/ops/failures',
    '/ops/retry',
    '/ops/queues',
    '/ops/audit',
  ])
    for (const format of ['text/html', 'application/json']) {
      const { status, text } = await operator.get(path).set('Accept', format);
      expect([path, status]).toEqual([path, 200]);
      expect(text).not.toMatch(
        /998901234567|meta-secret|203\.0\.113\.9|kid-secret|encrypted-secret|77000111|password_hash|token_hash/,
      );
    }
  const known = (await viewer.json(`/ops/recipients/${address}`)).known;
  expect(known).toMatchObject([{ project: 'shop', phone: '+998•••••••67', telegram: true, push: true }]);
});

describe('search as people type', () => {
  test('finds a number in any form that people write', async () => {
    const address = `/ops/recipients/${board.addressHash(PHONE).toString('hex')}`;
    for (const q of [
      '998901234567',
      '90 123 45 67',
      '901234567',
      '(90) 123-45-67',
      '00998901234567',
      ' +998 90 1234567',
    ])
      expect([q, await search(q)]).toEqual([q, address]);
  });

  test('finds a job by the end of its id as lists print it, and by its request id', async () => {
    const { id } = await seed();
    await seed();
    expect(await search(`…${id.slice(-12)}`)).toBe(`/ops/jobs/${id}`);
    expect(await search(id.slice(-12))).toBe(`/ops/jobs/${id}`);
    const { rows } = await board.owner.query<{ request_id: string }>(
      'select request_id from job where id = $1',
      [id],
    );
    expect(await search(rows[0]?.request_id ?? '')).toBe(`/ops/jobs/${id}`);
  });

  test('lists all jobs of one request', async () => {
    const ids = [(await seed()).id, (await seed()).id];
    await board.owner.query(`update job set request_id = 'req-of-two'`);
    expect(await search('req-of-two')).toBe('/ops/jobs?text=req-of-two&hours=168');
    const { data } = await viewer.json('/ops/jobs?text=req-of-two&hours=168');
    expect(data.map(({ id }: { id: string }) => id).toSorted()).toEqual(ids.toSorted());
  });
});
