import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { dispatchStore } from '../../../infra/postgres/pay/dispatch/store.ts';
import { dispatchRounds } from '../../../infra/postgres/pay/dispatch/ticks.ts';
import { openPayoutWorld } from './payout-world.ts';

const HOUR_MS = 3_600_000;
const ITEMS = 16;

test('a batch that two processes run twice, and again after the clock was set back an hour, is paid once, each item', async () => {
  const world = await openPayoutWorld();
  await world.forward(HOUR_MS);
  const batch = await world.batch(ITEMS);
  const version = await approvedAgain(world.owner, batch.id, await world.staff());
  // Connections, workers and rounds of its own: processes share nothing else.
  const second = new pg.Pool({ connectionString: world.url, max: 4 });
  onTestFinished(() => second.end());
  const run = (pool: pg.Pool) =>
    pool.query('select batch_run($1, $2, $3, null)', [batch.id, version, world.maker]);
  const startAll = async () => {
    const started = await Promise.all(
      [world.rounds, dispatchRounds(second), world.rounds, dispatchRounds(second)].map((rounds) =>
        rounds.start(100),
      ),
    );
    return started.reduce((sum, n) => sum + n, 0);
  };
  const workers = [
    world.worker(),
    world.worker({ dispatches: dispatchStore(second, world.encryption) }),
  ] as const;

  const runs = await Promise.allSettled([world.pool, second, world.pool, second].map(run));
  expect(runs.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(await startAll()).toBe(ITEMS);
  const half = (await world.openJobs()).slice(0, ITEMS / 2);
  await Promise.all(workers.map((worker) => world.wakeAll(worker, half)));

  await world.setBack();
  await expect(run(second)).rejects.toMatchObject({ code: 'NB020' });
  expect(await startAll()).toBe(0);
  await world.pool.query(`update job set state = 'queued', finished_at = null where kind = 'payout'`);
  await world.drain(workers);

  expect(await world.statesOf(batch.id)).toEqual({ paid: ITEMS });
  expect(await world.paidTimes()).toEqual(Object.fromEntries(batch.payees.map(({ card }) => [card, 1])));
  expect(await world.rounds.finishBatches()).toEqual([batch.id]);
  expect(world.bugs).toEqual([]);
});

/** As it was in front of its run, as the owner of a test may; answers its version. */
async function approvedAgain(owner: pg.Pool, batch: string, by: string): Promise<number> {
  await owner.query('alter table payout_batch disable trigger user');
  const { rows } = await owner.query<{ version: number }>(
    `update payout_batch b set state = 'approved', started_at = null,
       (content_hash, count, total) = (select c.hash, c.count, c.total from payout_batch_content(b.id) c)
     where b.id = $1 returning b.version`,
    [batch],
  );
  await owner.query('alter table payout_batch enable trigger user');
  await owner.query(
    `insert into payout_action (batch_id, subject, version, staff_id, action, hash, at)
     select id, id::text, version, $2, 'approve', content_hash, now() from payout_batch where id = $1`,
    [batch, by],
  );
  if (!rows[0]) throw new Error('no such batch');
  return rows[0].version;
}
