import { expect, test } from 'vitest';
import { openBoard } from './open-board.ts';

test('a board without messages has none of their queues, and the chats that codes found closed', async () => {
  const board = await openBoard({ env: { NAVBAT_PRODUCTS: 'verify' } });
  const admin = await board.session('admin');
  expect((await admin.get('/ops/chats')).status).toBe(200);
  const queues = (await admin.get('/api/queues')).body.queues.map(({ name }: { name: string }) => name);
  expect(queues.toSorted()).toEqual(['otp-send', 'webhook']);
  await board.close();
});

test('while Redis is away a pause is still recorded, and the answer says that the queue was not told', async () => {
  const alone = await openBoard({ redisUrl: 'redis://127.0.0.1:1' });
  const admin = await alone.session('admin');
  const answer = await admin.postJson('/ops/queues/otp-send/pause', { why: 'a test' });
  expect([answer.status, answer.body]).toEqual([200, { done: true, told: false }]);
  expect((await alone.pool.query('select paused_by from queue')).rows).toEqual([{ paused_by: admin.email }]);
  expect((await admin.get('/ops')).status).toBe(200);
  expect((await admin.get('/api/queues')).status).toBe(503);
  await alone.close();
});
