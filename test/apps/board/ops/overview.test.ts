import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { providerBalances } from '../../../../infra/postgres/verify/provider-balances.ts';
import { openBoard } from '../open-board.ts';
import { seedJob, seedProject } from '../seed.ts';
import { MINUTE_MS, HOUR_MS, openOps } from './open-ops.ts';

const { board, viewer, ago, seed, text } = await openOps();

describe('the overview', () => {
  test('counts what is not finished in full, whatever its age, and the rest of its window', async () => {
    await seed({ at: ago(400 * HOUR_MS) });
    await seed({ state: 'running' });
    await seed({ state: 'completed', verification: 'approved' }, 'taxi');
    await seed({ state: 'rejected', at: ago(2 * HOUR_MS) }, 'taxi');

    const overview = await viewer.json('/ops');
    expect(overview.unfinished).toEqual([
      { kind: 'otp-send', project: 'shop', state: 'queued', jobs: 1 },
      { kind: 'otp-send', project: 'shop', state: 'running', jobs: 1 },
    ]);
    expect(overview.accepted.counts).toEqual([
      { kind: 'otp-send', project: 'shop', state: 'running', jobs: 1 },
      { kind: 'otp-send', project: 'taxi', state: 'completed', jobs: 1 },
    ]);
    expect((await viewer.json('/ops?hours=6')).accepted.counts).toContainEqual({
      kind: 'otp-send',
      project: 'taxi',
      state: 'rejected',
      jobs: 1,
    });
  });

  test('gives the age of the oldest job that is due and not opened', async () => {
    await seed({ at: ago(90_000) });
    await seed({ at: ago(10_000) });
    await seed({ at: ago(500_000), state: 'running' });
    await seed({ at: ago(500_000), runAt: new Date(board.time.now.getTime() + MINUTE_MS) });
    expect((await viewer.json('/ops')).waiting).toEqual([
      { kind: 'otp-send', jobs: 2, oldest_due_at: ago(90_000).toISOString(), oldest_age_seconds: 90 },
    ]);
  });

  test('is a page for people and JSON for programs, under one path', async () => {
    await seed();
    const page = await viewer.get('/ops').set('Accept', 'text/html');
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.text).toContain('shop');
    expect((await viewer.get('/ops?format=json')).headers['content-type']).toContain('application/json');
    expect((await viewer.get('/ops').set('Accept', 'application/json')).body.unfinished).toHaveLength(1);
  });
});

test('what a product that is off left behind is neither counted nor grouped', async () => {
  const messages = await openBoard({ env: { NAVBAT_PRODUCTS: 'message' } });
  onTestFinished(() => messages.close());
  const staff = await messages.session('viewer');
  const shop = await seedProject(messages.pool, 'shop');
  const hash = messages.addressHash('+998901234567');
  const failed = { channel: 'sms', provider: 'twilio', outcome: 'failed', reason: 'network' } as const;
  await seedJob(messages.pool, shop, hash, { project: 'shop' });
  await seedJob(messages.pool, shop, hash, { project: 'shop', state: 'failed', attempts: [failed] });
  await messages.pool.query(`update queue set paused_at = now(), paused_by = 'x' where kind = 'otp-send'`);
  const overview = await staff.json('/ops');
  expect(overview).toMatchObject({ unfinished: [], waiting: [], accepted: { counts: [] } });
  expect(overview.queues.map(({ kind }: { kind: string }) => kind)).not.toContain('otp-send');
  expect(await staff.json('/ops/failures')).toMatchObject({ jobs: [], attempts: [] });
});

describe('providers of SMS', () => {
  const low = 100_000_000_000n;
  const record = (micros: bigint | null, at: Date, provider: 'eskiz' | 'play-mobile' = 'eskiz') =>
    providerBalances(board.pool, () => at, low).record(provider, { kind: 'told', micros });
  beforeEach(() => board.owner.query('truncate provider_balance'));

  test('show what our account holds, the last error and since when', async () => {
    const sms = { channel: 'sms', provider: 'eskiz' } as const;
    await seed({ at: ago(30 * MINUTE_MS), attempts: [{ ...sms, outcome: 'completed' }] });
    await seed({ at: ago(20 * MINUTE_MS), attempts: [{ ...sms, outcome: 'failed', reason: 'network' }] });
    await seed({
      at: ago(10 * MINUTE_MS),
      attempts: [{ ...sms, outcome: 'rejected', reason: 'credentials' }],
    });
    // About one number, and not about us.
    await seed({ at: ago(MINUTE_MS), attempts: [{ ...sms, outcome: 'rejected', reason: 'number-invalid' }] });
    await record(123_456_700_000n, ago(MINUTE_MS));
    const { accounts } = await viewer.json('/ops');
    expect(accounts).toMatchObject([
      {
        provider: 'eskiz',
        balance_micros: '123456700000',
        currency: 'UZS',
        told_at: ago(MINUTE_MS).toISOString(),
        low_since: null,
        last_error: 'credentials',
      },
    ]);
    expect(new Date(accounts[0].failing_since).getTime()).toBeLessThan(ago(15 * MINUTE_MS).getTime());
    const page = await text('/ops');
    expect(page).toContain('SMS providers');
    expect(page).toContain('123 456 UZS');
  });

  test('alarm below their threshold, from when it was first seen, until they are filled', async () => {
    await record(99_999_999_999n, ago(2 * MINUTE_MS));
    await record(50_000_000_000n, ago(MINUTE_MS));
    await record(0n, ago(MINUTE_MS), 'play-mobile');
    const { alarms } = await viewer.json('/ops');
    expect(alarms).toMatchObject([
      { alarm: 'balance-low', subject: 'eskiz', since: ago(2 * MINUTE_MS).toISOString() },
      { alarm: 'balance-low', subject: 'play-mobile', says: 'The balance at play-mobile is used up.' },
    ]);
    await record(100_000_000_000n, ago(0));
    await record(null, ago(0), 'play-mobile');
    expect((await viewer.json('/ops')).alarms).toEqual([]);
  });

  test('keep the balance that was told when a question is not answered', async () => {
    await record(99_000_000n, ago(3 * MINUTE_MS));
    const failing = (at: Date) =>
      providerBalances(board.pool, () => at, low).record('eskiz', { kind: 'failed', reason: 'timeout' });
    await failing(ago(2 * MINUTE_MS));
    await failing(ago(MINUTE_MS));
    expect((await viewer.json('/ops')).accounts).toMatchObject([
      {
        balance_micros: '99000000',
        told_at: ago(3 * MINUTE_MS).toISOString(),
        low_since: ago(3 * MINUTE_MS).toISOString(),
        balance_error: 'timeout',
        balance_failing_since: ago(2 * MINUTE_MS).toISOString(),
      },
    ]);
  });

  test('believe the newest of several workers', async () => {
    await record(500_000_000_000n, ago(MINUTE_MS));
    await record(1n, ago(2 * MINUTE_MS));
    expect((await viewer.json('/ops')).accounts).toMatchObject([{ balance_micros: '500000000000' }]);
  });
});
