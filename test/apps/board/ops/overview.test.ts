import { describe, expect, onTestFinished, test } from 'vitest';
import { openBoard } from '../open-board.ts';
import { seedJob, seedProject } from '../seed.ts';
import { MINUTE_MS, HOUR_MS, openOps } from './open-ops.ts';

const { board, viewer, ago, seed } = await openOps();

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
