import { describe, expect, test } from 'vitest';
import {
  checkHeld,
  checkRail,
  expectedWallet,
  type RailBooks,
} from '../../../../domain/pay/reconcile/equation.ts';

/** 1 000 000 in the wallet; 300 were paid of which 100 are in a statement, 7 went out by a line that is a difference. */
const books = (change: Partial<RailBooks> = {}): RailBooks => ({
  rail: 'multicard',
  isOpened: true,
  wallet: -1_000_000n + 100n,
  clearing: 200n,
  unmatched: 200n,
  unposted: 7n,
  inFlight: [],
  ...change,
});
const left = 1_000_000n - 300n - 7n;

describe('the wallet has what was sent to it, less what was paid', () => {
  test('to the tiyin', () => {
    expect(expectedWallet(books())).toBe(left);
    expect(checkRail(books(), left)).toEqual([]);
    expect(checkRail(books(), left - 1n)).toEqual([{ equation: 'wallet', by: 1n }]);
    expect(checkRail(books(), left + 1n)).toEqual([{ equation: 'wallet', by: -1n }]);
  });

  test('of which nobody has booked what was sent to it is not compared', () => {
    expect(checkRail(books({ isOpened: false }), left - 1n)).toEqual([]);
  });

  test('a rail that says nothing of a wallet is not asked', () => {
    expect(checkRail(books(), null)).toEqual([]);
  });

  test('payments in flight explain their sums, and no other amount', () => {
    const inFlight = [
      { dispatch: 'a', total: 50n },
      { dispatch: 'b', total: 70n },
    ];
    const of = (apart: bigint) => checkRail(books({ inFlight }), left - apart);
    for (const apart of [0n, 50n, 70n, 120n]) expect(of(apart), String(apart)).toEqual([]);
    for (const apart of [-1n, 1n, 49n, 51n, 100n, 119n, 121n])
      expect(of(apart), String(apart)).toEqual([{ equation: 'wallet', by: apart }]);
  });

  test('what moved while the wallet was read explains it too', () => {
    expect(checkRail(books(), left - 33n, [{ dispatch: 'c', total: 33n }])).toEqual([]);
  });

  test('of sixty-four in flight, all different, an amount beyond their sum is a difference within a second', () => {
    const inFlight = Array.from({ length: 64 }, (_, n) => ({ dispatch: String(n), total: 2n ** BigInt(n) }));
    const all = 2n ** 64n - 1n;
    expect(checkRail(books({ inFlight }), left - all)).toEqual([]);
    expect(checkRail(books({ inFlight }), left - all - 1n)).toHaveLength(1);
    expect(checkRail(books({ inFlight }), left + 1n)).toHaveLength(1);
  });
});

test('clearing is what was paid and is in no statement', () => {
  expect(checkRail(books({ unmatched: 199n }), null)).toEqual([{ equation: 'clearing', by: 1n }]);
});

test('what is held is what is open', () => {
  expect(checkHeld({ held: 5n, open: 5n })).toEqual([]);
  expect(checkHeld({ held: 4n, open: 5n })).toEqual([{ equation: 'held', by: -1n }]);
});
