import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { broadcasts, foldTallies } from '../../../../../infra/postgres/message/broadcast/broadcasts.ts';
import type { FinalState } from '../../../../../domain/job/job.ts';
import type { JobId } from '../../../../../domain/shared/ids.ts';
import type { JobReason } from '../../../../../domain/reasons.ts';
import { opsCommands } from '../../../../../infra/postgres/staff/ops-commands.ts';
import { telegramRefusal } from '../../../../../domain/telegram/refusal.ts';
import { broadcastWorld, type BroadcastWorld } from './world.ts';
import { jobs } from '../../../../../domain/jobs.ts';
import { settles } from '../../../../../infra/postgres/settles.ts';

let world: BroadcastWorld;
let chats = 0;
beforeAll(async () => {
  world = await broadcastWorld();
});
afterAll(() => world.close());

type Caller = Awaited<ReturnType<BroadcastWorld['makeCaller']>>;
const freshChats = (count: number) => Array.from({ length: count }, () => ++chats);
const fold = () => foldTallies(world.pool, new Date());
const viewOf = (caller: Caller, id: string) => broadcasts(world.pool).find(caller, id);
const settle = (id: JobId, state: FinalState, reason: JobReason | null = null) =>
  world.store.finish(id, state, reason);

async function callerWithEndpoint(): Promise<Caller> {
  const caller = await world.makeCaller();
  await world.pool.query(
    `insert into webhook_endpoint (id, project_id, mode, url, host, created_at, updated_at)
     values ($1, $2, 'live', 'https://receiver.example/', 'receiver.example', now(), now())`,
    [randomUUID(), caller.projectId],
  );
  return caller;
}

async function endsTold(id: string): Promise<Record<string, unknown>[]> {
  const { rows } = await world.pool.query<{ data: Record<string, unknown> }>(
    `select data from webhook_event where subject_id = $1 and type = 'broadcast.finished'`,
    [id],
  );
  return rows.map(({ data }) => data);
}

test('each recipient counts once, and the event and the API say the same five counts', async () => {
  const caller = await callerWithEndpoint();
  const { id } = await world.sendToChats(caller, freshChats(6));
  const entries = await world.schedulerRound('telegram-message', 6);
  const [sent, blocked, stopped, failed, expired, last] = entries.map(({ jobId }) => jobId) as [
    JobId,
    JobId,
    JobId,
    JobId,
    JobId,
    JobId,
  ];
  await settle(sent, 'completed');
  await settle(blocked, 'rejected', 'chat-not-found');
  await settle(stopped, 'cancelled', 'cancelled-by-staff');
  await settle(failed, 'failed', 'network');
  await fold();
  await settle(expired, 'expired', 'deadline');
  expect(await viewOf(caller, id)).toMatchObject({
    state: 'sending',
    progress: { sent: 1, failed: 2, blocked: 1, cancelled: 1, waiting: 1 },
  });
  expect(await fold()).toBe(0);
  expect(await endsTold(id)).toEqual([]);
  await settle(last, 'rejected', 'message-invalid');
  expect(await fold()).toBe(1);
  const counts = { sent: 1, failed: 3, blocked: 1, cancelled: 1, waiting: 0 };
  expect(await viewOf(caller, id)).toMatchObject({
    state: 'finished',
    progress: counts,
    finishedAt: expect.any(Date),
  });
  expect(await endsTold(id)).toMatchObject([{ id, state: 'finished', total: 6, ...counts }]);
});

test('a cancelled broadcast tells its end once, when what was in hand has settled', async () => {
  const caller = await callerWithEndpoint();
  const { id } = await world.sendToChats(caller, freshChats(10));
  const entries = await world.schedulerRound('telegram-message', 3);
  await world.command(caller, id, 'cancel');
  await fold();
  expect(await viewOf(caller, id)).toMatchObject({
    state: 'cancelled',
    progress: { cancelled: 7, waiting: 3 },
    finishedAt: null,
  });
  expect(await endsTold(id)).toEqual([]);
  await settle(entries[0]?.jobId as JobId, 'completed');
  for (const { jobId } of entries.slice(1)) await settle(jobId, 'cancelled', 'broadcast-cancelled');
  await fold();
  await world.command(caller, id, 'cancel');
  await fold();
  expect(await endsTold(id)).toMatchObject([
    { state: 'cancelled', total: 10, sent: 1, failed: 0, blocked: 0, cancelled: 9, waiting: 0 },
  ]);
});

