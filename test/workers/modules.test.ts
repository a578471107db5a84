import { expect, test } from 'vitest';
import { jobs } from '../../domain/jobs.ts';
import { jobsOf, type Product, products } from '../../domain/products.ts';
import { wireModules } from '../../workers/modules.ts';
import type { WorkerPlatform } from '../../workers/wire.ts';

/** Wiring opens nothing: it needs no platform yet. */
const kindsOf = (...on: Product[]) =>
  wireModules({} as WorkerPlatform, new Set(on)).flatMap(({ workers }) => Object.keys(workers ?? {}));

test('every kind is worked on by one context', () => {
  expect(kindsOf(...products).toSorted()).toEqual(Object.keys(jobs).toSorted());
});

test.each(products)('with %s alone the kinds of the other products have no worker', (product) => {
  expect(kindsOf(product).toSorted()).toEqual(Object.keys(jobsOf(new Set([product]))).toSorted());
});
