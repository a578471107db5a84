import { expect, test } from 'vitest';
import { finalStates } from '../../../domain/job/job.ts';
import { retriableStates } from '../../../domain/staff/command.ts';

test('what has been done, or was somebody’s will, is not done again; any other end may be turned', () => {
  expect([...retriableStates, 'completed', 'cancelled'].toSorted()).toEqual(finalStates.toSorted());
});
