import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BroadcastOrder } from '../../../../../domain/message/broadcast/broadcast.ts';
import type { JobId } from '../../../../../domain/shared/ids.ts';
import { pushJobs, telegramJobs } from '../../../../../infra/postgres/message/broadcast/message-jobs.ts';
import { rowEncryption } from '../../../../../infra/process/crypto.ts';
import { broadcastWorld, type BroadcastWorld } from './world.ts';

/** Of a process with a key that ours lacks. */
const anotherKey = rowEncryption({ current: 'elsewhere', keys: new Map([['elsewhere', randomBytes(32)]]) });

let world: BroadcastWorld;
let caller: BroadcastOrder['caller'];
beforeAll(async () => {
  world = await broadcastWorld();
  caller = await world.makeCaller();
});
afterAll(() => world.close());

async function jobOf(broadcastId: string): Promise<JobId> {
  const { rows } = await world.pool.query<{ id: JobId }>('select id from job where subject_id = $1', [
    broadcastId,
  ]);
  if (!rows[0]) throw new Error('no job');
  return rows[0].id;
}
const telegramWork = async (chatId: number) => {
  const { id } = await world.sendToChats(caller, [chatId]);
  const job = await telegramJobs(world.pool, world.wanted)(await jobOf(id));
  return { id, work: job?.work };
};
const pushWork = async (target: BroadcastOrder['targets'][number]) => {
  const { id } = await world.accept(world.orderOf(caller, 'push', [target] as never));
  return (await pushJobs(world.pool, world.rowEncryption, world.wanted)(await jobOf(id)))?.work;
};

test('a chat that was closed is sent nothing, and one that moved is sent to where it moved', async () => {
  await world.pool.query(
    `insert into telegram_chat (chat_id, unreachable, unreachable_at, migrated_to, migrated_at) values
       (501, 'bot-blocked', now(), null, null), (502, null, null, -100502, now()), (503, null, null, -100503, now()),
       (-100503, 'chat-not-found', now(), null, null)`,
  );
  expect((await telegramWork(500)).work).toMatchObject({ chatId: '500' });
  expect((await telegramWork(501)).work).toEqual({ settled: 'rejected', reason: 'bot-blocked' });
  expect((await telegramWork(502)).work).toMatchObject({ chatId: '-100502' });
  expect((await telegramWork(503)).work).toEqual({ settled: 'rejected', reason: 'chat-not-found' });
});

test('a message in hand whose broadcast is cancelled is cancelled too', async () => {
  const { id } = await world.sendToChats(caller, [510]);
  const jobId = await jobOf(id);
  await world.schedulerRound('telegram-message', 100);
  await world.command(caller, id, 'cancel');
  expect((await telegramJobs(world.pool, world.wanted)(jobId))?.work).toEqual({
    settled: 'cancelled',
    reason: 'broadcast-cancelled',
  });
});

test('a push opens the token of its own project’s recipient; without one it is rejected, and a topic needs none', async () => {
  const stranger = await world.makeCaller();
  const insert = async (projectId: string, token: string | null) => {
    const { rows } = await world.pool.query<{ id: string }>(
      `insert into recipient (id, project_id, handle, address_hash, created_at, updated_at)
       values (gen_random_uuid(), $1, gen_random_uuid()::text, sha256(gen_random_uuid()::text::bytea), now(), now()) returning id`,
      [projectId],
    );
    const id = rows[0]?.id ?? '';
    if (token)
      await world.pool.query('update recipient set push_token_encrypted = $2 where id = $1', [
        id,
        world.rowEncryption.encrypt(token, id),
      ]);
    return id;
  };
  const known = await insert(caller.projectId, 'fcm-token-of-a-phone');
  expect(await pushWork({ by: 'recipient', recipientId: known } as never)).toMatchObject({
    to: { token: 'fcm-token-of-a-phone' },
    recipientId: known,
  });
  expect(await pushWork({ by: 'token', token: 'given-token' } as never)).toMatchObject({
    to: { token: 'given-token' },
    recipientId: null,
  });
  expect(await pushWork({ by: 'topic', topic: 'news' } as never)).toMatchObject({ to: { topic: 'news' } });
  // It lost its token, or belongs to somebody else, between acceptance and sending.
  const { id } = await world.accept(
    world.orderOf(caller, 'push', [{ by: 'recipient', recipientId: known }] as never),
  );
  const jobId = await jobOf(id);
  await world.owner.query('update recipient set project_id = $2 where id = $1', [known, stranger.projectId]);
  expect((await pushJobs(world.pool, world.rowEncryption, world.wanted)(jobId))?.work).toEqual({
    settled: 'rejected',
    reason: 'token-unregistered',
  });
});

test('a token that cannot be opened fails its own push, and not those that are read with it', async () => {
  const [damaged, sound] = await Promise.all(
    ['one-token', 'another-token'].map(async (token) => {
      const order = world.orderOf(caller, 'push', [{ by: 'token', token }] as never);
      return jobOf((await world.accept(order)).id);
    }),
  );
  if (!damaged || !sound) throw new Error('no jobs');
  await world.pool.query(
    `update job set payload = jsonb_set(payload, '{to,token_encrypted}', '"AAAA"') where id = $1`,
    [damaged],
  );
  const read = pushJobs(world.pool, world.rowEncryption, world.wanted);
  const [lost, sent] = await Promise.all([read(damaged), read(sound)]);
  expect(lost?.work).toBeNull();
  expect(sent?.work).toMatchObject({ to: { token: 'another-token' } });
});

test('a push whose key this process lacks is tried again, and those that are read with it are sent', async () => {
  const [theirs, ours] = await Promise.all(
    ['token-of-theirs', 'token-of-ours'].map(async (token) => {
      const order = world.orderOf(caller, 'push', [{ by: 'token', token }] as never);
      return jobOf((await world.accept(order)).id);
    }),
  );
  if (!theirs || !ours) throw new Error('no jobs');
  const encrypted = anotherKey.encrypt('token-of-theirs', theirs).toString('base64');
  await world.pool.query(
    `update job set payload = jsonb_set(payload, '{to,token_encrypted}', to_jsonb($2::text)) where id = $1`,
    [theirs, encrypted],
  );
  const read = pushJobs(world.pool, world.rowEncryption, world.wanted);
  const [lacking, sent] = await Promise.allSettled([read(theirs), read(ours)]);
  expect(lacking).toMatchObject({ reason: { message: 'no encryption key elsewhere' } });
  expect(sent).toMatchObject({ value: { work: { to: { token: 'token-of-ours' } } } });
});
