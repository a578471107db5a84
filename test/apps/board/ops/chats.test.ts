import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBoard, type OpenBoard } from '../open-board.ts';

let board: OpenBoard;
beforeAll(async () => {
  board = await openBoard();
  await board.pool.query(
    `insert into telegram_chat (chat_id, unreachable, unreachable_at, opted_out_at)
     values (-100123, 'bot-kicked', now(), null), (77, 'bot-blocked', now(), now())`,
  );
});
afterAll(() => board.close());

const closed = async (id: string) =>
  (await board.pool.query('select closed_reason from telegram_chat where chat_id = $1', [id])).rows[0];

test('staff open a closed group with a reason, which is audited; a /stop stays, and looking is all that others may do', async () => {
  const operator = await board.session('operator');
  const page = await operator.get('/ops/chats');
  expect(page.text).toContain('action="/ops/chats/-100123/open"');
  expect(page.text).not.toContain('/ops/chats/77/open');
  const viewer = await board.session('viewer');
  expect((await viewer.get('/ops/chats')).text).not.toContain('action="/ops/chats');
  expect((await viewer.post('/ops/chats/-100123/open', { why: 'a test' })).status).toBe(403);
  expect((await operator.post('/ops/chats/-100123/open')).status).toBe(400);
  expect(await closed('-100123')).toEqual({ closed_reason: 'bot-kicked' });

  expect((await operator.post('/ops/chats/-100123/open', { why: 'let in again' })).status).toBe(303);
  expect(await closed('-100123')).toEqual({ closed_reason: null });
  expect((await board.audit()).at(-1)).toEqual({
    actor: operator.email,
    action: 'chat.open',
    subject: '-100123',
    detail: { outcome: 'done', why: 'let in again' },
  });
  for (const id of ['77', '0', '99999999999999999999', '4711'])
    expect([id, (await operator.post(`/ops/chats/${id}/open`, { why: 'a test' })).status]).toEqual([id, 404]);
  expect(await closed('77')).toEqual({ closed_reason: 'opted-out' });
});
