import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lineTotal } from '../../../../domain/pay/reconcile/line.ts';
import { type Decided, reconcile } from '../../../../domain/pay/reconcile/match.ts';
import { runs } from '../../../support/runs.ts';
import { T0, type World, worlds } from './statements.ts';

const STATEMENTS = runs(1_000, 10_000);
/** Shorter than T0: nothing is late. */
const openFrom = new Date(T0 - 1);
const never = { lines: new Set<string>(), unagreed: new Set<string>(), openFrom };
const settled = (all: readonly Decided[]) =>
  all.filter(({ bucket }) => bucket === 'matched' || bucket === 'late' || bucket === 'returned');

const byKey = (all: readonly Decided[]) =>
  all
    .map(({ line, bucket, payment, suggestions }) => ({ key: line.key, bucket, payment, suggestions }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));

/** Each match is of the one whose money it is, to the tiyin, and no payment has two. */
function expectNoFalseMatch({ payments, truths }: World, decided: readonly Decided[]): void {
  const ofKey = new Map(truths.map((truth) => [truth.line.key, truth]));
  const taken = new Set<string>();
  for (const { line, bucket, payment } of settled(decided)) {
    const ours = payments.find(({ id }) => id === payment);
    expect(ofKey.get(line.key)?.owner).toBe(payment);
    expect(ofKey.get(line.key)?.named).toBe(true);
    expect(line.amount).toBe(ours?.amount);
    // What comes back may be less what the rail keeps.
    expect(bucket === 'returned' || lineTotal(line) === (ours && lineTotal(ours))).toBe(true);
    expect(taken).not.toContain(`${payment} ${line.direction}`);
    taken.add(`${payment} ${line.direction}`);
  }
}

/** Lines that name their payment, which we know as paid, and that are as it: none of these is left. */
function expectNoneMissed({ payments, truths }: World, decided: readonly Decided[]): void {
  for (const { line, owner, what, named } of truths) {
    const ours = payments.find(({ id }) => id === owner);
    const isClear =
      what === 'first' && named && ours?.state === 'paid' && lineTotal(line) === lineTotal(ours);
    const bucket = decided.find((one) => one.line.key === line.key)?.bucket;
    expect(isClear ? bucket : 'matched').toBe('matched');
    // The second payment of one that was paid is told, wherever anything names it but an id that we never had.
    const tells = what === 'second' && named && line.reference !== null && ours?.state === 'paid';
    const isFirstTold = decided.some((one) => one.line.key === `${owner}:first` && one.bucket === 'matched');
    expect(tells && isFirstTold ? bucket : 'duplicate').toBe('duplicate');
  }
}

test(`of ${STATEMENTS} statements no line is matched with a payment that it does not pay`, () => {
  fc.assert(
    fc.property(worlds, fc.infiniteStream(fc.nat()), (world, random) => {
      const lines = world.truths.map(({ line }) => line);
      const decided = reconcile(lines, { ...never, payments: world.payments });
      expect(decided).toHaveLength(lines.length);
      expectNoFalseMatch(world, decided);
      expectNoneMissed(world, decided);
      const places = new Map(lines.map(({ key }) => [key, random.next().value ?? 0]));
      const shuffled = lines.toSorted((a, b) => (places.get(a.key) ?? 0) - (places.get(b.key) ?? 0));
      expect(byKey(reconcile(shuffled, { ...never, payments: world.payments }))).toEqual(byKey(decided));
    }),
    { numRuns: STATEMENTS },
  );
});
