import { expect, test } from 'vitest';
import { messageEvents } from '../../../domain/message/events.ts';

const id = '01990000-0000-7000-8000-000000000001';
const at = '2026-01-15T10:00:00.000Z';
const press = {
  id: '1',
  data: 'x',
  chat_id: -1_001_234_567_890,
  message_id: 1,
  user_id: 7,
  recipient_id: null,
  job_id: id,
  broadcast_id: id,
  pressed_at: at,
};

test('a message that ended has an end: one that runs is no event', () => {
  const ended = {
    id,
    kind: 'push',
    broadcast_id: id,
    reason: null,
    to: null,
    accepted_at: at,
    finished_at: at,
  };
  for (const type of ['message.sent', 'message.failed'] as const) {
    expect(messageEvents[type].data.safeParse({ ...ended, state: 'completed' }).success).toBe(true);
    expect(messageEvents[type].data.safeParse({ ...ended, state: 'running' }).success).toBe(false);
    expect(
      messageEvents[type].data.safeParse({ ...ended, state: 'completed', finished_at: null }).success,
    ).toBe(false);
  }
});

test('a press names whose it is, in groups and for people that the project does not know', () => {
  const { data } = messageEvents['telegram.callback'];
  expect(data.parse(press)).toEqual(press);
  expect(data.safeParse({ ...press, user_id: null }).success).toBe(false);
  expect(data.safeParse({ ...press, chat_id: '-100' }).success).toBe(false);
});

test('no count of a broadcast is negative', () => {
  const { data } = messageEvents['broadcast.finished'];
  const counts = { total: 0, sent: 0, failed: 0, blocked: 0, cancelled: 0, waiting: 0 };
  const body = { id, kind: 'push', state: 'finished', created_at: at, finished_at: at, ...counts };
  expect(data.safeParse(body).success).toBe(true);
  for (const name of Object.keys(counts))
    expect(data.safeParse({ ...body, [name]: -1 }).success, name).toBe(false);
});
