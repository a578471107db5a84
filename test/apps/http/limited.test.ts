import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { noteLimited } from '../../../apps/http/limited.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('who floods one route at one limit makes two lines in ten seconds, and the second counts the others', () => {
  const lines: { reason: string; suppressed?: number }[] = [];
  const log = pino(
    { level: 'warn' },
    { write: (line: string) => void lines.push(JSON.parse(line) as never) },
  );
  const limited = { request_id: 'r', method: 'GET', route: '/a', reason: 'key' };
  for (let n = 0; n < 100; n += 1) noteLimited(log, limited);
  noteLimited(log, { ...limited, reason: 'address' });
  expect(lines.map(({ reason }) => reason)).toEqual(['key', 'address']);
  vi.advanceTimersByTime(10_000);
  expect(lines.slice(2)).toMatchObject([{ reason: 'key', suppressed: 99 }]);
  noteLimited(log, limited);
  expect(lines).toHaveLength(4);
});
