import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openWorld, orderFor, sendCode, type World } from './world.ts';

const DAY_MS = 86_400_000;
let world: World;
let caller: Awaited<ReturnType<World['makeProject']>>;

beforeAll(async () => {
  world = await openWorld();
  caller = await world.makeProject();
});
afterAll(() => world.close());

describe('what no limit looks at any more leaves, and what one does stays', () => {
  const days = (count: number) => new Date(Date.now() - count * DAY_MS);
  const retire = () => world.reconciler.retire(new Date(), { jobDays: 30, phoneDays: 7 });
  const left = async (sql: string) =>
    (await world.pool.query<{ key: string }>(sql)).rows.map(({ key }) => key);

  test('destinations without a lock, numbers, prefixes, blocks and days of spending', async () => {
    await world.owner.query('truncate destination, paid_destination, prefix_score, paid_spend');
    await world.pool.query(
      `insert into destination (project_id, address_hash, locked_at, updated_at)
       values ($1, 'idle', null, $2), ($1, 'lifted', $2, $2), ($1, 'locked', $3, $2), ($1, 'in use', null, $3)`,
      [caller.projectId, days(3), days(0)],
    );
    await world.pool.query(
      `insert into destination (project_id, address_hash, totp_failures, updated_at)
       values ($1, 'guessed at', 1, $2), ($1, 'long ago', 1, $3)`,
      [caller.projectId, days(360), days(370)],
    );
    await world.pool.query(
      `insert into paid_destination (address_hash, locked_at) values ('idle', $1), ('in use', $2)`,
      [days(3), days(0)],
    );
    await world.pool.query(
      `insert into prefix_score (project_id, prefix, sent, at)
       values ($1, 'idle', 1000, $2), ($1, 'in use', 1, $3), ($1, 'quiet', 99, $4), ($1, 'pumped', 1000, $4)`,
      [caller.projectId, days(3), days(0), days(0.51)],
    );
    await world.pool.query('insert into paid_spend (project_id, day) values ($1, $2), ($1, $3)', [
      caller.projectId,
      days(42),
      days(38),
    ]);
    await world.pool.query(
      `insert into risk_block (job_id, at, reason, until, factors)
       values (gen_random_uuid(), $1, 'old', $1, '[]'), (gen_random_uuid(), $2, 'kept', $2, '[]')`,
      [days(31), days(29)],
    );
    await retire();
    expect(await left('select reason key from risk_block')).toEqual(['kept']);
    expect(await left(`select convert_from(address_hash, 'utf8') key from destination order by 1`)).toEqual([
      'guessed at',
      'in use',
      'locked',
    ]);
    expect(await left(`select convert_from(address_hash, 'utf8') key from paid_destination`)).toEqual([
      'in use',
    ]);
    expect(await left('select prefix key from prefix_score order by 1')).toEqual(['in use', 'pumped']);
    expect(await left('select day::text key from paid_spend')).toEqual([days(38).toISOString().slice(0, 10)]);
  });

  test('the client and metadata of a verification that never had a phone', async () => {
    const { id } = await sendCode(
      world,
      orderFor(caller, '+998952000000', { client: { ip: '192.0.2.1' }, metadata: { order: '17' } }),
    );
    const close = (count: number) =>
      world.pool.query(
        `update verification set phone = null, state = 'approved', closed_at = $2 where id = $1`,
        [id, days(count)],
      );
    const kept = async () =>
      (await world.pool.query('select client, metadata from verification where id = $1', [id])).rows[0];
    await close(6);
    await retire();
    expect(await kept()).toEqual({ client: { ip: '192.0.2.1' }, metadata: { order: '17' } });
    await close(8);
    await retire();
    expect(await kept()).toEqual({ client: null, metadata: null });
  });
});
