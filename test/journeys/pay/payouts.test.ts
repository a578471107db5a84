import { expect, onTestFinished, test } from 'vitest';
import { startMulticard } from '../../../apps/sandbox/pay/multicard/start-multicard.ts';
import { PLATFORM_PROJECT_ID } from '../../../domain/project/platform.ts';
import { hotPool } from '../../../infra/postgres/engine/hot-pool.ts';
import { readConfig } from '../../../infra/process/config.ts';
import { rowEncryption } from '../../../infra/process/crypto.ts';
import { closeQueues, openQueues, producerRedis, queueOf } from '../../../infra/queue/queues.ts';
import { jobs } from '../../../domain/jobs.ts';
import { ACCOUNT, linesOf } from '../../apps/sandbox/pay/multicard-world.ts';
import { temporaryDirectory } from '../../apps/sandbox/support.ts';
import { dispatchWorldOn } from '../../infra/postgres/pay/dispatch-world.ts';
import { startNavbat, until } from '../../support/navbat.ts';

const ITEMS = 40;

test('a running batch is paid by the processes as they start, through a restart of the worker, and is done', async () => {
  const box = await startMulticard({ port: 0, account: ACCOUNT, directory: await temporaryDirectory() });
  box.set({ answer_ms: 30 });
  const navbat = await startNavbat({
    processes: [],
    env: {
      NAVBAT_PRODUCTS: 'message,pay',
      MONEY_PROJECT: PLATFORM_PROJECT_ID,
      MULTICARD_APPLICATION_ID: ACCOUNT.applicationId,
      MULTICARD_SECRET: ACCOUNT.secret,
      MULTICARD_STORE_ID: ACCOUNT.storeId,
      MULTICARD_API_URL: box.url,
    },
  });
  const pool = hotPool(navbat.databaseUrl, 4);
  const redis = openQueues(
    producerRedis(navbat.redisUrl, () => undefined),
    jobs,
  );
  onTestFinished(async () => {
    await Promise.all([pool.end(), closeQueues(redis), navbat.stop()]);
    await box.close();
  });
  await navbat.start('workers/main.ts', ['reconciler'], 'worker ready');
  await pool.query('select ledger_book_open($1)', [PLATFORM_PROJECT_ID]);
  const { ENCRYPTION_KEYS: ring } = readConfig(navbat.env, ['ENCRYPTION_KEYS']);
  const world = await dispatchWorldOn({
    pool,
    owner: navbat.db,
    projectId: PLATFORM_PROJECT_ID,
    encryption: rowEncryption(ring),
  });
  const first = await navbat.start('workers/main.ts', ['payout'], 'worker ready');
  const batch = await world.batch(ITEMS);
  const count = async (where: string): Promise<number> =>
    (await pool.query<{ n: number }>(`select count(*)::int n from payout_dispatch where ${where}`)).rows[0]
      ?.n ?? 0;
  await until(async () => (await count(`state = 'paid'`)) > 3 || undefined);
  // It ends the calls that it has begun. One that is killed leaves them open for a minute and more.
  first.kill('SIGTERM');

  // What Redis holds of them meanwhile: an id, the project, and four digits.
  const entries = await queueOf(redis, 'payout').getJobs();
  expect(entries.length).toBeGreaterThan(0);
  for (const { data } of entries)
    expect(data).toEqual({
      jobId: expect.any(String),
      kind: 'payout',
      labels: { project: 'navbat', card: '•••• 1234' },
    });

  await navbat.start('workers/main.ts', ['payout'], 'worker ready');
  await until(async () => (await count(`state <> 'paid'`)) === 0 || undefined, 60_000);
  await until(
    async () =>
      (await pool.query(`select from payout_batch where id = $1 and state = 'done'`, [batch.id])).rowCount ||
      undefined,
  );
  const times = new Map<string, number>();
  for (const line of await linesOf(box))
    if (line.t === 'paid') times.set(line.card, (times.get(line.card) ?? 0) + 1);
  expect(Object.fromEntries(times)).toEqual(Object.fromEntries(batch.payees.map(({ card }) => [card, 1])));
  const printed = navbat.log.join('\n');
  for (const { card } of batch.payees) expect(printed).not.toContain(`"${card}"`);
  await until(
    async () =>
      (await pool.query(`select from job where kind = 'payout' and finished_at is null`)).rowCount === 0 ||
      undefined,
  );
}, 180_000);
