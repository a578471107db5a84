import { expect, test } from 'vitest';
import { randomFrom } from '../../../apps/sandbox/random.ts';
import type { CardRail, RailPayment, RailReply, RailStatus } from '../../../domain/pay/rail/port.ts';
import { dispatchStore } from '../../../infra/postgres/pay/dispatch/store.ts';
import { openPayoutWorld } from './payout-world.ts';

const ITEMS = 60;
/** Draft and error most: by them most arrows lead, and ends are rare. */
const STATUSES = [
  'draft',
  'draft',
  'draft',
  'error',
  'error',
  'progress',
  'billing',
  'success',
  'revert',
] as const;
const REFUSALS = ['card', 'not-ready', 'too-many', 'already-applied', 'not-found', 'signed-out'] as const;

/** Of this rail nothing is to be learned: it says anything of anything, each time anew. */
function liar(amount: bigint, seed: number): CardRail {
  const random = randomFrom(seed);
  const one = <T>(of: readonly [T, ...T[]]): T => of[Math.floor(random() * of.length)] ?? of[0];
  let uuids = 0;
  const payment = (status: RailStatus, uuid: string): RailPayment => {
    const [commission, paidAt] = [10n, null];
    return { uuid, reference: null, status, amount, commission, total: amount + commission, paidAt };
  };
  const says = async <T>(value: (status: RailStatus) => T): Promise<RailReply<T>> => {
    const kind = one(['answered', 'answered', 'answered', 'answered', 'unknown', 'refused'] as const);
    if (kind === 'unknown') return { kind, why: 'timeout' };
    if (kind === 'refused') return { kind, code: 'X', because: one(REFUSALS), retryable: true };
    return { kind, value: value(one(STATUSES)) };
  };
  const none = () => Promise.reject(new Error('nobody asks for it'));
  return {
    id: 'multicard',
    draft: () =>
      says((status) =>
        payment(status === 'success' || status === 'revert' ? 'draft' : status, `u${(uuids += 1)}`),
      ),
    confirm: (uuid) => says((status) => payment(status, uuid)),
    read: (uuid) => says((status) => payment(status, uuid)),
    find: () => says((status) => (status === 'draft' ? null : payment(status, `u${(uuids += 1)}`))),
    wallet: none,
    history: none,
    beginBinding: none,
    readBinding: none,
    readWebhook: () => ({ kind: 'forged' }),
    readBindingCallback: () => ({ kind: 'forged' }),
  };
}

test.each([1, 2, 3])(
  'the database allows each step that is decided, whatever a rail says (seed %i)',
  async (seed) => {
    const world = await openPayoutWorld();
    const { id } = await world.batch(ITEMS);
    await world.start();
    const store = dispatchStore(world.pool, world.encryption);
    const refused: unknown[] = [];
    const noted = <T>(answer: Promise<T>): Promise<T> =>
      answer.catch((error: unknown) => {
        refused.push(error);
        throw error;
      });
    // Rails that pay unasked stop themselves, again and again.
    const opened = async <T>(answer: Promise<T>): Promise<T> => {
      const done = await answer;
      await world.openAll();
      return done;
    };
    const dispatches = {
      ...store,
      claim: (claim: Parameters<typeof store.claim>[0]) => noted(store.claim(claim)),
      move: (order: Parameters<typeof store.move>[0]) => opened(noted(store.move(order))),
    };
    await world.drain([world.worker({ rail: liar(1_230_000n, seed), dispatches })]);
    expect(refused).toEqual([]);
    const states = await world.statesOf(id);
    expect(Object.keys(states).toSorted()).toEqual(
      ['failed', 'paid', 'returned', 'stuck'].filter((state) => state in states),
    );
    expect(Object.keys(states).length).toBeGreaterThan(2);
    // What is held is what is stuck; all else has left or is back.
    const { rows } = await world.pool.query<{ held: string }>(
      `select coalesce(sum(balance), 0)::text held from ledger_account where class = 'held'`,
    );
    const { rows: stuck } = await world.pool.query<{ gross: string }>(
      `select coalesce(sum(p.gross) * 10000, 0)::text gross from payout p join payout_item i on i.payout_id = p.id
     join payout_dispatch d on d.id = i.dispatch_id where d.state = 'stuck'`,
    );
    expect(rows[0]?.held).toBe(stuck[0]?.gross);
    // No payment was confirmed under two names.
    const { rows: twice } = await world.pool.query(
      `select dispatch_id from rail_call where what = 'confirm' and outcome <> 'unsent' group by 1 having count(distinct rail_uuid) > 1`,
    );
    expect(twice).toEqual([]);
  },
);
