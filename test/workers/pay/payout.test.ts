import { describe, expect, test } from 'vitest';
import { dispatchStore } from '../../../infra/postgres/pay/dispatch/store.ts';
import { FEE, GROSS } from '../../infra/postgres/pay/dispatch-world.ts';
import { linesOf } from '../../apps/sandbox/pay/multicard-world.ts';
import { before, frozen, openPayoutWorld, type PayoutWorld } from './payout-world.ts';
import { settlingProof } from '../../infra/postgres/pay/proofs.ts';

const MICROS = 10_000n;
const HOUR_MS = 3_600_000;
/** 1 %, as the sandbox of these tests takes it. */
const COMMISSION = (GROSS - FEE) / 100n;

async function running(items: number) {
  const world = await openPayoutWorld();
  const batch = await world.batch(items);
  await world.start();
  const [first] = batch.payees;
  if (!first) throw new Error('an empty batch');
  return { world, batch, first };
}
const once = (world: PayoutWorld, cards: readonly string[]) =>
  expect(world.paidTimes()).resolves.toEqual(Object.fromEntries(cards.map((card) => [card, 1])));

describe('a batch', () => {
  test('is paid, each item once, to the tiyin; a second run sends nothing', async () => {
    const { world, batch } = await running(20);
    await world.drain();
    await once(
      world,
      batch.payees.map(({ card }) => card),
    );
    expect(await world.statesOf(batch.id)).toEqual({ paid: 20 });
    expect(await world.balance(world.clearing)).toBe(20n * (GROSS - FEE + COMMISSION) * MICROS);
    expect(await world.balance(world.fee)).toBe(20n * FEE * MICROS);
    const sent = (await linesOf(world.box)).length;
    expect(await world.start()).toBe(0);
    await world.pool.query(`update job set state = 'queued', finished_at = null where kind = 'payout'`);
    await world.drain();
    expect((await linesOf(world.box)).length).toBe(sent);
    expect(await world.rounds.finishBatches()).toEqual([batch.id]);
    expect(world.bugs).toEqual([]);
  });

  test('ends all the same where all its jobs are deleted in the middle', async () => {
    const { world, batch } = await running(12);
    const [one, two, ...others] = await world.openJobs();
    await world.wakeAll(
      world.worker(),
      [one, two].flatMap((id) => id ?? []),
    );
    expect(others).toHaveLength(10);
    await world.pool.query(`delete from job where kind = 'payout'`);
    expect(await world.rounds.rejob()).toBe(10);
    await world.drain();
    await once(
      world,
      batch.payees.map(({ card }) => card),
    );
    expect(await world.rounds.finishBatches()).toEqual([batch.id]);
  });

  test('each call stands in the database before the rail hears of it', async () => {
    const { world, batch } = await running(2);
    const open: string[] = [];
    const look = (what: 'draft' | 'confirm') => async () => {
      const { rows } = await world.pool.query<{ what: string }>(
        'select what from rail_call where closed_at is null order by opened_at',
      );
      open.push(`${what}: ${rows.map((row) => row.what).join(' ')}`);
    };
    const rail = before(before(world.rail, 'draft', look('draft')), 'confirm', look('confirm'));
    const wake = world.worker({ rail });
    for (const id of await world.openJobs()) await world.wakeAll(wake, [id]);
    expect(open).toEqual(['draft: draft', 'confirm: confirm', 'draft: draft', 'confirm: confirm']);
    await once(
      world,
      batch.payees.map(({ card }) => card),
    );
  });

  test('two workers that have each job at once pay each item once', async () => {
    const { world, batch } = await running(16);
    await world.drain([world.worker(), world.worker(), world.worker()]);
    await once(
      world,
      batch.payees.map(({ card }) => card),
    );
  });

  test('whose card is declined gives the money back and pays the others', async () => {
    const { world, batch, first } = await running(3);
    world.box.orderFaults({ effect: 'decline', on: 'draft', card: first.card, because: 'card' });
    await world.drain();
    expect(await world.statesOf(batch.id)).toEqual({ paid: 2, failed: 1 });
    expect(await world.stateOf(first)).toMatchObject({
      payout: 'failed',
      reason: 'rail-refused-card',
      told: ['receipt-failed'],
    });
    expect(await world.balance(first.available)).toBe(GROSS * MICROS);
  });
});

