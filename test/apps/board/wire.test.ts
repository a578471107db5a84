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
