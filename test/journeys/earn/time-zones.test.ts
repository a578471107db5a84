import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { dayAfter } from '../../../domain/pay/ledger/head.ts';
import { DAY_MS, MB, MINUTE_MS, openEarnWorld } from '../../infra/postgres/earn/earn-world.ts';

const HOUR_MS = 60 * MINUTE_MS;

/** A phone that reports each quarter of an hour for a day that begins at noon in Tashkent, over its midnight and a change of the price. */
async function shareOverMidnight(timezone: string) {
  const world = await openEarnWorld({ require_counterpart: 'review' }, { timezone });
  const zone = (await world.pool.query<{ zone: string }>(`select current_setting('timezone') as zone`))
    .rows[0]?.zone;
  const noon = Date.parse(`${dayAfter(world.today())}T07:00:00Z`);
  await world.prices.set(dayAfter(world.today(), 2), 130, world.finance);
  await world.forward(noon - world.now().getTime());
  const [first, second] = [world.today(), dayAfter(world.today())];
  const personId = randomUUID();
  const sessionId = await world.start(personId);
  const startedAt = world.now().getTime();
  const reports = Array.from({ length: 90 }, (_, n) => ({
    seq: n,
    measuredAt: new Date(startedAt + (n + 1) * 15 * MINUTE_MS),
    up: BigInt(n + 1) * 333_333n,
    down: BigInt(n + 1) * 7n * MB,
  }));
  await world.forward(23 * HOUR_MS);
  await world.sessions.report({ sessionId, personId, reports });
  const carried = reports.map(({ seq, measuredAt }) => ({
    sessionId,
    seq,
    measuredAt,
    up: 333_333n,
    down: 7n * MB - 11n,
  }));
  await world.gateways.report({ projectId: world.projectId, keyId: randomUUID() }, carried);
  await world.meter([sessionId]);
  await world.forward(5 * DAY_MS);
  for (const day of await world.days.open(second)) await world.days.close(day, null);
  return {
    zone,
    days: [await world.dayOf(sessionId, first), await world.dayOf(sessionId, second)],
    transfers: (await world.transfers()).map((said) =>
      said.replaceAll(personId, 'person').replaceAll(first, 'first').replaceAll(second, 'second'),
    ),
  };
}

test('what is earned is the same to the unit, whatever the zone of the process and of Postgres', async () => {
  const before = process.env['TZ'];
  const offsets = new Set<number>();
  const seen: Awaited<ReturnType<typeof shareOverMidnight>>[] = [];
  for (const zone of ['America/Los_Angeles', 'Pacific/Kiritimati', 'UTC']) {
    process.env['TZ'] = zone;
    offsets.add(new Date(0).getTimezoneOffset());
    seen.push(await shareOverMidnight(zone));
  }
  if (before === undefined) delete process.env['TZ'];
  else process.env['TZ'] = before;
  expect(offsets.size).toBe(3);
  expect(seen.map(({ zone }) => zone)).toEqual(['America/Los_Angeles', 'Pacific/Kiritimati', 'UTC']);
  // 47 quarters of an hour end before midnight, which is twelve hours after noon.
  const bytes = (quarters: bigint) => quarters * (7n * MB - 11n + 333_333n);
  const [one, two] = [(bytes(47n) * 100n) / 100n, (bytes(43n) * 130n) / 100n];
  expect(seen[0]?.transfers).toEqual([
    `earn:person:first earn available ${one}`,
    `earn:person:second earn available ${two}`,
  ]);
  for (const { zone: _its, ...same } of seen)
    expect(same).toEqual({ days: seen[0]?.days, transfers: seen[0]?.transfers });
});
