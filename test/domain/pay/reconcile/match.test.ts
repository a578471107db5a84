import { describe, expect, test } from 'vitest';
import { isDifference, type RailLine, stopsRail } from '../../../../domain/pay/reconcile/line.ts';
import { type OurPayment, reconcile } from '../../../../domain/pay/reconcile/match.ts';
import { T0 } from './statements.ts';

/** Shorter than T0: nothing is late. */
const openFrom = new Date(T0 - 1);
const never = { lines: new Set<string>(), unagreed: new Set<string>(), openFrom };

const payment = (change: Partial<OurPayment> = {}): OurPayment => ({
  id: 'a',
  state: 'paid',
  settledByLine: false,
  uuid: 'uuid-a',
  reference: 'a-2',
  earlierReferences: ['a-1'],
  amount: 1_000_000n,
  commission: 5_000n,
  at: new Date(T0),
  outLine: null,
  backLine: null,
  ...change,
});
const line = (change: Partial<RailLine> = {}): RailLine => ({
  key: 'k',
  direction: 'out',
  uuid: 'uuid-a',
  reference: 'a-2',
  amount: 1_000_000n,
  commission: 5_000n,
  at: new Date(T0 + 60_000),
  ...change,
});
const decide = (of: RailLine, ...payments: OurPayment[]) => reconcile([of], { ...never, payments })[0];

describe('a line is', () => {
  test.each<[string, RailLine, OurPayment]>([
    ['matched', line(), payment()],
    ['matched', line({ uuid: null }), payment()],
    ['matched', line({ reference: null }), payment()],
    // Found late under its first reference: the rail's id says that it is the one we know.
    ['matched', line({ reference: 'a-1' }), payment()],
    ['returned', line({ direction: 'back', reference: 'a-1' }), payment()],
    ['duplicate', line({ reference: 'a-1' }), payment({ uuid: null })],
    ['duplicate', line({ uuid: 'uuid-b', reference: 'a-1' }), payment()],
    ['matched', line(), payment({ state: 'returned' })],
    ['matched', line({ uuid: null }), payment({ state: 'open', settledByLine: true, uuid: null })],
    ['early', line(), payment({ state: 'open' })],
    ['early', line({ direction: 'back' }), payment({ state: 'open', settledByLine: true })],
    ['amount-differs', line({ amount: 1_000_001n }), payment()],
    ['amount-differs', line({ commission: 4_999n }), payment()],
    ['amount-differs', line({ direction: 'back', amount: 999_999n }), payment()],
    ['matched', line({ account: '22618000100765432001' }), payment({ account: '22618000100765432001' })],
    [
      'payee-differs',
      line({ account: '22618000100765432002' }),
      payment({ account: '22618000100765432001' }),
    ],
    [
      'payee-differs',
      line({ account: '22618000100765432002', uuid: null }),
      payment({ account: '22618000100765432001', state: 'open', settledByLine: true, uuid: null }),
    ],
    ['duplicate', line({ account: '2' }), payment({ account: '1', outLine: 'other' })],
    ['duplicate', line(), payment({ outLine: 'other' })],
    ['duplicate', line({ uuid: 'uuid-b' }), payment()],
    ['duplicate', line({ uuid: null, reference: 'a-1' }), payment()],
    ['duplicate', line({ direction: 'back' }), payment({ backLine: 'other' })],
    ['paid-though-failed', line(), payment({ state: 'failed' })],
    ['paid-though-failed', line({ reference: 'a-1', uuid: null }), payment({ state: 'failed' })],
    ['returned', line({ direction: 'back' }), payment({ outLine: 'other' })],
    ['returned', line({ direction: 'back', commission: 0n }), payment()],
    ['only-theirs', line({ uuid: null, reference: null }), payment()],
    ['only-theirs', line({ uuid: null, reference: 'a-20' }), payment()],
    ['only-theirs', line({ uuid: 'uuid-z', reference: 'a' }), payment()],
    ['only-theirs', line({ reference: 'b-1' }), payment()],
    ['only-theirs', line({ direction: 'back' }), payment({ state: 'failed' })],
  ])('%s', (bucket, of, ours) => {
    expect(decide(of, ours)).toMatchObject({ bucket });
  });

  test('late where its day is signed already, and of its payment all the same', () => {
    const known = { ...never, payments: [payment()], openFrom: new Date(T0 + 3_600_000) };
    expect(reconcile([line()], known)).toMatchObject([{ bucket: 'late', payment: 'a' }]);
  });

  test('early where money would move by a file of one person; what is odd about it is told all the same', () => {
    const bucketOf = (of: RailLine, ours = payment()) =>
      reconcile([of], { ...never, payments: [ours], unagreed: new Set(['k']) })[0]?.bucket;
    expect(bucketOf(line())).toBe('early');
    expect(bucketOf(line({ direction: 'back' }))).toBe('early');
    expect(bucketOf(line(), payment({ state: 'failed' }))).toBe('early');
    expect(bucketOf(line({ direction: 'back', amount: 999_999n }))).toBe('amount-differs');
    expect(bucketOf(line(), payment({ outLine: 'other' }))).toBe('duplicate');
    expect(bucketOf(line({ account: '2' }), payment({ account: '1' }))).toBe('payee-differs');
  });

  test('nothing new where its key is settled', () => {
    const known = { ...never, payments: [payment()], lines: new Set(['k']) };
    expect(reconcile([line()], known)).toEqual([]);
    expect(reconcile([line(), line()], { ...known, lines: new Set<string>() })).toHaveLength(1);
  });
});

