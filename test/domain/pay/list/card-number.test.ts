import { expect, test } from 'vitest';
import { holdsCardNumber } from '../../../../domain/pay/list/card-number.ts';

const HUMO = '9860 0101 2345 6781';
const ENOUGH_MS = 2_000;

test('a number among very many groups is found, and a text of 60 000 of them takes no minute', () => {
  const groups = '1 '.repeat(60_000);
  const began = performance.now();
  expect(holdsCardNumber(`${groups}x`)).toBe(false);
  expect(holdsCardNumber(`${groups}x ${HUMO}`)).toBe(true);
  expect(performance.now() - began).toBeLessThan(ENOUGH_MS);
});

test('a number whose digits stand one by one is found', () => {
  expect(holdsCardNumber(Array.from(HUMO.replaceAll(' ', '')).join(' '))).toBe(true);
});
