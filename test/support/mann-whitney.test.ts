import { expect, test } from 'vitest';
import { mannWhitneyP } from './mann-whitney.ts';

const upTo = (count: number, more = 0) => Array.from({ length: count }, (_, index) => index + 1 + more);
const thrice = (values: readonly number[]) => [...values, ...values, ...values];

/** Expected values by SciPy 1's `mannwhitneyu(…, method='asymptotic')`. */
test('the p-value is that of another implementation, with ties and without', () => {
  expect(mannWhitneyP(upTo(30), upTo(30, 6.5))).toBeCloseTo(0.0103146724, 6);
  const [a, b] = [
    [1, 2, 2, 3, 3, 3, 4, 5, 5, 6],
    [2, 3, 3, 4, 4, 5, 5, 6, 7, 7],
  ] as const;
  expect(mannWhitneyP(thrice(a), thrice(b))).toBeCloseTo(0.0085383443, 6);
});

test('one sample is not told from itself, and a shift of all is', () => {
  expect(mannWhitneyP(upTo(100), upTo(100))).toBeCloseTo(1, 6);
  expect(mannWhitneyP([5, 5, 5], [5, 5, 5])).toBe(1);
  expect(mannWhitneyP(upTo(100), upTo(100, 100))).toBeLessThan(1e-6);
});