describe('no answer', () => {
  test.each([
    'hang-before',
    'hang-after',
    'error-before',
    'error-after',
    'garbage-before',
    'garbage-after',
  ] as const)('to a confirmation (%s) is asked about: paid once, nothing given back', async (effect) => {
    const { world, batch } = await running(4);
    const more = effect.startsWith('hang') ? { hang_ms: 0 } : {};
    world.box.orderFaults({ effect, on: 'confirm', times: 3, ...more } as never);
    await world.drain();
    expect(await world.statesOf(batch.id)).toEqual({ paid: 4 });
    await once(
      world,
      batch.payees.map(({ card }) => card),
    );
  });

  test.each(['hang-before', 'hang-after', 'error-after'] as const)(
    'to a draft (%s) is looked for, and made anew: paid once',
    async (effect) => {
      const { world, batch } = await running(3);
      const more = effect.startsWith('hang') ? { hang_ms: 0 } : {};
      world.box.orderFaults({ effect, on: 'draft', times: 2, ...more } as never);
      await world.drain();
      expect(await world.statesOf(batch.id)).toEqual({ paid: 3 });
      await once(
        world,
        batch.payees.map(({ card }) => card),
      );
    },
  );

  test('of an attempt that is paid late, while the next one is prepared: the next one is never confirmed', async () => {
    const { world, batch, first } = await running(1);
    world.box.orderFaults({ effect: 'hang-after', on: 'draft', times: 1, hang_ms: 0 });
    // As a worker would that was frozen in front of its confirmation.
    const rail = before(world.rail, 'draft', async (times) => {
      if (times !== 2) return;
      const [lost] = world.box.payments();
      await world.rail.confirm(lost?.uuid ?? '', AbortSignal.timeout(5_000));
    });
    await world.drain([world.worker({ rail })]);
    expect(await world.statesOf(batch.id)).toEqual({ paid: 1 });
    await once(world, [first.card]);
    const confirms = (await linesOf(world.box)).filter((line) => line.t === 'begin' && line.method === 'PUT');
    expect(confirms).toHaveLength(1);
    expect(world.stopped).toEqual(['confirmable-lost']);
  });

  test('for more than a day: it waits for people, its money is held, and two of them settle it once', async () => {
    const { world, batch, first } = await running(1);
    world.box.orderFaults(
      { effect: 'hang-after', on: 'confirm', hang_ms: 0 },
      { effect: 'hang-before', on: 'read', hang_ms: 0 },
    );
    const began = world.now().getTime();
    await world.drain();
    expect(await world.statesOf(batch.id)).toEqual({ stuck: 1 });
    expect(world.now().getTime() - began).toBeGreaterThanOrEqual(24 * HOUR_MS);
    expect(await world.stateOf(first)).toMatchObject({ payout: 'batched', item: 'dispatched', told: [] });
    expect(await world.balance(first.held)).toBe(GROSS * MICROS);
    await world.forward(48 * HOUR_MS);
    expect(await world.rounds.rejob()).toBe(0);
    const [dispatch] = await world.dispatches(batch.id);
    const other = await world.staff('admin', 60);
    await world.pool.query('select dispatch_settle_ask($1, $2, $3, $4)', [
      dispatch?.id,
      world.maker,
      'paid',
      'letter no. 7',
    ]);
    const proof = await settlingProof(world.pool, other, dispatch?.id ?? '');
    await world.pool.query('select dispatch_settle_agree($1, $2, $3, $4)', [
      dispatch?.id,
      other,
      'paid',
      proof,
    ]);
    expect(await world.stateOf(first)).toMatchObject({
      payout: 'paid',
      item: 'paid',
      told: ['receipt-paid'],
    });
    await once(world, [first.card]);
  });

  test('and a worker killed after the send: two days of timers make no second payment and give nothing back', async () => {
    const { world, batch, first } = await running(1);
    const dead = frozen(dispatchStore(world.pool, world.encryption), 'move');
    const [job] = await world.openJobs();
    if (!job) throw new Error('no job');
    // It dies with the answer to its draft; the next one with that to its confirmation.
    void world.worker({ dispatches: dead.port })(job, new AbortController().signal);
    await dead.reached;
    await world.forward(16_000);
    let moves = 0;
    const store = dispatchStore(world.pool, world.encryption);
    const dyingLater = {
      ...store,
      move: (order: Parameters<typeof store.move>[0]) =>
        order.ended?.call.what === 'confirm' && (moves += 1) === 1
          ? new Promise<never>(() => undefined)
          : store.move(order),
    };
    const confirmed = Promise.withResolvers<void>();
    const rail = before(world.rail, 'confirm', async () => {
      setTimeout(confirmed.resolve, 300);
    });
    const second = world.worker({ dispatches: dyingLater, rail });
    void world.drain([second]).catch(() => undefined);
    await confirmed.promise;
    await world.forward(16_000);
    await world.drain([world.worker()], 48 * HOUR_MS);
    await world.drain([world.worker()], 48 * HOUR_MS);
    expect(await world.statesOf(batch.id)).toEqual({ paid: 1 });
    await once(world, [first.card]);
    expect(await world.balance(first.available)).toBe(0n);
  });
});

