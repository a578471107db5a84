import { afterAll, expect, test } from 'vitest';
import { PREFIX_SAMPLE_MIN } from '../../../domain/verify/fraud.ts';
import { type SmsProvider, smsProviderRules } from '../../../domain/verify/sms-provider.ts';
import { guard } from '../../../infra/providers/provider-guard.ts';
import { routingWith } from '../../infra/postgres/verify/sms-routing.ts';
import { openWorld, orderFor, sendCode, wakeOver } from '../../infra/postgres/verify/world.ts';

const world = await openWorld();
afterAll(() => world.close());
const { pool, owner } = world;

const leg = (provider: SmsProvider) => {
  const send = () => Promise.resolve({ kind: 'accepted', reference: 'r', cost: null } as const);
  return [
    provider,
    guard({ channel: 'sms', provider, send }, { inFlightMax: 100, clock: () => new Date() }),
  ] as const;
};

test('what a silent provider lost goes by the next one although the prefix looks pumped by then, and counts once', async () => {
  const wake = wakeOver(world, new Map([leg('eskiz'), leg('play-mobile')]), {
    sms: routingWith('eskiz', 'play-mobile'),
  });
  const caller = await world.makeProject({});
  const { jobId } = await sendCode(world, orderFor(caller, '+998901234567'));
  expect(await wake(jobId)).toMatchObject({ kind: 'waiting' });
  const sentOf = async () =>
    (
      await pool.query<{ sent: number }>('select sent from prefix_score where project_id = $1', [
        caller.projectId,
      ])
    ).rows;
  expect(await sentOf()).toEqual([{ sent: 1 }]);

  // Many others of the block got a code meanwhile, and nobody typed one.
  await pool.query('update prefix_score set sent = $2, at = now() where project_id = $1', [
    caller.projectId,
    PREFIX_SAMPLE_MIN * 2,
  ]);
  await owner.query(
    `update attempt set opened_at = opened_at - make_interval(secs => $2), closed_at = closed_at - make_interval(secs => $2) where job_id = $1`,
    [jobId, smsProviderRules.eskiz.confirmWithinSeconds],
  );
  await pool.query('update job set run_at = now() where id = $1', [jobId]);
  await wake(jobId);
  const { rows } = await pool.query(
    'select provider, outcome, chosen_after from attempt where job_id = $1 order by n',
    [jobId],
  );
  expect(rows).toEqual([
    { provider: 'eskiz', outcome: 'completed', chosen_after: null },
    { provider: 'play-mobile', outcome: 'completed', chosen_after: 'sms-unconfirmed' },
  ]);
  const [score] = await sentOf();
  expect(score?.sent).toBeLessThanOrEqual(PREFIX_SAMPLE_MIN * 2);
});

test('a worker that was lost before it sent, and a refusal by the next provider: nobody is told that a code was sent', async () => {
  const refusing = guard(
    {
      channel: 'sms',
      provider: 'play-mobile',
      send: () => Promise.resolve({ kind: 'refused', reason: 'number-invalid', addressIsDead: false }),
    },
    { inFlightMax: 100, clock: () => new Date() },
  );
  const wake = wakeOver(world, new Map([leg('eskiz'), ['play-mobile', refusing]]), {
    sms: routingWith('eskiz', 'play-mobile'),
  });
  const caller = await world.makeProject({});
  const { jobId } = await sendCode(world, orderFor(caller, '+998901234568'));
  await world.store.open({ jobId, n: 1, channel: 'sms', provider: 'eskiz' });
  await owner.query(
    'update attempt set opened_at = opened_at - make_interval(secs => $2) where job_id = $1',
    [jobId, smsProviderRules.eskiz.confirmWithinSeconds],
  );
  await wake(jobId);
  const { rows } = await pool.query(
    `select j.state, j.reason, array_agg(a.outcome order by a.n) outcomes
     from job j join attempt a on a.job_id = j.id where j.id = $1 group by j.id`,
    [jobId],
  );
  expect(rows).toEqual([{ state: 'rejected', reason: 'number-invalid', outcomes: ['unknown', 'rejected'] }]);
});
