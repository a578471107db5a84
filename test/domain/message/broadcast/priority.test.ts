import { expect, test } from 'vitest';
import { priorities } from '../../../../domain/job/priority.ts';
import { priorityFault, priorityFor } from '../../../../domain/message/broadcast/priority.ts';

test('urgent is for one recipient, normal for a hundred, bulk for any number', () => {
  expect(priorityFault('urgent', 1)).toBeNull();
  expect(priorityFault('urgent', 2)).toContain('urgent');
  expect(priorityFault('normal', 100)).toBeNull();
  expect(priorityFault('normal', 101)).toContain('100');
  expect(priorityFault('bulk', 1)).toBeNull();
  expect(priorityFault('bulk', 10_000)).toBeNull();
});

test('what is given to a message that names no priority is always allowed, and never urgent', () => {
  for (const recipients of [1, 2, 100, 101, 10_000]) {
    const given = priorityFor(recipients);
    expect(priorities).toContain(given);
    expect(given).not.toBe('urgent');
    expect(priorityFault(given, recipients)).toBeNull();
  }
  expect(priorityFor(1)).not.toBe(priorityFor(2));
});
