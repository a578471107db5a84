import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { batcher } from '../../../../infra/postgres/engine/batcher.ts';

function refusal(code: string): pg.DatabaseError {
  const error = new pg.DatabaseError('refused', 0, 'error');
  error.code = code;
  return error;
}

/** A batcher of numbers that doubles them; what it was given, batch by batch. */
function doubling(fail: (items: readonly number[]) => Error | null = () => null, more: object = {}) {
  const batches: (readonly number[])[] = [];
  const call = batcher<number, number>({
    name: 'test',
    sizeMax: 3,
    inFlightMax: 1,
    run: async (items) => {
      batches.push(items);
      const error = fail(items);
      if (error) throw error;
      return items.map((item) => item * 2);
    },
    ...more,
  });
  return { call, batches };
}

test('calls that arrive together go together, each with its own answer, and no batch is larger than it may be', async () => {
  const { call, batches } = doubling();
  expect(await Promise.all([1, 2, 3, 4].map(call))).toEqual([2, 4, 6, 8]);
  expect(batches).toEqual([[1, 2, 3], [4]]);
});

test('what arrives while as many batches are under way as may be forms the next one', async () => {
  let open: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const batches: (readonly number[])[] = [];
  const call = batcher<number, number>({
    name: 'test',
    sizeMax: 10,
    inFlightMax: 1,
    run: async (items) => {
      batches.push(items);
      await gate;
      return items;
    },
  });
  const first = call(1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const later = [2, 3].map(call);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(batches).toEqual([[1]]);
  open();
  expect(await Promise.all([first, ...later])).toEqual([1, 2, 3]);
  expect(batches).toEqual([[1], [2, 3]]);
});

describe('a batch that Postgres refuses', () => {
  test('is run again item by item, so that the bad one fails alone', async () => {
    const { call } = doubling((items) => (items.includes(2) ? refusal('23505') : null));
    const ends = await Promise.allSettled([1, 2, 3].map(call));
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  test('fails as a whole where nobody knows what was committed, and is not run again', async () => {
    for (const error of [
      refusal('08006'),
      refusal('53300'),
      refusal('57P01'),
      new Error('connection lost'),
    ]) {
      const { call, batches } = doubling(() => error);
      const ends = await Promise.allSettled([1, 2, 3].map(call));
      expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
      expect(batches).toHaveLength(1);
    }
  });
});
