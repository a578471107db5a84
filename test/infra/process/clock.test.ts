import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import pg from 'pg';
import { moveClock } from '../../../infra/postgres/engine/clock.ts';
import { openClock } from '../../../infra/process/clock.ts';
import { ConfigError, readConfig } from '../../../infra/process/config.ts';
import { openLog } from '../../../infra/process/log.ts';
import { type Ground, openGround } from '../../support/api.ts';
import { testEnvironment } from '../../support/environment.ts';
import { eventually } from '../../support/eventually.ts';
import { freshDatabase } from '../../support/servers.ts';

const HOUR_MS = 3_600_000;
/** Between two reads of the clock on a busy machine. */
const SLACK_MS = 60_000;
const log = openLog('clock', 'silent');
let ground: Ground;

beforeAll(async () => {
  ground = await openGround();
});
afterAll(() => ground.close());
beforeEach(() => moveClock(ground.owner, 0));

const open = async (more: object = {}) => {
  const opened = await openClock(
    { DATABASE_URL: ground.databaseUrl, SANDBOX_CLOCK: undefined, ...more },
    log,
  );
  onTestFinished(opened.close);
  return opened;
};
const sandbox = { SANDBOX_CLOCK: 'true' } as const;
const aheadMs = (clock: () => Date) => clock().getTime() - Date.now();

describe('elsewhere than in a sandbox', () => {
  test('a process keeps the real time', async () => {
    const { clock } = await open();
    expect(Math.abs(aheadMs(clock))).toBeLessThan(SLACK_MS);
  });

  test('none starts where the time was moved, and it says what to do', async () => {
    await moveClock(ground.owner, HOUR_MS);
    const refused = open();
    await expect(refused).rejects.toBeInstanceOf(ConfigError);
    await expect(refused).rejects.toThrow(/SANDBOX_CLOCK=true.*npm run navbat -- clock reset/);
  });

  test('one starts again after a reset', async () => {
    await moveClock(ground.owner, HOUR_MS);
    await moveClock(ground.owner, 0);
    await expect(open()).resolves.toBeDefined();
  });

  test('one that runs ends within a minute of a move, and says what to do', async () => {
    const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    onTestFinished(() => void vi.restoreAllMocks());
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    await open();
    await vi.advanceTimersByTimeAsync(1);
    await moveClock(ground.owner, HOUR_MS);
    expect(exit).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(60_000);
    await vi.waitFor(() => expect(exit).toHaveBeenCalledWith(1));
    expect(write.mock.calls.flat().join('')).toMatch(/SANDBOX_CLOCK=true.*npm run navbat -- clock reset/);
  });

  test('one starts while Postgres is away', async () => {
    await expect(open({ DATABASE_URL: 'postgres://127.0.0.1:9/none' })).resolves.toBeDefined();
  });
});

test.each([
  ['password', 'The password is wrong, or there is no such user.'],
  ['user', 'The password is wrong, or there is no such user.'],
  ['database', 'There is no such database. Create it first.'],
  ['connect', 'That user may not connect to this database. Run: npm run migrate, which'],
])('none starts with a login that Postgres refuses, and says what to mend: %s', async (wrong, said) => {
  const database = await freshDatabase();
  onTestFinished(() => database.drop());
  const url = new URL(database.url);
  if (wrong === 'password') url.password = 'wrong';
  if (wrong === 'user') url.username = 'navbat_ap';
  if (wrong === 'database') url.pathname = '/none';
  if (wrong === 'connect') {
    const owner = new pg.Client({ connectionString: database.ownerUrl });
    await owner.connect();
    await owner.query(`revoke connect on database ${url.pathname.slice(1)} from navbat_app`);
    await owner.end();
  }
  await expect(open({ DATABASE_URL: url.href })).rejects.toMatchObject({
    name: 'ConfigError',
    message: expect.stringContaining(`DATABASE_URL: ${said}`),
  });
});

test('in a sandbox a process that runs follows each move, and so does SQL', async () => {
  const { clock } = await open(sandbox);
  await moveClock(ground.owner, 2 * HOUR_MS);
  await eventually(() => expect(Math.abs(aheadMs(clock) - 2 * HOUR_MS)).toBeLessThan(SLACK_MS));
  const { rows } = await ground.pool.query<{ ms: number }>(
    'select extract(epoch from navbat_now() - now())::float8 * 1000 ms',
  );
  expect(rows[0]?.ms).toBe(2 * HOUR_MS);
  await moveClock(ground.owner, 0);
  await eventually(() => expect(Math.abs(aheadMs(clock))).toBeLessThan(SLACK_MS));
});

test('what moved the time otherwise is refused in a sandbox too', async () => {
  await ground.owner.query(
    `create or replace function navbat_now() returns timestamptz language sql stable as $$ select now() - interval '1 day' $$`,
  );
  await expect(open(sandbox)).rejects.toThrow(ConfigError);
});

test('production refuses SANDBOX_CLOCK', () => {
  const env = testEnvironment({ NODE_ENV: 'production', SANDBOX_CLOCK: 'true' });
  expect(() => readConfig(env)).toThrow('SANDBOX_CLOCK: expected nothing when NODE_ENV is production');
});
