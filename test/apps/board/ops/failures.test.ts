import { expect, test } from 'vitest';
import { HOUR_MS, openOps } from './open-ops.ts';

const { viewer, ago, seed } = await openOps();

test('failures are grouped by reason, of jobs and of attempts, within their window', async () => {
  const failed = { channel: 'sms', provider: 'twilio', outcome: 'failed', reason: 'network' } as const;
  for (const project of ['shop', 'taxi', 'taxi'] as const)
    await seed({ state: 'failed', reason: 'network', attempts: [failed, failed] }, project);
  await seed({
    state: 'completed',
    verification: 'approved',
    attempts: [failed, { ...failed, outcome: 'completed', reason: null }],
  });
  await seed({ state: 'rejected', reason: 'old', at: ago(30 * HOUR_MS) });
  const { jobs, attempts } = await viewer.json('/ops/failures?hours=24');
  expect(jobs).toMatchObject([
    { kind: 'otp-send', state: 'failed', reason: 'network', jobs: 3, projects: 2 },
  ]);
  expect(attempts).toMatchObject([
    { channel: 'sms', provider: 'twilio', outcome: 'failed', reason: 'network', attempts: 7, jobs: 4 },
  ]);
  expect((await viewer.json('/ops/failures?hours=72')).jobs).toHaveLength(2);
  expect((await viewer.json('/ops/failures?hours=24&project=shop')).jobs).toMatchObject([{ jobs: 1 }]);
});
