import { expect, test } from 'vitest';
import { trafficName } from '../../../../domain/earn/explain/explain.ts';

const ID = '0198c2f4-7a10-7b3e-9f52-1c0d7e6a4b24';

test.each([
  [ID, { kind: 'session', id: ID }],
  [`${ID}:2026-11-29`, { kind: 'day', person: ID, day: '2026-11-29' }],
  [`${ID}:2026-02-30`, null],
  // A line of a batch.
  [`${ID}:4`, null],
  ['rail-4711', null],
])('%s names %j', (text, named) => {
  expect(trafficName(text)).toEqual(named);
});
