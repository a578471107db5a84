import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Ground, openGround } from '../../support/api.ts';
import { authenticator } from '../../support/authenticator.ts';
import { navbatCommand } from '../../support/command-line.ts';
import { testEnvironment } from '../../support/environment.ts';

let ground: Ground;
let env: Record<string, string>;

beforeAll(async () => {
  ground = await openGround();
  env = testEnvironment({
    DATABASE_URL: ground.databaseUrl,
    MIGRATE_DATABASE_URL: ground.ownerUrl,
    SANDBOX_CLOCK: 'true',
  });
});
afterAll(() => ground.close());

const clock = (args: readonly string[], variables = env) => navbatCommand(['clock', ...args], variables);

async function aheadSeconds(...args: string[]): Promise<number> {
  const { code, out, err } = await clock([...args, '--json']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out).ahead_seconds;
}

test('moves add up, are shown, and are taken back', async () => {
  expect(await aheadSeconds('show')).toBe(0);
  expect(await aheadSeconds('forward', '2h')).toBe(7_200);
  expect(await aheadSeconds('forward', '1d12h30m5s')).toBe(7_200 + 131_405);
  expect(await aheadSeconds('show')).toBe(7_200 + 131_405);
  const { out } = await clock(['show']);
  expect(out).toMatch(/^now {4}\d{4}-.*Z\nahead {2}138605 s\n$/);
  expect(await aheadSeconds('reset')).toBe(0);
});

test('the command line itself lives in that time: a key that would have expired by then is not made', async () => {
  await navbatCommand(['project', 'create', 'ahead'], env);
  const expires = new Date(Date.now() + 3_600_000).toISOString();
  const create = () => navbatCommand(['key', 'create', 'ahead', '--expires', expires], env);
  await clock(['forward', '2h']);
  expect(await create()).toMatchObject({ code: 1, err: '--expires: expected a time in the future.\n' });
  await clock(['reset']);
  expect(await create()).toMatchObject({ code: 0 });
});

test.each(['2', 'h', '0h', '-2h', '2h4d', '99999d'])('a span of %s is refused', async (span) => {
  const { code, err } = await clock(['forward', '--', span]);
  expect(code).toBe(1);
  expect(err).toContain('span: expected a time such as 30s, 10m, 2h, 4d or 1d12h.');
});

test('nobody moves the time by more than ten years', async () => {
  const { code, err } = await clock(['forward', '3651d']);
  expect(code).toBe(1);
  expect(err).toBe('span: expected to stay within 3650 days of the real time.\n');
});

test('each code of an authenticator is another one, of the time that the clock then shows', async () => {
  const app = authenticator('JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP');
  const codes: string[] = [];
  for (let steps = 1; steps <= 2; steps += 1) {
    const { code, out, err } = await clock(['code', app.secret]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const now = new Date(Date.now() + steps * 30_000);
    const expected = await Promise.all([now, new Date(now.getTime() - 30_000)].map((at) => app.codeAt(at)));
    // The second: the command line asked before a step ended, and this line did after it.
    expect(expected).toContain(out.trim());
    codes.push(out);
  }
  expect(new Set(codes).size).toBe(2);
  expect(await aheadSeconds('reset')).toBe(0);
});

test.each(['123456', 'JBSWY3DPEHPK3PXP', ''])('a secret of %o is none', async (secret) => {
  const { code, err } = await clock(['code', secret]);
  expect(code).toBe(1);
  expect(err).toContain('secret: expected the 32 signs of base32');
});

test('elsewhere than in a sandbox nothing is moved, and no command runs where it was', async () => {
  const { SANDBOX_CLOCK: _, ...elsewhere } = env;
  const moving = await clock(['forward', '2h'], elsewhere);
  expect(moving.code).toBe(1);
  expect(moving.err).toContain('Only the time of a sandbox may be moved');
  await clock(['forward', '2h']);
  const listing = await navbatCommand(['project', 'list'], elsewhere);
  expect(listing.code).toBe(1);
  expect(listing.err).toContain('npm run navbat -- clock reset');
  await clock(['reset']);
});