test('a broadcast that was paused after its last message ends all the same', async () => {
  const caller = await callerWithEndpoint();
  const { id } = await world.sendToChats(caller, freshChats(1));
  const [entry] = await world.schedulerRound('telegram-message', 1);
  await world.command(caller, id, 'pause');
  await settle(entry?.jobId as JobId, 'completed');
  await fold();
  expect(await endsTold(id)).toMatchObject([{ state: 'finished', sent: 1, waiting: 0 }]);
});

test('of commits, cancellations and reconciler rounds at once every recipient is counted once', async () => {
  const caller = await callerWithEndpoint();
  const { id } = await world.sendToChats(caller, freshChats(300));
  const entries = await world.schedulerRound('telegram-message', 200);
  let over = false;
  const reconciler = async () => {
    while (!over) await fold();
  };
  const rounds = [reconciler(), reconciler()];
  await Promise.all([
    ...entries.map(({ jobId }, n) => settle(jobId, n % 2 ? 'completed' : 'failed', 'network')),
    ...entries.map(({ jobId }) => settle(jobId, 'completed')),
    world.command(caller, id, 'cancel'),
    world.command(caller, id, 'cancel'),
  ]);
  over = true;
  await Promise.all(rounds);
  await fold();
  const { rows } = await world.pool.query(
    `select count(*) filter (where state = 'completed')::int sent, count(*) filter (where state = 'failed')::int failed,
       count(*) filter (where state = 'cancelled')::int cancelled, 0 blocked, 0 waiting from job where subject_id = $1`,
    [id],
  );
  expect((await viewOf(caller, id))?.progress).toEqual(rows[0]);
  expect(await endsTold(id)).toMatchObject([rows[0]]);
});

test('progress is read, and the end written down, without a look at the jobs', async () => {
  const caller = await callerWithEndpoint();
  const { id } = await world.sendToChats(caller, freshChats(2));
  for (const { jobId } of await world.schedulerRound('telegram-message', 2)) await settle(jobId, 'completed');
  // Whoever read a job now would wait.
  await world.whileLocked('lock table job in access exclusive mode', [], async () => {
    expect(await viewOf(caller, id)).toMatchObject({ progress: { sent: 2, waiting: 0 } });
    const page = await broadcasts(world.pool).list(caller, undefined, { limit: 20, after: null });
    expect(page.rows).toMatchObject([{ id, progress: { sent: 2 } }]);
  });
  await fold();
  expect(await endsTold(id)).toMatchObject([{ sent: 2, waiting: 0 }]);
});

test('a message that staff have tried again after its end is counted as what it became, and no second end is told', async () => {
  const caller = await callerWithEndpoint();
  const { id } = await world.sendToChats(caller, freshChats(2));
  const [first, second] = await world.schedulerRound('telegram-message', 2);
  await settle(first?.jobId as JobId, 'completed');
  await settle(second?.jobId as JobId, 'failed', 'network');
  await fold();
  const { finishedAt } = (await viewOf(caller, id)) ?? {};
  expect(finishedAt).toBeInstanceOf(Date);
  const by = { id: randomUUID(), email: 'staff@navbat.example', role: 'operator' } as const;
  await world.pool.query(
    `insert into staff (id, email, role, password_hash, created_at) values ($1, $2, $3, 'none', now())`,
    [by.id, by.email, by.role],
  );
  const quiet = async () => undefined;
  const desk = { reissue: quiet, promote: quiet, remove: quiet, pause: quiet, resume: quiet };
  const commands = opsCommands(world.pool, { jobs, settles }, desk, () => undefined);
  expect(await commands.job('retry', second?.jobId as JobId, by, new Date())).toMatchObject({ done: true });
  expect(await viewOf(caller, id)).toMatchObject({ progress: { sent: 1, failed: 0, waiting: 1 } });
  await settle(second?.jobId as JobId, 'completed');
  await fold();
  expect(await viewOf(caller, id)).toMatchObject({
    finishedAt,
    progress: { sent: 2, failed: 0, waiting: 0 },
  });
  expect(await endsTold(id)).toHaveLength(1);
});

test.each([
  'Forbidden: bot was blocked by the user',
  'Forbidden: bot was kicked from the group chat',
  'Forbidden: user is deactivated',
  "Forbidden: bot can't initiate conversation with a user",
  'Bad Request: chat not found',
])('a chat that is closed by %j counts as blocked', async (description) => {
  const { reason, dead } = telegramRefusal(description.startsWith('Bad') ? 400 : 403, description);
  expect(dead).toBe(true);
  const { rows } = await world.pool.query(`select message_outcome('rejected', $1) outcome`, [reason]);
  expect(rows).toEqual([{ outcome: 'blocked' }]);
});
