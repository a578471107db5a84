import { describe, expect, test } from 'vitest';
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
