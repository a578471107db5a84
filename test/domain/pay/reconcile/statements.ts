import fc from 'fast-check';
import type { RailLine } from '../../../../domain/pay/reconcile/line.ts';
import type { OurPayment } from '../../../../domain/pay/reconcile/match.ts';

/** What a line is in truth, whatever it shows of itself. */
export interface Truth {
  readonly line: RailLine;
  /** Whose money it is; null: somebody else's. */
  readonly owner: string | null;
  readonly what: 'first' | 'second' | 'back' | 'alien';
  /** The line names its payment by all that it has. */
  readonly named: boolean;
}

export interface World {
  readonly payments: readonly OurPayment[];
  readonly truths: readonly Truth[];
}

export const T0 = Date.parse('2026-11-20T08:00:00Z');
/** Few, so that most payments have a twin. */
const amount = fc.constantFrom(1_000_000n, 1_000_100n, 2_500_000n);
const at = fc.integer({ min: 0, max: 600 }).map((minutes) => new Date(T0 + minutes * 60_000));

const ofOurs = fc.record({
  state: fc.constantFrom('paid', 'paid', 'paid', 'open', 'failed', 'returned'),
  settledByLine: fc.boolean(),
  hasUuid: fc.boolean(),
  amount,
  commission: fc.constantFrom(0n, 5_000n),
  at,
  attempts: fc.integer({ min: 1, max: 3 }),
  /** What the rail did, which we may know or not. */
  left: fc.boolean(),
  twice: fc.constantFrom(false, false, false, true),
  back: fc.constantFrom(false, false, true),
  /** What a bank cut off, or changed. */
  shows: fc.constantFrom('all', 'all', 'uuid', 'reference', 'nothing', 'longer', 'shorter'),
  differs: fc.constantFrom(0n, 0n, 0n, 1n),
});
type OfOurs = typeof ofOurs extends fc.Arbitrary<infer T> ? T : never;

const alien = fc.record({
  amount,
  at,
  shows: fc.constantFrom('nothing', 'others', 'nobodys-reference'),
});

function paymentOf(one: OfOurs, index: number): OurPayment {
  const id = `p${index}`;
  return {
    id,
    state: one.state as OurPayment['state'],
    settledByLine: one.settledByLine,
    uuid: one.hasUuid ? `uuid-${index}` : null,
    reference: `${id}-${one.attempts}`,
    earlierReferences: Array.from({ length: one.attempts - 1 }, (_, n) => `${id}-${n + 1}`),
    amount: one.amount,
    commission: one.commission,
    at: one.at,
    outLine: null,
    backLine: null,
  };
}

/** What is shown of the rail's id and our reference. */
function shown(uuid: string | null, reference: string, shows: string) {
  switch (shows) {
    case 'all':
      return { uuid, reference };
    case 'uuid':
      return { uuid, reference: null };
    case 'reference':
      return { uuid: null, reference };
    case 'longer':
      return { uuid: null, reference: `${reference}0` };
    case 'shorter':
      return { uuid: null, reference: reference.slice(0, -1) };
    default:
      return { uuid: null, reference: null };
  }
}

function truthsOf(one: OfOurs, index: number): Truth[] {
  const ours = paymentOf(one, index);
  const line = (what: Truth['what'], change: Partial<RailLine>): Truth => {
    const ids = shown(change.uuid ?? ours.uuid, ours.reference, one.shows);
    const named = ids.uuid !== null || (ids.reference !== null && ids.reference === ours.reference);
    const { amount: net, commission, at: when } = ours;
    const own = { key: `${ours.id}:${what}`, direction: 'out', amount: net, commission, at: when } as const;
    return { what, owner: ours.id, named, line: { ...own, ...change, ...ids } };
  };
  const isLeft = one.left || one.twice || one.back;
  const after = new Date(ours.at.getTime() + 60_000);
  return [
    ...(isLeft ? [line('first', { amount: ours.amount + one.differs })] : []),
    // The rail made a payment of its own of it.
    ...(one.twice ? [line('second', { uuid: `uuid-${index}-again`, at: after })] : []),
    ...(one.back ? [line('back', { direction: 'back', at: new Date(after.getTime() + 60_000) })] : []),
  ];
}

export const worlds: fc.Arbitrary<World> = fc
  .record({ ours: fc.array(ofOurs, { maxLength: 8 }), aliens: fc.array(alien, { maxLength: 4 }) })
  .map(({ ours, aliens }) => ({
    payments: ours.map(paymentOf),
    truths: [
      ...ours.flatMap(truthsOf),
      ...aliens.map((one, index) => ({
        what: 'alien' as const,
        owner: null,
        named: false,
        line: {
          key: `alien-${index}`,
          direction: 'out' as const,
          uuid: one.shows === 'others' ? `other-uuid-${index}` : null,
          reference: one.shows === 'nobodys-reference' ? `q${index}-1` : null,
          amount: one.amount,
          commission: 0n,
          at: one.at,
        },
      })),
    ],
  }));
