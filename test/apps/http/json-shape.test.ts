import { expect, test } from 'vitest';
import { shapeFault } from '../../../apps/http/json-shape.ts';

const faultOf = (value: unknown) => shapeFault(Buffer.from(JSON.stringify(value)), 22_000);
const members = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, 1]));

test('an object of more than a thousand members is refused before it is built, wherever it stands', () => {
  expect(faultOf(members(1_000))).toBeNull();
  expect(faultOf(members(1_001))).toBe('may not hold an object of more than 1000 members');
  expect(faultOf({ data: [1, members(1_001)] })).toBe('may not hold an object of more than 1000 members');
});

test('members are counted for each object apart, and what stands in texts is none', () => {
  expect(faultOf(Array.from({ length: 5 }, () => members(1_000)))).toBeNull();
  expect(faultOf({ text: ':'.repeat(5_000), more: members(999) })).toBeNull();
  expect(faultOf({ ...members(998), inner: members(10), after: 1 })).toBeNull();
  expect(shapeFault(Buffer.from(`}}}}${'"a":1,'.repeat(5_000)}`), 22_000)).toBeNull();
});
