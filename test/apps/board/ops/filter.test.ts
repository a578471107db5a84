import { describe, expect, test } from 'vitest';
import {
  addressFor,
  cursorOf,
  filterOf,
  FilterQuery,
  Hours,
  JobCursor,
  kindFor,
  link,
  PageQuery,
  readCursor,
} from '../../../../apps/board/ops/filter.ts';
import type { OpsParts } from '../../../../apps/board/ops/parts.ts';
import { finalStates, isFinal, jobStates } from '../../../../domain/job/job.ts';
import { jobs } from '../../../../domain/jobs.ts';

const now = new Date('2026-01-15T10:00:00Z');
const id = '01990000-0000-7000-8000-000000000001';
const hash = '0f'.repeat(32);
const parts = {
  jobs,
  clock: () => now,
  addressOf: (phone: string) => `address of ${phone}`,
  queries: { find: async (of: string) => (of === id ? { kind: 'recipient', address: hash } : null) },
} as unknown as OpsParts;
const filter = (query: object) => filterOf(FilterQuery.parse(query), parts);

describe('a search', () => {
  test('reads one day unless it says otherwise, or an index finds the few rows anyway', async () => {
    const dayAgo = new Date('2026-01-14T10:00:00Z');
    expect((await filter({})).since).toEqual(dayAgo);
    expect((await filter({ state: 'failed' })).since).toEqual(dayAgo);
    expect((await filter({ hours: '1' })).since).toEqual(new Date('2026-01-15T09:00:00Z'));
    for (const narrow of [{ state: 'queued' }, { state: 'running' }, { recipient: hash }])
      expect((await filter(narrow)).since).toBeUndefined();
  });

  test('of a window that there is not, or of an unknown kind, is a 400 that says which there are', () => {
    for (const hours of ['2', '0', '-1', 'x', '1000'])
      expect(Hours.safeParse(hours).success, hours).toBe(false);
    expect(() => kindFor('fax', parts)).toThrow(/expected one of .*push/);
    expect(() => kindFor('toString', parts)).toThrow(/expected one of/);
    expect(kindFor('push', parts)).toBe('push');
  });
});

test('a recipient is found by number, by id and by the hash of links', async () => {
  expect(await addressFor('+998 90 123-45-67', parts)).toBe('address of +998901234567');
  expect(await addressFor(id, parts)).toBe(hash);
  expect(await addressFor(hash, parts)).toBe(hash);
  for (const unknown of ['x', id.replace('1', '2'), hash.slice(1)])
    await expect(addressFor(unknown, parts)).rejects.toThrow('neither a phone number');
});

test('a link carries what is given, escaped, and nothing that is empty', () => {
  expect(link('/ops', { a: null, b: undefined, c: '' })).toBe('/ops');
  expect(link('/ops', { a: 'x&y=z', n: 0 })).toBe('/ops?a=x%26y%3Dz&n=0');
});

test('a cursor is read back, and one that is none of ours is a 400', () => {
  expect(readCursor(cursorOf(id), JobCursor)).toBe(id);
  expect(readCursor(undefined, JobCursor)).toBeNull();
  for (const cursor of ['', 'x', cursorOf(`${id}'`)])
    expect(() => readCursor(cursor, JobCursor)).toThrow('not one of ours');
});

test('a page has 50 lines, and 200 at most', () => {
  expect(PageQuery.parse({ limit: '' }).limit).toBe(50);
  expect(PageQuery.parse({ limit: '200' }).limit).toBe(200);
  for (const limit of ['201', '-1', '1.5']) expect(PageQuery.safeParse({ limit }).success, limit).toBe(false);
});

test('the states that are final are the final ones', () => {
  expect(jobStates.filter(isFinal)).toEqual([...finalStates]);
});
