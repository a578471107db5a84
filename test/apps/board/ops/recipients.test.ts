import { describe, expect, test } from 'vitest';
import { PHONE, OTHER_PHONE, HOUR_MS, openOps } from './open-ops.ts';

const { board, operator, viewer, ago, seed } = await openOps();

describe('a locked recipient', () => {
  const path = () => `/ops/recipients/${board.addressHash(PHONE).toString('hex')}`;
  const lock = (at: Date) =>
    board.pool.query(
      `insert into destination (address_hash, project_id, failed_checks, locked_at, updated_at)
       select $1, id, 100, $2, $2 from project on conflict (address_hash, project_id) do update set locked_at = $2`,
      [board.addressHash(PHONE), at],
    );

  test('shows where and since when, and is opened by nobody of the staff', async () => {
    await lock(ago(HOUR_MS));
    const at = ago(HOUR_MS).toISOString();
    const locks = [
      { project: 'shop', locked_at: at, failed_checks: 100 },
      { project: 'taxi', locked_at: at, failed_checks: 100 },
    ];
    expect((await viewer.json(path())).locks).toEqual(locks);
    expect((await operator.get(path()).set('Accept', 'text/html')).text).not.toContain('/unlock"');
    expect((await operator.post(`${path()}/unlock`, { project: 'shop' })).status).toBe(403);
    expect((await viewer.json(path())).locks).toEqual(locks);
  });

  test('is no more locked after a day', async () => {
    await lock(ago(24 * HOUR_MS));
    expect((await viewer.json(path())).locks).toEqual([]);
  });
});

test("a recipient's timeline holds jobs, attempts and verifications of every project, newest first, and only theirs", async () => {
  await seed({
    at: ago(100_000),
    state: 'completed',
    reason: 'confirmed-by-sms',
    verification: 'approved',
    attempts: [
      { channel: 'push', provider: 'fcm', outcome: 'rejected', reason: 'token-unregistered' },
      { channel: 'sms', provider: 'twilio', outcome: 'completed', delivery: 'delivered' },
    ],
  });
  await seed({ at: ago(5_000) }, 'taxi');
  await seed({ phone: OTHER_PHONE });
  const timeline = await viewer.json(`/ops/recipients/${board.addressHash(PHONE).toString('hex')}`);
  const told = timeline.data.map(({ kind, event }: Record<string, string>) => `${kind} ${event}`);
  expect(told).toHaveLength(9);
  expect(told.slice(0, 2).toSorted()).toEqual(['job accepted', 'verification created']);
  expect(told.slice(2, 7)).toEqual([
    'verification closed',
    'attempt delivery',
    'job finished',
    'attempt closed',
    'attempt closed',
  ]);
  const times = timeline.data.map(({ at }: Record<string, string>) => at);
  expect(times).toEqual(times.toSorted().toReversed());
});
