import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { tashkentDay } from '../../../domain/pay/ledger/head.ts';
import type { CardRail, RailPage, RailPeriod, RailReply } from '../../../domain/pay/rail/port.ts';
import type { Multicard } from '../../../apps/sandbox/pay/multicard/start-multicard.ts';
import { reconciling, type ReconcileDeps } from '../../../workers/pay/reconcile.ts';
import { deadline } from '../../infra/providers/support.ts';
import { freshMulticard, orderOf, railAt } from '../../apps/sandbox/pay/multicard-world.ts';
import { openRailWorld } from '../../infra/postgres/pay/reconcile/rail-world.ts';
import { GROSS, FEE } from '../../infra/postgres/pay/dispatch-world.ts';

const MICROS = 10_000n;
const NET = GROSS - FEE;
const HOUR_MS = 3_600_000;

let world: Awaited<ReturnType<typeof openRailWorld>>;
beforeAll(async () => {
  world = await openRailWorld();
});
afterAll(() => world.close());
beforeEach(() => world.forget());

/** The sandbox's Multicard, whose wallet the book knows to the tiyin; and the tick, on a clock of the test's own. */
async function openHour(change: Partial<ReconcileDeps> = {}) {
  const box = await freshMulticard();
  const rail = railAt(box.url);
  await knowWallet(box);
  const clock = { aheadMs: 5_000 };
  const told: string[] = [];
  const faults: string[] = [];
  const found: string[] = [];
  const tick = reconciling({
    ...world,
    rail,
    now: () => new Date(Date.now() + clock.aheadMs),
    tell: async (text) => void told.push(text),
    onFault: (what) => faults.push(what),
    onFound: (name, equation) => found.push(`${name} ${equation}`),
    onStopped: () => undefined,
    ...change,
  });
  const nextHour = async () => {
    clock.aheadMs += HOUR_MS + 1;
    await tick();
  };
  return { box, rail, tick, nextHour, told, faults, found };
}

/** What the books expect in the wallet is what is there. */
async function knowWallet(box: Multicard): Promise<void> {
  const books = (await world.equation.books()).rails.find(({ rail }) => rail === 'multicard');
  const expected = -(books?.wallet ?? 0n) - (books?.clearing ?? 0n) - (books?.unposted ?? 0n);
  const short = BigInt(box.wallet()) - expected;
  const [wallet, bank] = [await world.open('wallet', null, 'multicard'), await world.open('bank')];
  if (short === 0n) return;
  const [debit, credit] = short > 0n ? [wallet, bank] : [bank, wallet];
  const amount = (short > 0n ? short : -short) * MICROS;
  const posted = await world.post([{ key: `top-up:${box.url}`, kind: 'top-up', debit, credit, amount }]);
  if (posted[0]?.state !== 'posted') throw new Error(`the wallet is too full: ${posted[0]?.state}`);
}