describe('the rail', () => {
  test('that pays at once, though it was told not to: paid once, it stops itself, and nothing else is begun', async () => {
    const { world, batch } = await running(4);
    world.box.orderFaults({ effect: 'pays-at-once', on: 'draft', times: 1 });
    const [one] = await world.openJobs();
    await world.wakeAll(world.worker(), one ? [one] : []);
    await world.drain([world.worker()], 60_000);
    expect(await world.statesOf(batch.id)).toEqual({ paid: 1, waiting: 3 });
    expect(world.stopped).toEqual(['confirmable-lost']);
    expect(await world.paid()).toHaveLength(1);
  });

  test('whose wallet is empty stops itself; topped up and opened, it pays the rest', async () => {
    const { world, batch } = await running(4);
    world.box.orderFaults({ effect: 'wallet-empty', on: 'draft', times: 1 });
    await world.drain([world.worker()], 30_000);
    expect(world.stopped).toContain('wallet-empty');
    await world.openAll();
    await world.drain();
    expect(await world.statesOf(batch.id)).toEqual({ paid: 4 });
    await once(
      world,
      batch.payees.map(({ card }) => card),
    );
  });

  test('that wants a one-time password for each payment stops itself; switched off and opened, it pays all', async () => {
    const { world, batch } = await running(3);
    world.box.set({ otp_required: true });
    await world.drain([world.worker()], 200_000);
    expect(world.stopped).toContain('otp-required');
    expect(await world.paid()).toEqual([]);
    world.box.set({ otp_required: false });
    await world.openAll();
    await world.drain();
    expect(await world.statesOf(batch.id)).toEqual({ paid: 3 });
    await once(
      world,
      batch.payees.map(({ card }) => card),
    );
  });

  test('that is stopped: no POST and no PUT begins a second after the answer, with 32 in hand', async () => {
    const { world } = await running(60);
    world.box.set({ answer_ms: 50 });
    const jobs = await world.openJobs();
    const working = world.wakeAll(world.worker(), jobs);
    await new Promise((resolve) => setTimeout(resolve, 400));
    await world.stop('multicard');
    const stoppedAt = Date.now();
    await working;
    await world.box.flush();
    const begun = (await linesOf(world.box)).flatMap((line) =>
      line.t === 'begin' && line.method !== 'GET' ? [line.at] : [],
    );
    expect(begun.filter((at) => at < stoppedAt).length).toBeGreaterThan(5);
    expect(begun.filter((at) => at > stoppedAt + 1_000)).toEqual([]);
    await world.openAll();
    await world.drain();
    expect(Object.values(await world.paidTimes()).every((times) => times === 1)).toBe(true);
    expect(await world.paid()).toHaveLength(60);
  });

  test('half of whose answers are lost has at most so many under way, at any moment, over two workers', async () => {
    const { world, batch } = await running(40);
    await world.owner.query(`update rail set exposure_max = 6 where id = 'multicard'`);
    world.box.orderFaults({ effect: 'hang-after', on: 'confirm', rate: 0.5, hang_ms: 0 });
    let most = 0;
    let watching = true;
    const watch = (async () => {
      while (watching) {
        const states = await world.statesOf(batch.id);
        const { waiting = 0, paid = 0, failed = 0, stuck = 0 } = states;
        most = Math.max(
          most,
          Object.values(states).reduce((sum, n) => sum + n, 0) - waiting - paid - failed - stuck,
        );
      }
    })();
    await world.drain([world.worker(), world.worker()]);
    watching = false;
    await watch;
    expect(most).toBeGreaterThan(2);
    expect(most).toBeLessThanOrEqual(6);
    expect(await world.statesOf(batch.id)).toEqual({ paid: 40 });
    await once(
      world,
      batch.payees.map(({ card }) => card),
    );
  });
});

