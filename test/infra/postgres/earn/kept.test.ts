import { expect, test } from 'vitest';
import { DAY_MS, MB, openEarnWorld } from './earn-world.ts';

/** `RETENTION_JOB_DAYS` and `RETENTION_PHONE_DAYS` at their least. */
const KEEP = { jobDays: 1, phoneDays: 1 };
/** Reports are kept for forty days, in whole weeks. */
const DAYS = 49;

/** What says how much was shared, what was paid of it, and why not more. */
const moneyTables = [
  'price',
  'traffic_session',
  'session_day',
  'session_day_action',
  'ledger_account',
  'ledger_transfer',
] as const;

test('after forty days with RETENTION_JOB_DAYS=1 every row about money is there, and the reports are gone', async () => {
  const world = await openEarnWorld({ require_counterpart: 'review' });
  const [paid, refused] = [await world.earner(40n * MB), await world.earner(7n * MB)];
  await world.decide(paid.sessionId, paid.day, true);
  await world.decide(refused.sessionId, refused.day, false);
  await world.untilClosable();
  await world.days.close(paid.day, null);
  // Its job was worked on.
  await world.owner.query(`update job set state = 'completed', finished_at = navbat_now()`);
  const rows = async () => {
    const all = await Promise.all(
      moneyTables.map((table) => world.owner.query(`select * from ${table} x order by x::text`)),
    );
    return all.map(({ rows: of }) => of);
  };
  const count = async (table: string) =>
    (await world.owner.query<{ n: number }>(`select count(*)::int as n from ${table}`)).rows[0]?.n;
  const before = await rows();
  expect(before.map(({ length }) => length > 0)).toEqual(moneyTables.map(() => true));
  expect(await count('session_report')).toBe(2);

  for (let day = 0; day < DAYS; day += 1) {
    await world.forward(DAY_MS);
    await world.reconciler.retire(world.now(), KEEP);
    await world.rounds.partitions();
  }
  expect([await count('job'), await count('session_report')]).toEqual([0, 0]);
  expect(await rows()).toEqual(before);
  expect(await world.transfers()).toEqual([`earn:${paid.personId}:${paid.day} earn available 40000000`]);
  expect(await world.dayOf(refused.sessionId, refused.day)).toMatchObject({
    bytes: '7000000',
    verdict: 'unpaid',
    unpaid: [{ reason: 'decided', bytes: '7000000' }],
  });
});
