import { expect, test } from 'vitest';
import { classifyResponse } from '../../../domain/webhook/classify-response.ts';
import { retryAfterMs } from '../../../domain/shared/retry-after.ts';

const now = new Date('2026-11-28T18:46:00Z');
const HOUR_MS = 3_600_000;
const read = (header: string | null) => retryAfterMs(header, now, HOUR_MS);

test.each([
  ['0', 0],
  ['7', 7_000],
  [' 7 ', 7_000],
  ['3600', HOUR_MS],
  ['3601', HOUR_MS],
  ['9'.repeat(400), HOUR_MS],
  ['Sat, 28 Nov 2026 18:47:30 GMT', 90_000],
  ['Saturday, 28-Nov-26 18:47:30 GMT', 90_000],
  ['Sat Nov 28 18:47:30 2026', 90_000],
  ['Sat Nov  7 18:47:30 2026', 0],
  // More than 50 years ahead is the last century.
  ['Monday, 28-Nov-77 18:47:30 GMT', 0],
  ['Saturday, 28-Nov-76 18:47:30 GMT', HOUR_MS],
  ['Sat, 28 Nov 2026 18:45:00 GMT', 0],
])('%s is read as RFC 9110 says', (header, ms) => {
  expect(read(header)).toBe(ms);
});

const noTimes = [
  null,
  '',
  '-1',
  '+7',
  '1.5',
  '1e3',
  '0x10',
  '7 s',
  '12/1',
  'May 2027',
  '2026-11-28T18:47:30Z',
  'tomorrow',
  'Sat, 28 Nov 2026 18:47:30 +0500',
  'Sat, 28 Nov 2026 18:47:30',
  'Sat, 28 nov 2026 18:47:30 GMT',
  'Mon, 30 Feb 2026 18:47:30 GMT',
  'Sat, 28 Nov 2026 24:00:00 GMT',
];
test.each(noTimes)('%s is no Retry-After: an endpoint that says so has asked for no time', (header) => {
  expect(read(header)).toBeUndefined();
  const answered = { kind: 'answered', status: 503, retryAfter: header, body: '' } as const;
  expect(classifyResponse(answered, 'event', 0, now).reply).toEqual({ kind: 'faulted', reason: 'http-5xx' });
});
