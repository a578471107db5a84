import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { ExplainedTraffic, TrafficExplanation } from '../../../../domain/earn/explain/explain.ts';
import { newSecrets } from '../../../../infra/process/new-secrets.ts';
import { DAY_MS, MB, openEarnWorld } from '../../../infra/postgres/earn/earn-world.ts';
import { navbatCommand } from '../../../support/command-line.ts';
import { testEnvironment } from '../../../support/environment.ts';

const { JWT_PRIVATE_JWK } = newSecrets(new Date(0));

const HOUR_MS = 3_600_000;

/** A day that was paid, taken back and given again, of somebody who shared in two sessions. */
async function openExplained() {
  const world = await openEarnWorld({ require_counterpart: 'review' });
  const environment = testEnvironment({ DATABASE_URL: world.url, SANDBOX_CLOCK: 'true', JWT_PRIVATE_JWK });
  // Noon of the next day in Tashkent: no midnight is near.
  await world.forward(DAY_MS - ((world.now().getTime() + 5 * HOUR_MS) % DAY_MS) + 12 * HOUR_MS);
  await world.priceRounds.carry();
  const { personId, sessionId, day } = await world.earner(10n * MB);
  const other = await world.earner(5n * MB, personId);
  await world.decide(sessionId, day, true);
  await world.untilClosable();
  await world.days.close(day, null);
  await world.takeBack(sessionId, day);
  await world.decide(sessionId, day, true);
  const explain = async (...args: readonly string[]): Promise<string> => {
    const { code, out, err } = await navbatCommand(['explain', ...args], environment);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    return out;
  };
  return {
    ...world,
    environment,
    explain,
    json: async (name: string) => JSON.parse(await explain(name, '--json')) as TrafficExplanation,
    personId,
    sessionId,
    other,
    day,
  };
}

const tablesOf = (rows: readonly ExplainedTraffic[]) =>
  [...new Set(rows.map(({ table }) => table))].toSorted();

test('navbat explain of a session names its reports, days, prices, decisions and transfers, and each row exists', async () => {
  const world = await openExplained();
  const { sessions, rows } = await world.json(world.sessionId);
  expect(sessions).toEqual([world.sessionId]);
  expect(tablesOf(rows)).toEqual([
    'ledger_transfer',
    'price',
    'session_day',
    'session_day_action',
    'session_report',
    'traffic_session',
  ]);
  for (const { table, key } of rows) {
    const { rowCount } = await world.pool.query(`select from ${table} t where to_jsonb(t) @> $1`, [key]);
    expect(rowCount, `${table} ${JSON.stringify(key)}`).toBe(1);
  }
  const out = await world.explain(world.sessionId);
  const said = [
    `key earn:${world.personId}:${world.day}`,
    `key takeback:${world.sessionId}:${world.day}`,
    `key earn-again:${world.sessionId}:${world.day}`,
    '10000000 bytes, 10000000 payable, 100 tiyin a MB, 10.000000 UZS',
    `take-back of ${world.day}, by ${world.finance}@navbat.example`,
    'in no block yet',
  ];
  for (const words of said) expect(out).toContain(words);
});

test('of a person on a day it names all their sessions, and says why bytes are not paid', async () => {
  const world = await openExplained();
  const { sessions, rows } = await world.json(`${world.personId}:${world.day}`);
  expect([...sessions]).toEqual([world.sessionId, world.other.sessionId].toSorted());
  const days = rows.filter(({ table }) => table === 'session_day');
  expect(days.map(({ says }) => says)).toEqual(
    expect.arrayContaining([expect.stringContaining('5000000 bytes unpaid, no-counterpart')]),
  );
  expect((await world.explain(`${world.personId}:${world.day}`)).startsWith('session  ')).toBe(true);
});

test('of nothing it says so, and of a word what it takes', async () => {
  const world = await openExplained();
  const refused = async (name: string) => (await navbatCommand(['explain', name], world.environment)).err;
  expect(await refused(`${randomUUID()}:${world.day}`)).toContain('There is no ');
  expect(await refused(randomUUID())).toContain('session of traffic, or person on a day');
});
