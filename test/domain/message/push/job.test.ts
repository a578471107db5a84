import { expect, test } from 'vitest';
import { push } from '../../../../domain/message/push/job.ts';

const broadcast_id = '01990000-0000-7000-8000-000000000001';
const takes = (payload: object) => push.payload.safeParse({ broadcast_id, ...payload }).success;

test('the row of a push names one target, and a token only where it is encrypted', () => {
  for (const to of [
    { by: 'recipient', recipient_id: broadcast_id },
    { by: 'token', token_encrypted: 'x' },
    { by: 'topic', topic: 'news' },
  ])
    expect(takes({ to }), to.by).toBe(true);
  for (const to of [
    {},
    { by: 'token', token: 'plain' },
    { by: 'recipient', recipient_id: 'x' },
    { by: 'chat' },
  ])
    expect(takes({ to })).toBe(false);
  expect(push.payload.safeParse({ to: { by: 'topic', topic: 'news' } }).success).toBe(false);
});