/** Paid at the rail, and known so by us. */
async function pay(rail: CardRail, isKnown = true) {
  const { id: batchId, payees } = await world.batch(1);
  await world.start();
  const [[row], [payee]] = [await world.dispatches(batchId), payees];
  if (!row || !payee) throw new Error('nothing was started');
  const { call: drafting } = await world.claim(row.id);
  const reference = `${row.id}-1`;
  const draft = await rail.draft(orderOf(reference, { amount: NET }), deadline());
  if (draft.kind !== 'answered') throw new Error(JSON.stringify(draft));
  const { uuid, commission } = draft.value;
  const { call } = await world.move(row.id, drafting, { kind: 'answered', status: 'draft' }, 'drafted', {
    rail_uuid: uuid,
    commission: Number(commission),
    confirms: true,
  });
  await rail.confirm(uuid, deadline());
  const know = () => world.move(row.id, call, { kind: 'answered', status: 'success' }, 'paid');
  if (isKnown) await know();
  return { id: row.id, payee, uuid, reference, know };
}
const openOnes = async () => (await world.openDifferences()).map(({ bucket, amount }) => [bucket, amount]);
const order = (box: Multicard, method: string, path: string, body: object) =>
  fetch(`${box.url}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

describe('an hour', () => {
  test('takes in what the rail says, and finds nothing where all fits', async () => {
    const { rail, tick, told, faults, found } = await openHour();
    const paid = [await pay(rail), await pay(rail), await pay(rail)];
    await tick();
    expect(await world.bucketsOf(...paid)).toEqual(
      paid.map(() => ({ bucket: 'matched', direction: 'out', posted: true })),
    );
    expect([await openOnes(), told, faults, found]).toEqual([[], [], [], []]);
  });

  test('finds one tiyin that has left the wallet, once, and tells finance', async () => {
    const { box, rail, tick, nextHour, told, found } = await openHour();
    await pay(rail);
    await tick();
    await order(box, 'PUT', '/control/wallet', { balance: box.wallet() - 1 });
    await nextHour();
    expect(await openOnes()).toEqual([['wallet', 1n]]);
    expect(found).toEqual(['multicard wallet']);
    expect(told).toEqual([
      expect.stringMatching(/^Money does not fit\.[^]*\nmulticard: wallet, 0\.01 UZS \(/),
    ]);
    await nextHour();
    expect([await openOnes(), told.length]).toEqual([[['wallet', 1n]], 1]);
    await order(box, 'PUT', '/control/wallet', { balance: box.wallet() + 1 });
    await nextHour();
    expect(await openOnes()).toEqual([]);
  });

  test('finds one tiyin in the books of clearing and of what is held', async () => {
    const { rail, tick, nextHour } = await openHour();
    const { payee } = await pay(rail);
    await tick();
    await world.owner.query('alter table ledger_account disable trigger user');
    const shift = async (account: string, by: number) =>
      world.owner.query('update ledger_account set balance = balance + $2 where id = $1', [account, by]);
    await shift(world.clearing, 10_000);
    await shift(payee.held, 10_000);
    await nextHour();
    expect(await openOnes()).toEqual([
      ['held', 1n],
      ['clearing', 1n],
      ['wallet', -1n],
    ]);
    await shift(world.clearing, -10_000);
    await shift(payee.held, -10_000);
    await world.owner.query('alter table ledger_account enable trigger user');
    await nextHour();
    expect(await openOnes()).toEqual([]);
  });

  test('takes a payment whose end we do not know as the one thing that may be missing', async () => {
    const { rail, tick, nextHour } = await openHour();
    const one = await pay(rail, false);
    await tick();
    expect([await openOnes(), await world.bucketsOf(one)]).toEqual([
      [],
      [{ bucket: 'early', direction: 'out', posted: false }],
    ]);
    await one.know();
    await nextHour();
    expect([await openOnes(), await world.bucketsOf(one)]).toEqual([
      [],
      [{ bucket: 'matched', direction: 'out', posted: true }],
    ]);
  });

  test('finds what came back, and gives it to its person', async () => {
    const { box, rail, tick, nextHour } = await openHour();
    const one = await pay(rail);
    await tick();
    await order(box, 'POST', '/control/revert', { uuid: one.uuid });
    await expect.poll(() => rail.read(one.uuid, deadline())).toMatchObject({ value: { status: 'revert' } });
    await nextHour();
    expect(await world.stateOf(one.payee)).toMatchObject({ payout: 'returned' });
    expect(await world.balance(one.payee.available)).toBe(GROSS * MICROS);
    expect(await openOnes()).toEqual([]);
  });

  test('stops the rail where its log has a second payment of an item', async () => {
    const { rail, tick, told } = await openHour();
    const one = await pay(rail);
    const again = await rail.draft(orderOf(one.reference, { amount: NET }), deadline());
    await rail.confirm(again.kind === 'answered' ? again.value.uuid : '', deadline());
    await tick();
    expect((await openOnes()).map(([bucket]) => bucket)).toEqual(['duplicate']);
    expect(await world.railOf('multicard')).toEqual({ reason: 'duplicate', stopped: true });
    expect(told).toHaveLength(1);
  });
});

/** A rail whose history answers so, or as it does. */
async function answering(answer: (period: RailPeriod) => RailReply<RailPage> | undefined): Promise<CardRail> {
  const { rail } = await openHour();
  return {
    ...rail,
    wallet: (signal) => rail.wallet(signal),
    history: async (period, cursor, signal) => answer(period) ?? rail.history(period, cursor, signal),
  };
}

test('three days are asked for each hour, and once a day six weeks by three days, since a payment may come back late', async () => {
  let asks: (readonly [number, number])[] = [];
  const rail = await answering(({ from, to }) => {
    asks.push([from.getTime(), to.getTime()]);
    return undefined;
  });
  const { tick, nextHour } = await openHour({ rail });
  const days: { on: string; days: number }[] = [];
  const round = async (ask: () => Promise<unknown>) => {
    asks = [];
    await ask();
    const [end = 0, begin = 0] = [asks[0]?.[1], asks.at(-1)?.[0]];
    // Without a gap, the newest first.
    expect(asks.slice(1).map(([, to]) => to)).toEqual(asks.slice(0, -1).map(([from]) => from));
    expect(asks.every(([from, to]) => to - from === 72 * HOUR_MS)).toBe(true);
    days.push({ on: tashkentDay(new Date(end)), days: (end - begin) / (24 * HOUR_MS) });
  };
  await round(tick);
  for (let hours = 0; hours < 30; hours += 1) await round(nextHour);
  const firsts = new Set<string>();
  expect(days.map((each) => each.days)).toEqual(
    days.map(({ on }) => (firsts.has(on) ? 3 : (firsts.add(on), 45))),
  );
  expect(firsts.size).toBeGreaterThan(1);
});

test('weeks of which the rail has more than is read keep nothing of these three days from being taken in', async () => {
  const now = Date.now();
  const page = { kind: 'answered', value: { payments: [], cursor: 'another' } } as const;
  const rail = await answering(({ from }) => (now - from.getTime() > 80 * HOUR_MS ? page : undefined));
  const { faults, tick } = await openHour({ rail });
  const one = await pay(rail);
  await tick();
  expect(faults).toEqual(['history']);
  expect(await world.bucketsOf(one)).toEqual([{ bucket: 'matched', direction: 'out', posted: true }]);
});

test('nothing is looked at before the hour is over, unless somebody imports a statement', async () => {
  const calls: string[] = [];
  const { rail, tick } = await openHour({ onFault: (what) => calls.push(what) });
  await tick();
  const one = await pay(rail);
  await tick();
  expect(await world.bucketsOf(one)).toEqual([]);
  const lost = world.lineOf({ ...one, batchId: '' }, { uuid: null, reference: null, key: 'of-an-upload' });
  await world.take([lost]);
  await tick();
  expect(await world.bucketsOf(one)).toHaveLength(1);
});

test('a wallet of which nobody has booked what was sent to it is not compared', async () => {
  const fresh = await openRailWorld();
  onTestFinished(() => fresh.close());
  const box = await freshMulticard();
  const deps = { ...fresh, rail: railAt(box.url), now: () => new Date(), tell: null };
  const found: string[] = [];
  const tick = reconciling({
    ...deps,
    onFault: (what) => found.push(what),
    onFound: (rail) => found.push(rail),
    onStopped: () => undefined,
  });
  await tick();
  expect([found, await fresh.openDifferences()]).toEqual([[], []]);
});

test('a rail that does not answer is a fault that is told, and what was found stays', async () => {
  const { box, tick, nextHour, faults } = await openHour();
  await tick();
  await world.differences.ofEquation('multicard', 'wallet', 3n);
  await box.close();
  await nextHour();
  expect(faults).toEqual(['history', 'wallet']);
  expect(await openOnes()).toEqual([['wallet', 3n]]);
});

test('a message that was not taken is sent with the next hour', async () => {
  let isDown = true;
  const sent: string[] = [];
  const { nextHour, faults } = await openHour({
    tell: async (text) => {
      if (isDown) throw new Error('no chat');
      sent.push(text);
    },
  });
  const lost = {
    direction: 'out',
    uuid: null,
    reference: null,
    amount: 5n,
    commission: 0n,
    says: null,
  } as const;
  await world.take([{ ...lost, key: 'told-later', at: new Date('2026-11-29T10:00:00Z') }]);
  await nextHour();
  isDown = false;
  await nextHour();
  expect([faults, sent.length]).toEqual([['message'], 1]);
  expect(sent[0]).toContain('multicard: only-theirs, 0.05 UZS');
});
