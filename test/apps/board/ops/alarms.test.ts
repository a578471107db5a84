import { v7 as uuidv7 } from 'uuid';
import { describe, expect, test } from 'vitest';
import { heartbeat, endHeartbeat } from '../../../../infra/postgres/job/heartbeats.ts';
import { ids, MINUTE_MS, openOps } from './open-ops.ts';

const { board, operator, viewer, shop, ago, seed, text } = await openOps();

/** What the overview tells, once each of its links has been followed. */
async function alarms(): Promise<{ alarm: string; subject: string; says: string; link: string | null }[]> {
  const { alarms: told } = await viewer.json('/ops');
  for (const { link } of told) if (link) await viewer.json(link);
  return told;
}
/** The jobs behind an alarm of this kind. */
async function jobsBehind(alarm: string): Promise<string[]> {
  const link = (await alarms()).find((one) => one.alarm === alarm)?.link ?? '';
  return ids(await viewer.json(link));
}
const names = async () => (await alarms()).map(({ alarm, subject }) => [alarm, subject]);

describe('alarms', () => {
  test('none while everything works', async () => {
    await seed({ state: 'completed', verification: 'approved' });
    expect(await names()).toEqual([]);
    expect(await text('/ops')).not.toContain('class="tile alarm"');
  });

  test('a kind without a worker, and a reconciler that stands still', async () => {
    await board.owner.query('truncate worker_heartbeat');
    const id = uuidv7();
    await heartbeat(
      board.pool,
      { id, roles: ['otp-send', 'push', 'reconciler'], reconciledAt: ago(MINUTE_MS) },
      board.time.now,
    );
    expect(await names()).toEqual([
      ['no-worker', 'telegram-message'],
      ['no-worker', 'webhook'],
      ['reconciler-stopped', 'reconciler'],
    ]);
    await endHeartbeat(board.pool, id);
    expect(await names()).toHaveLength(5);
  });

  test('a worker that has given no sign of life for longer than three of them is gone', async () => {
    await board.pool.query('update worker_heartbeat set at = $1', [ago(15_001)]);
    expect((await names()).filter(([alarm]) => alarm === 'no-worker')).toHaveLength(4);
    await board.pool.query('update worker_heartbeat set at = $1', [ago(15_000)]);
    expect((await names()).filter(([alarm]) => alarm === 'no-worker')).toEqual([]);
  });

  test('the oldest waiting job of each kind, unless its queue is paused: then the pause, with who and why', async () => {
    const { id } = await seed({ at: ago(31_000) });
    expect(await names()).toEqual([['jobs-waiting', 'otp-send']]);
    expect(await jobsBehind('jobs-waiting')).toEqual([id]);
    await operator.post('/ops/queues/otp-send/pause', { why: 'provider is down' });
    expect(await alarms()).toMatchObject([
      { alarm: 'queue-paused', says: expect.stringContaining(`${operator.email}: provider is down`) },
    ]);
  });

  test('the oldest job that is due for a further attempt, with a link to what waits so', async () => {
    await seed({ state: 'retrying', at: ago(60_000), runAt: new Date(board.time.now.getTime() + MINUTE_MS) });
    expect(await names()).toEqual([]);
    const { id } = await seed({ state: 'retrying', at: ago(60_000), runAt: ago(31_000) });
    await seed({ at: ago(1_000) });
    expect(await names()).toEqual([['jobs-waiting', 'otp-send']]);
    expect(await alarms()).toMatchObject([{ says: expect.stringContaining('2 due') }]);
    expect(await jobsBehind('jobs-waiting')).toContain(id);
  });

  test('an endpoint that does not answer, with what waits for it, and one that was disabled for it', async () => {
    const dead = await seedEndpoint('dead.example', { failingSince: ago(20 * MINUTE_MS) });
    await seedEndpoint('young.example', { failingSince: ago(MINUTE_MS) });
    await seedEndpoint('gone.example', { disabledReason: 'gone' });
    await seedEndpoint('off.example', { disabledReason: 'owner' });
    const calls: string[] = [];
    for (let n = 0; n < 3; n++)
      calls.push(await seedCall({ endpointId: dead, host: 'dead.example', attempts: n }));
    expect(await alarms()).toMatchObject([
      {
        alarm: 'endpoint-failing',
        subject: 'shop · dead.example',
        says: expect.stringContaining('3 events wait'),
      },
      { alarm: 'endpoint-disabled', subject: 'shop · gone.example' },
    ]);
    expect((await jobsBehind('endpoint-failing')).toSorted()).toEqual(calls.slice(1).toSorted());
  });

  test('the host of a callback_url, which is no endpoint and is never disabled', async () => {
    await seedCall({ endpointId: null, host: 'callback.example', attempts: 2, at: ago(20 * MINUTE_MS) });
    expect(await names()).toContainEqual(['endpoint-failing', 'shop · callback.example']);
  });

  test('a provider of which more than half of the attempts fail, and not one of which half do', async () => {
    const failed = { channel: 'sms', provider: 'twilio', outcome: 'failed', reason: 'network' } as const;
    for (let n = 0; n < 5; n++) await seed({ state: 'failed', reason: 'network', attempts: [failed] });
    for (let n = 0; n < 5; n++)
      await seed({
        state: 'completed',
        verification: 'approved',
        attempts: [{ ...failed, outcome: 'completed' }],
      });
    expect(await names()).toEqual([]);
    await seed({ state: 'failed', reason: 'network', attempts: [failed] });
    expect(await names()).toEqual([['provider-failing', 'twilio']]);
  });
});

async function seedEndpoint(
  host: string,
  more: { failingSince?: Date; disabledReason?: 'owner' | 'gone' } = {},
): Promise<string> {
  const id = uuidv7();
  await board.pool.query(
    `insert into webhook_endpoint (id, project_id, mode, url, host, created_at, updated_at, failing_since, disabled_at, disabled_reason)
     values ($1, $2, 'live', $3, $4, $5, $5, $6, $7, $8)`,
    [
      id,
      shop,
      `https://${host}/`,
      host,
      board.time.now,
      more.failingSince ?? null,
      more.disabledReason ? board.time.now : null,
      more.disabledReason ?? null,
    ],
  );
  return id;
}

async function seedCall(call: {
  endpointId: string | null;
  host: string;
  attempts: number;
  at?: Date;
}): Promise<string> {
  const at = call.at ?? board.time.now;
  const id = uuidv7({ msecs: at.getTime() });
  const later = new Date(board.time.now.getTime() + MINUTE_MS);
  await board.pool.query(
    `insert into job (id, kind, project_id, subject_id, state, payload, labels, attempts, run_at, deadline_at, accepted_at)
     values ($1, 'webhook', $2, gen_random_uuid(), $8, $3, $4, $5, $6, $6, $7)`,
    [
      id,
      shop,
      { event_id: uuidv7(), endpoint_id: call.endpointId },
      { project: 'shop', channels: 'webhook', to: call.host },
      call.attempts,
      later,
      at,
      call.attempts === 0 ? 'queued' : 'retrying',
    ],
  );
  return id;
}
