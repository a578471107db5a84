import { expect, test } from 'vitest';
import { EVENT_LIFE_DAYS, webhook } from '../../../domain/webhook/job.ts';

const DAY_MS = 86_400_000;
const { delaysMs, attemptsMax, attemptTimeoutMs } = webhook;

test('each pause is longer than the one before, and each has its try', () => {
  expect(delaysMs.length).toBeGreaterThan(0);
  expect(delaysMs).toEqual([...new Set(delaysMs)].toSorted((a, b) => a - b));
  expect(attemptsMax).toBe(delaysMs.length + 1);
});

test('an event is tried for more than three days, and the whole curve with its jitter ends before its life does', () => {
  const curveMs = delaysMs.reduce((sum, ms) => sum + ms, 0);
  expect(curveMs).toBeGreaterThan(3 * DAY_MS);
  expect(curveMs * 1.25 + attemptsMax * attemptTimeoutMs).toBeLessThan(EVENT_LIFE_DAYS * DAY_MS);
});

test('the row of a call carries ids, and never what it tells', () => {
  const event_id = '01990000-0000-7000-8000-000000000001';
  for (const endpoint_id of [event_id, null])
    expect(webhook.payload.parse({ event_id, endpoint_id, url: 'x', body: 'y' })).toEqual({
      event_id,
      endpoint_id,
    });
  expect(webhook.payload.safeParse({ event_id }).success).toBe(false);
});
