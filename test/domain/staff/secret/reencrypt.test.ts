import { expect, test } from 'vitest';
import { reencryptAll, type Reencrypting } from '../../../../domain/staff/secret/reencrypt.ts';

const foreign = { place: 'a', kid: 'old', values: 1 };

/** Two places of three pages of one value each; `left` after each walk. */
function world(left: readonly number[]) {
  const seen: string[] = [];
  let walks = 0;
  const reencrypting: Reencrypting = {
    current: 'new',
    places: ['a', 'b'],
    page: async (place, after) => {
      seen.push(`${place}${after ?? ''}`);
      const next = String(Number(after ?? 0) + 1);
      return { reencrypted: 1, unreadable: 0, next: next === '3' ? null : next };
    },
    left: async () => {
      walks += 1;
      return Array.from({ length: left[walks - 1] ?? 0 }, () => foreign);
    },
  };
  return { reencrypting, seen, walks: () => walks };
}

test('every page of every place is walked over once, and counted', async () => {
  const { reencrypting, seen } = world([0]);
  const report = await reencryptAll(reencrypting);
  expect(seen).toEqual(['a', 'a1', 'a2', 'b', 'b1', 'b2']);
  expect([...report.reencrypted]).toEqual([
    ['a', 3],
    ['b', 3],
  ]);
  expect(report.left).toEqual([]);
});

test('what a first walk met locked is taken by the next', async () => {
  const { reencrypting, walks } = world([1, 0]);
  const report = await reencryptAll(reencrypting);
  expect(walks()).toBe(2);
  expect(report.reencrypted.get('a')).toBe(6);
  expect(report.left).toEqual([]);
});

test('what nobody can open is told of after three walks, and not walked for ever', async () => {
  const { reencrypting, walks } = world([1, 1, 1, 0]);
  expect((await reencryptAll(reencrypting)).left).toEqual([foreign]);
  expect(walks()).toBe(3);
});

test('of unreadable values the last walk tells: what was one and is none any more is not named', async () => {
  const { reencrypting, walks } = world([1, 0]);
  const report = await reencryptAll({
    ...reencrypting,
    page: async (place, after) => ({
      ...(await reencrypting.page(place, after)),
      unreadable: walks() === 0 || place === 'b' ? 1 : 0,
    }),
  });
  expect(report.unreadable).toEqual(new Map([['b', 3]]));
});
