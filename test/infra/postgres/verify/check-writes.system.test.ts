import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EmbeddedPostgres, startPostgres } from '../../../../infra/embedded/postgres.ts';
import { migrate } from '../../../../infra/postgres/migrate.ts';
import { openWorld, orderFor, sendCode, type World } from './world.ts';

/** Transactions are counted by the whole server, so that this file has one of its own. */
let directory: string;
let postgres: EmbeddedPostgres;
let world: World;
let caller: Awaited<ReturnType<World['makeProject']>>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'navbat-writes-'));
  await chmod(directory, 0o711);
  // Nothing else may take a number while it counts.
  postgres = await startPostgres({ directory, settings: { autovacuum: 'off' } });
  await migrate(postgres.ownerUrl);
  world = await openWorld({ url: postgres.url, ownerUrl: postgres.ownerUrl, drop: async () => undefined });
  caller = await world.makeProject({ sends_per_hour: 100 });
});
afterAll(async () => {
  await world.close();
  await postgres.stop();
  await rm(postgres.dataDirectory, { recursive: true, force: true });
  await rm(directory, { recursive: true, force: true });
});

const wrong = (code: string) => String((Number(code) + 1) % 10 ** code.length).padStart(code.length, '0');
const checkTo = (phone: string, code: string) =>
  world.checks.check({
    projectId: caller.projectId,
    mode: 'live',
    of: { destination: { phone }, purpose: 'verify' },
    code,
  });

/** Transactions that wrote: each costs a flush to the disk, which is what a stopwatch sees. */
async function writesDuring(work: () => Promise<unknown>): Promise<number> {
  const xid = async () =>
    Number((await world.pool.query('select pg_current_xact_id()::text::bigint id')).rows[0].id);
  const before = await xid();
  await work();
  return (await xid()) - before - 1;
}

test('by `to`, a wrong code costs as many writes whether a code lives or not, the last check too', async () => {
  const phone = '+998941000000';
  const { code } = await sendCode(world, orderFor(caller, phone, { checkByTo: true }));
  const stranger = '+998941010000';
  const none = await writesDuring(() => checkTo(stranger, '123456'));
  for (let check = 1; check <= 6; check++)
    expect(await writesDuring(() => checkTo(phone, wrong(code))), `check ${check}`).toBe(none);
  expect(
    (await world.pool.query('select state, checks_used from verification where phone = $1', [phone])).rows,
  ).toEqual([{ state: 'max-checks-reached', checks_used: 5 }]);
});
