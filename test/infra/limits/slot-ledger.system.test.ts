import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { FAST, TOKEN, NEVER, chatsOf } from './slots.ts';
import { startRedis } from '../../../infra/embedded/redis.ts';
import { telegramSlots } from '../../../infra/limits/telegram-slots.ts';
import { closedPort } from '../providers/support.ts';

/** Longer than any process of a busy machine stands still. */
const PAUSED_MS = 120_000;

/** A quarter of a second at the pace alone. */
const ENOUGH = 20;

test('while Redis is away each process keeps a quarter of the pace, keeps freezes and chats, and says so once', async () => {
  const redis = new Redis(await closedPort(), '127.0.0.1', {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
  });
  redis.on('error', () => undefined);
  onTestFinished(() => redis.disconnect());
  const errors: Error[] = [];
  const slots = telegramSlots({ token: TOKEN, redis, ...FAST, onError: (error) => errors.push(error) });
  const over = new AbortController();
  const startedMs = performance.now();
  let taken = 0;
  await Promise.all(
    chatsOf(200).map(async (chatId) => {
      if ((await slots.turn({ chatId, urgent: false }, over.signal)).kind === 'later') return;
      taken += 1;
      if (taken === ENOUGH) over.abort();
    }),
  );
  const seconds = (performance.now() - startedMs) / 1_000;
  expect(taken).toBe(ENOUGH);
  expect(taken).toBeLessThanOrEqual((FAST.messagesPerSecond / 4) * seconds + 1);
  expect(errors).toHaveLength(1);
  await slots.freeze(10_000);
  expect(await slots.turn({ chatId: '999', urgent: true }, NEVER)).toMatchObject({ kind: 'later' });
});

test('a Redis that hangs is waited for a moment, once', async () => {
  // One of its own: a pause stops a whole server.
  const directory = await mkdtemp(join(tmpdir(), 'navbat-slots-'));
  await chmod(directory, 0o711);
  const server = await startRedis({ directory });
  const redis = new Redis(server.url);
  redis.on('error', () => undefined);
  onTestFinished(async () => {
    redis.disconnect();
    await server.kill();
    await rm(server.dataDirectory, { recursive: true, force: true });
    await rm(directory, { recursive: true, force: true });
  });
  const slots = telegramSlots({ token: TOKEN, redis, ...FAST });
  await slots.turn({ chatId: '1', urgent: false }, NEVER);
  await redis.client('PAUSE', PAUSED_MS, 'ALL');
  const startedAt = performance.now();
  for (const chatId of ['2', '3'])
    expect(await slots.turn({ chatId, urgent: false }, NEVER)).toEqual({ kind: 'now' });
  expect(performance.now() - startedAt).toBeLessThan(PAUSED_MS / 2);
});
