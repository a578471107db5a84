import { expect, test } from 'vitest';
import { jobKinds } from '../../domain/jobs.ts';
import { defaultProducts, isOn, jobsOf, needsOf, products } from '../../domain/products.ts';

const kinds = (on: readonly (typeof products)[number][]) => Object.keys(jobsOf(new Set(on)));

test('an installation of every product has every kind of job', () => {
  expect(kinds(products).toSorted()).toEqual(jobKinds.toSorted());
});

test('one without products has what the platform needs alone', () => {
  expect(kinds([])).toEqual(['webhook']);
  expect(isOn(new Set(), 'platform')).toBe(true);
});

test.each(products)('%s alone brings its own kinds and none of the others', (product) => {
  const others = products.filter((one) => one !== product);
  const own = kinds([product]).filter((kind) => kind !== 'webhook');
  expect(kinds(others).filter((kind) => own.includes(kind))).toEqual([]);
  for (const other of others) expect(isOn(new Set([product]), other)).toBe(false);
});

test('what is on by default needs nothing that is not', () => {
  for (const product of defaultProducts)
    expect(defaultProducts).toEqual(expect.arrayContaining([...needsOf(product)]));
});
