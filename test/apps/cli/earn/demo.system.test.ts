import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTraffic, type TrafficSandbox } from '../../../../apps/sandbox/earn/traffic/start-traffic.ts';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import { navbatCommand } from '../../../support/command-line.ts';
import { startNavbat, type Navbat } from '../../../support/navbat.ts';

let navbat: Navbat;
let sandbox: TrafficSandbox;
let variables: Record<string, string>;
beforeAll(async () => {
  navbat = await startNavbat({
    env: {
      NAVBAT_PRODUCTS: 'verify,message,pay,earn',
      MONEY_PROJECT: PLATFORM_PROJECT_ID,
      SANDBOX_CLOCK: 'true',
    },
  });
  sandbox = await startTraffic({ port: 0, apiUrl: navbat.apiUrl });
  variables = {
    ...navbat.env,
    SANDBOX_PORT: new URL(navbat.sandbox.url).port,
    SANDBOX_TRAFFIC_PORT: new URL(sandbox.url).port,
  };
});
afterAll(async () => {
  await sandbox?.close();
  await navbat?.stop();
});

const run = (args: readonly string[], more: Record<string, string> = {}) =>
  navbatCommand(args, { ...variables, ...more }, '');

test('a first price is set once, by a member of staff, with its row of the audit', async () => {
  const nobody = await run(['demo', 'price']);
  expect([nobody.code, nobody.err]).toEqual([1, expect.stringContaining('staff create')]);
  await run(['staff', 'create', 'admin@navbat.example', '--role', 'admin']);
  const price = JSON.parse((await run(['demo', 'price', '--json'])).out);
  expect(price).toMatchObject({ tiyin_per_mb: 150 });
  await navbat.db.query('update price set tiyin_per_mb = 151').catch(() => undefined);
  expect(JSON.parse((await run(['demo', 'price', '--json'])).out)).toEqual(price);
  const { rows } = await navbat.db.query(`select subject from audit where action = 'price.seed'`);
  expect(rows).toEqual([{ subject: price.day }]);
});

test('phones share, one cheats, each has a line; what was made for it ends', async () => {
  const { code, out, err } = await run(['demo', 'traffic', '--phones', '4', '--seconds', '8']);
  expect([code, err]).toEqual([0, '']);
  const lines = out.trim().split('\n');
  const of = (manner: string) => lines.find((line) => line.includes(` ${manner} `)) ?? '';
  expect(of('cheats')).toContain('differ too much');
  expect(of('cheats')).toMatch(/\b0\.0 MB\s+0\.00\b/);
  for (const manner of ['honest', 'sleeps', 'repeats']) expect(of(manner)).toMatch(/\b0\.0 MB$/);
  expect(of('honest')).not.toMatch(/\s0\.00\s/);
  expect(lines.at(-1)).toMatch(/^\d+(\.\d+)? UZS are earned\./);
  const { rows } = await navbat.db.query(
    `select (select count(*)::int from api_key where name like 'demo traffic%' and revoked_at is null) as keys,
       (select count(*)::int from traffic_session where ended_at is null) as open,
       (select count(distinct person_id)::int from traffic_session) as people`,
  );
  expect(rows).toEqual([{ keys: 0, open: 0, people: 4 }]);
});

test('elsewhere than in a sandbox it is refused, and nothing is made', async () => {
  const keys = async () => (await navbat.db.query('select count(*) from api_key')).rows[0].count;
  const before = await keys();
  for (const what of ['traffic', 'price']) {
    const { code, err } = await run(['demo', what], { SANDBOX_CLOCK: '' });
    expect([code, err]).toEqual([1, expect.stringContaining('in a sandbox alone')]);
  }
  expect(await keys()).toBe(before);
});
