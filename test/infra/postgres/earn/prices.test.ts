import { describe, expect, test } from 'vitest';
import { dayAfter } from '../../../../domain/pay/ledger/head.ts';
import { earnOps } from '../../../../infra/postgres/earn/ops-view.ts';
import { priceRounds as priceRoundsOf } from '../../../../infra/postgres/earn/price/prices.ts';
import { DAY_MS, openEarnWorld } from './earn-world.ts';

describe('a price', () => {
  test('is for a day that has not begun', async () => {
    const { prices, today, finance } = await openEarnWorld();
    expect(await prices.set(today(), 110, finance)).toEqual({ ok: false, reason: 'day-begun' });
    expect(await prices.set(dayAfter(today(), 367), 110, finance)).toEqual({
      ok: false,
      reason: 'day-too-far',
    });
    expect(await prices.set(dayAfter(today()), 110, finance)).toEqual({ ok: true, state: 'set', id: null });
    expect(await prices.of(dayAfter(today()))).toEqual({
      day: dayAfter(today()),
      tiyinPerMb: 110,
      carried: false,
    });
  });

  test.each([
    [130, 'set'],
    [131, 'asked'],
    [70, 'set'],
    [69, 'asked'],
  ] as const)('of %i after 100 is %s', async (tiyin, state) => {
    const { prices, today, finance } = await openEarnWorld();
    expect(await prices.set(dayAfter(today()), tiyin, finance)).toMatchObject({ ok: true, state });
  });

  test('does not climb day by day by one person: it is held against the price of today', async () => {
    const { prices, today, finance } = await openEarnWorld();
    expect(await prices.set(dayAfter(today()), 130, finance)).toMatchObject({ state: 'set' });
    expect(await prices.set(dayAfter(today(), 2), 160, finance)).toMatchObject({ state: 'asked' });
  });

  test('does not climb from day to day by one person: it is held against the last one that two agreed to', async () => {
    const { prices, priceRounds, today, finance, second, forward } = await openEarnWorld();
    expect(await prices.set(dayAfter(today()), 129, finance)).toMatchObject({ state: 'set' });
    await forward(DAY_MS);
    await priceRounds.carry();
    expect(await prices.set(dayAfter(today()), 130, finance)).toMatchObject({ state: 'set' });
    const asked = await prices.set(dayAfter(today(), 2), 166, finance);
    expect(asked).toMatchObject({ state: 'asked' });
    if (!asked.ok || !asked.id) throw new Error('not asked');
    await prices.agree(asked.id, second);
    // Of that day only two change it again.
    expect(await prices.set(dayAfter(today(), 2), 165, finance)).toMatchObject({ state: 'asked' });
    expect(await prices.of(dayAfter(today(), 2))).toMatchObject({ tiyinPerMb: 166 });
    expect(await prices.set(dayAfter(today(), 3), 200, finance)).toMatchObject({ state: 'set' });
  });

  test('that one person sets is in the audit', async () => {
    const { prices, today, finance, pool } = await openEarnWorld();
    await prices.set(dayAfter(today()), 110, finance);
    const { rows } = await pool.query(
      `select staff_id, action, detail from audit where subject = $1 and staff_id = $2`,
      [dayAfter(today()), finance],
    );
    expect(rows).toEqual([
      { staff_id: finance, action: 'price.set', detail: { did: 'set', tiyin_per_mb: 110 } },
    ]);
  });

  test('that changes much is agreed to by another person, once, before its day begins', async () => {
    const { prices, today, finance, second, forward } = await openEarnWorld();
    const asked = await prices.set(dayAfter(today()), 200, finance);
    const late = await prices.set(dayAfter(today(), 2), 300, finance);
    if (!asked.ok || !asked.id || !late.ok || !late.id) throw new Error('not asked');
    expect(await prices.of(dayAfter(today()))).toMatchObject({ tiyinPerMb: 100 });
    expect(await prices.agree(asked.id, finance)).toEqual({ ok: false, reason: 'own-change' });
    const { id } = asked;
    const both = await Promise.all([1, 2].map(() => prices.agree(id, second)));
    expect(both.filter(({ ok }) => ok)).toHaveLength(1);
    expect(both.find(({ ok }) => !ok)).toEqual({ ok: false, reason: 'change-ended' });
    expect(await prices.of(dayAfter(today()))).toMatchObject({ tiyinPerMb: 200 });
    await forward(2 * DAY_MS);
    expect(await prices.agree(late.id, second)).toEqual({ ok: false, reason: 'day-begun' });
    expect(await prices.withdraw(late.id, second)).toMatchObject({ ok: true });
    expect((await prices.changes({ limit: 10, after: null })).rows.map(({ state }) => state)).toEqual([
      'withdrawn',
      'agreed',
    ]);
  });

  test('that one who has left asked for is agreed to by nobody', async () => {
    const { prices, today, finance, second, owner } = await openEarnWorld();
    const asked = await prices.set(dayAfter(today()), 200, finance);
    if (!asked.ok || !asked.id) throw new Error('not asked');
    await owner.query('update staff set disabled_at = now() where id = $1', [finance]);
    expect(await prices.agree(asked.id, second)).toEqual({ ok: false, reason: 'asker-gone' });
    expect(await prices.of(dayAfter(today()))).toMatchObject({ tiyinPerMb: 100 });
    expect(await prices.withdraw(asked.id, second)).toMatchObject({ ok: true });
  });

  test('of a day that has begun is changed by nobody, the owner neither', async () => {
    const { owner } = await openEarnWorld();
    await expect(owner.query('update price set tiyin_per_mb = 1')).rejects.toMatchObject({ code: 'NB040' });
    await expect(owner.query('delete from price')).rejects.toMatchObject({ code: 'NB009' });
  });

  test('is carried to days for which nobody set one, once, and staff are told', async () => {
    const { prices, priceRounds, today, forward, pool, now, makeProject } = await openEarnWorld();
    expect(await priceRounds.carry()).toEqual([]);
    // Where nobody ever set one there is none to carry.
    const { projectId: other } = await makeProject();
    await pool.query('select ledger_book_open($1)', [other]);
    expect(await priceRoundsOf(pool, other).carry()).toEqual([]);
    const first = today();
    await forward(3 * DAY_MS);
    const carried = await Promise.all([priceRounds.carry(), priceRounds.carry()]);
    expect(carried.flat().toSorted()).toEqual([1, 2, 3].map((n) => dayAfter(first, n)));
    expect(await prices.of(today())).toEqual({ day: today(), tiyinPerMb: 100, carried: true });
    expect(await earnOps.alarms(pool, now())).toEqual([expect.objectContaining({ alarm: 'price-carried' })]);
  });
});
