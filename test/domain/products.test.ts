import { expect, test } from 'vitest';
import { jobKinds } from '../../domain/jobs.ts';
import { isOn, jobsOf, products } from '../../domain/products.ts';

const kinds = (...on: (typeof products)[number][]) => Object.keys(jobsOf(new Set(on)));

test('an installation of every product has every kind of job', () => {
  expect(kinds(...products).toSorted()).toEqual(jobKinds.toSorted());
});

test('one without a product has none of its kinds, and what the platform needs all the same', () => {
  expect(kinds()).toEqual(['webhook']);
  expect(kinds('verify').toSorted()).toEqual(['otp-send', 'webhook']);
  expect(kinds('message')).not.toContain('otp-send');
  expect(isOn(new Set(), 'platform')).toBe(true);
  expect(isOn(new Set(['message']), 'verify')).toBe(false);
});
