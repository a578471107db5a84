import { afterEach, expect, test } from 'vitest';
import {
  blocksOf,
  type ChainedBook,
  daysOf,
  openChainedBook,
} from '../../infra/postgres/pay/chained-book.ts';

/** A process of its own: it changes its time zone. */
let ledger: ChainedBook;
afterEach(() => ledger.close());

test('a day of Tashkent is the same whatever the zone of the process and of Postgres', async () => {
  const zones = ['America/Los_Angeles', 'Pacific/Kiritimati', 'UTC'];
  const before = process.env['TZ'];
  const seen: unknown[] = [];
  const offsets = new Set<number>();
  for (const zone of zones) {
    process.env['TZ'] = zone;
    offsets.add(new Date(0).getTimezoneOffset());
    ledger = await openChainedBook({ timezone: zone });
    // Around the midnights of Tashkent (12 h after noon), of UTC (17 h), of Los Angeles (20 h) and of Kiritimati (3 h).
    for (const hours of [0.1, 2.9, 3.1, 11.9, 12.1, 16.9, 17.1, 19.9, 20.1, 35.9, 36.1]) {
      await ledger.moveTo(hours * 3_600_000);
      await ledger.post(5);
      await ledger.tick();
    }
    const first = (await daysOf(ledger))[0]?.day ?? '';
    const days = (await daysOf(ledger)).map(({ day, ...rest }) => ({
      at: Date.parse(day) - Date.parse(first),
      ...rest,
    }));
    seen.push({ blocks: await blocksOf(ledger), days, differences: (await ledger.verify()).differences });
    if (zone !== zones.at(-1)) await ledger.close();
  }
  if (before === undefined) delete process.env['TZ'];
  else process.env['TZ'] = before;
  expect(offsets.size).toBe(3);
  expect(seen[0]).toMatchObject({ differences: [], days: [{ nTo: 20 }, { nTo: 50 }] });
  expect(seen[1]).toEqual(seen[0]);
  expect(seen[2]).toEqual(seen[0]);
});
