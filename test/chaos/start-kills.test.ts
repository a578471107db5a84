import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { DEMO_PROJECT } from '../../apps/local/demo.ts';
import { ACTIVE_KEYS_MAX } from '../../domain/project/key.ts';
import { isAlive } from '../../infra/embedded/process.ts';
import { type Start, START_MS, startHome, type StartHome, untilReady } from '../support/npm-start.ts';

/** `npm start` and what kills it, in a home of its own: four starts. The tests build on each other, in this order. */
const [FIRST_KEY, SECOND_KEY] = ['nbt_live_given-to-the-first-start', 'nbt_live_given-to-the-second-start'];
const CHILDREN_MIN = 7;

let home: StartHome;
let current: Start;

beforeAll(async () => {
  home = await startHome();
});
afterAll(() => home.close());

async function startedAs(
  more: Readonly<Record<string, string>> = {},
  command?: readonly [string, ...string[]],
): Promise<void> {
  current = home.start(more, command);
  await untilReady(current);
}

const statusOf = async (key: string) => (await home.call('GET', '/jobs', key)).status;

test('a start after a kill -9 of the supervisor stops what was left; a key for which there is no room takes the place of the oldest', async () => {
  await startedAs({ NAVBAT_DEMO_KEY: FIRST_KEY });
  const projects = z.object({ data: z.array(z.object({ id: z.string(), slug: z.string() })) });
  const list = await home.call('GET', '/projects', FIRST_KEY);
  const demo = projects.parse(await list.json()).data.find(({ slug }) => slug === DEMO_PROJECT);
  for (let keys = 1; keys < ACTIVE_KEYS_MAX; keys++)
    expect((await home.call('POST', `/projects/${demo?.id}/keys`, FIRST_KEY, {})).status).toBe(201);

  const left = home.pids();
  expect(left.length).toBeGreaterThanOrEqual(CHILDREN_MIN);
  current.supervisor.kill('SIGKILL');
  await current.ended;
  expect(left.filter(isAlive).length).toBeGreaterThan(0);

  await startedAs({ NAVBAT_DEMO_KEY: SECOND_KEY });
  expect(left.filter(isAlive)).toEqual([]);
  expect(await statusOf(SECOND_KEY)).toBe(200);
  expect(await statusOf(FIRST_KEY)).toBe(401);
});

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'npm that is ended by %s, which its shell does not pass on, takes everything with it',
  async (signal) => {
    current.supervisor.kill('SIGTERM');
    await current.ended;
    await startedAs({}, ['npm', 'start']);
    const pids = home.pids();
    expect(pids.length).toBeGreaterThanOrEqual(CHILDREN_MIN);
    current.supervisor.kill(signal);
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), START_MS);
  },
);
