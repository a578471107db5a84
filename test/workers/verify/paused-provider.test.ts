import { afterAll, expect, test } from 'vitest';
import type { SendReply } from '../../../domain/job/reply.ts';
import type { SmsProvider } from '../../../domain/verify/sms-provider.ts';
import { guard } from '../../../infra/providers/provider-guard.ts';
import { routingWith } from '../../infra/postgres/verify/sms-routing.ts';
import { messageTo } from '../../infra/providers/verify/code-message.ts';
import { openWorld, orderFor, sendCode, wakeOver } from '../../infra/postgres/verify/world.ts';

const world = await openWorld();
afterAll(() => world.close());
const { pool } = world;
const now = () => new Date();
const answers = (provider: SmsProvider, reply: SendReply) =>
  guard({ channel: 'sms', provider, send: () => Promise.resolve(reply) }, { inFlightMax: 100, clock: now });

/** One whose breaker is open, after as many faults as that takes. */
async function paused(provider: SmsProvider) {
  const guarded = answers(provider, { kind: 'faulted', reason: 'provider-unavailable' });
  for (let entry = guarded.enter(); entry.entered; entry = guarded.enter())
    await entry.send(
      messageTo({ phone: '+998901234567', chatId: null, pushToken: null }),
      AbortSignal.timeout(1_000),
    );
  return guarded;
}

test('what the others refuse is no end while a provider only pauses: the job waits for it', async () => {
  const legs = new Map([
    ['eskiz', await paused('eskiz')],
    [
      'play-mobile',
      answers('play-mobile', { kind: 'refused', reason: 'number-invalid', addressIsDead: false }),
    ],
  ] as const);
  const wake = wakeOver(world, legs, { sms: routingWith('eskiz', 'play-mobile') });
  const caller = await world.makeProject({});
  const { jobId } = await sendCode(world, orderFor(caller, '+998901234567'));
  const before = now();
  const woken = await wake(jobId);
  expect(woken).toMatchObject({ kind: 'waiting' });
  const { rows } = await pool.query('select state, run_at, reason from job where id = $1', [jobId]);
  expect(rows).toMatchObject([{ state: 'retrying', reason: null }]);
  expect(rows[0].run_at.getTime()).toBeGreaterThan(before.getTime());
  const { rows: attempts } = await pool.query(
    'select provider, outcome, chosen_after from attempt where job_id = $1',
    [jobId],
  );
  expect(attempts).toEqual([
    { provider: 'play-mobile', outcome: 'rejected', chosen_after: 'provider-unavailable' },
  ]);
});
