import { expect, test } from 'vitest';
import { jobs } from '../../../domain/jobs.ts';
import { scheduledQueues } from '../../../workers/engine/scheduler.ts';

const inFlight = (perSecond: Record<string, number>) =>
  Object.fromEntries(scheduledQueues(jobs, perSecond).map(({ kind, inFlightMax }) => [kind, inFlightMax]));

test('codes wait for no scheduler; the other kinds have twice in flight what a worker works on at once', () => {
  expect(inFlight({})).toEqual({
    'telegram-message': 400,
    push: 400,
    webhook: 800,
    payout: 192,
    'payout-link': 40,
    'traffic-report': 8,
  });
});

test.each([
  [1, 4],
  [16, 4],
  [17, 5],
  [30, 8],
  [1_600, 400],
  [1_604, 400],
])('a bot of %i messages a second has %i in flight', (perSecond, expected) => {
  expect(inFlight({ 'telegram-message': perSecond })['telegram-message']).toBe(expected);
});