test('a payment that came back is matched both ways, in whatever order the lines are', () => {
  const back = line({ key: 'back', direction: 'back' });
  for (const lines of [
    [line(), back],
    [back, line()],
  ])
    expect(reconcile(lines, { ...never, payments: [payment()] }).map(({ bucket }) => bucket)).toEqual([
      'matched',
      'returned',
    ]);
});

describe('three equal payments', () => {
  const three = ['a', 'b', 'c'].map((id) =>
    payment({ id, uuid: null, reference: `${id}-1`, earlierReferences: [] }),
  );
  const of = (id: string) => line({ key: `k-${id}`, uuid: null, reference: `${id}-1` });

  test.each([[['a', 'c']], [['c', 'a']]])(
    'and two lines, imported three times from %s on: two are matched, one is ours alone',
    (order) => {
      const matched = new Map<string, string>();
      for (let times = 0; times < 3; times += 1) {
        const payments = three.map((one) => ({ ...one, outLine: matched.get(one.id) ?? null }));
        const known = { ...never, payments, lines: new Set(matched.values()) };
        for (const { bucket, payment: id, line: found } of reconcile(order.map(of), known))
          if (bucket === 'matched' && id !== null) matched.set(id, found.key);
      }
      expect(Object.fromEntries(matched)).toEqual({ a: 'k-a', c: 'k-c' });
    },
  );

  test('are suggested to a line that names none, nearest first, and never matched', () => {
    const at = (minutes: number) => new Date(T0 + minutes * 60_000);
    const payments = [
      payment({ id: 'far', at: at(-500) }),
      payment({ id: 'near', at: at(1) }),
      payment({ id: 'nearer', at: at(0) }),
      payment({ id: 'farther', at: at(900) }),
      payment({ id: 'other', at: at(0), amount: 999_999n }),
      payment({ id: 'taken', at: at(0), outLine: 'x' }),
      payment({ id: 'failed', at: at(0), state: 'failed' }),
    ].map((one) => ({ ...one, uuid: one.id, reference: `${one.id}-1`, earlierReferences: [] }));
    expect(
      reconcile([line({ uuid: null, reference: null, at: at(0) })], { ...never, payments }),
    ).toMatchObject([{ bucket: 'only-theirs', payment: null, suggestions: ['nearer', 'near', 'far'] }]);
  });
});

test('what stops a rail is a difference, and no difference settles', () => {
  const stopping = ['duplicate', 'paid-though-failed', 'payee-differs'] as const;
  expect(stopping.every(stopsRail)).toBe(true);
  expect([...stopping, 'only-theirs' as const, 'amount-differs' as const].every(isDifference)).toBe(true);
  expect((['matched', 'late', 'returned', 'early'] as const).some(isDifference)).toBe(false);
});