describe('a worker that stood still', () => {
  test('in front of its draft does not send it, once it is too late; another pays, once', async () => {
    const { world, batch, first } = await running(1);
    const held = frozen(
      { mayCommit: async () => () => undefined, enter: async (_urgent: boolean) => () => undefined },
      'enter',
    );
    const [job] = await world.openJobs();
    if (!job) throw new Error('no job');
    const sleeping = world.worker({ places: held.port })(job, new AbortController().signal);
    await held.reached;
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await world.forward(16_000);
    await world.drain();
    held.letGo();
    await sleeping;
    expect(await world.statesOf(batch.id)).toEqual({ paid: 1 });
    await once(world, [first.card]);
    expect((await linesOf(world.box)).filter((line) => line.t === 'draft')).toHaveLength(1);
  });

  test('in front of its sign-in for longer than a second sends nothing then, and pays by another call, once', async () => {
    const { world, batch, first } = await running(1);
    world.box.orderFaults({ on: 'auth', effect: 'slow', delay_ms: 1_200, times: 1 });
    await world.drain();
    const { rows } = await world.pool.query('select what, outcome from rail_call order by dispatch_id, n');
    expect(rows).toEqual([
      { what: 'draft', outcome: 'unsent' },
      { what: 'draft', outcome: 'answered' },
      { what: 'confirm', outcome: 'answered' },
    ]);
    expect((await linesOf(world.box)).filter((line) => line.t === 'draft')).toHaveLength(1);
    expect(await world.statesOf(batch.id)).toEqual({ paid: 1 });
    await once(world, [first.card]);
  });

  test('between its reading and its claim does nothing: the job was read anew', async () => {
    const { world, batch, first } = await running(1);
    const held = frozen(dispatchStore(world.pool, world.encryption), 'claim');
    const [job] = await world.openJobs();
    if (!job) throw new Error('no job');
    const sleeping = world.worker({ dispatches: held.port })(job, new AbortController().signal);
    await held.reached;
    await world.drain();
    held.letGo();
    await sleeping;
    expect(await world.statesOf(batch.id)).toEqual({ paid: 1 });
    await once(world, [first.card]);
  });

  test('at the sign-in of the rail does not send its draft afterwards; the next one is sent, once', async () => {
    const { world, batch, first } = await running(1);
    world.box.orderFaults({ effect: 'slow', on: 'auth', times: 1, delay_ms: 1_200 });
    await world.drain();
    expect(await world.statesOf(batch.id)).toEqual({ paid: 1 });
    await once(world, [first.card]);
    const { rows } = await world.pool.query(
      `select what, outcome from rail_call c join payout_dispatch d on d.id = c.dispatch_id where d.batch_id = $1 order by n`,
      [batch.id],
    );
    expect(rows).toEqual([
      { what: 'draft', outcome: 'unsent' },
      { what: 'draft', outcome: 'answered' },
      { what: 'confirm', outcome: 'answered' },
    ]);
  });
});
