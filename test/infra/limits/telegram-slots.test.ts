import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { startRedis } from '../../../infra/embedded/redis.ts';
import { telegramSlots, type TelegramSlotsOptions } from '../../../infra/limits/telegram-slots.ts';
import { closedPort } from '../providers/support.ts';
import { eventually } from '../../support/eventually.ts';
import { freshRedis } from '../../support/servers.ts';

/** Ten times Telegram's pace, so that seconds of it are enough. */
const FAST = { messagesPerSecond: 290, chatGapMs: 100 };
const TOKEN = '7000000001:secret-of-the-bot';
const NEVER = new AbortController().signal;
/** Longer than any process of a busy machine stands still. */
const PAUSED_MS = 120_000;

/** A quarter of a second at the pace alone. */
const ENOUGH = 20;

const chatsOf = (count: number, from = 1) => Array.from({ length: count }, (_, n) => String(from + n));

async function slotsAt(options: Partial<TelegramSlotsOptions> = {}) {
  const redis = new Redis(await freshRedis(), { enableOfflineQueue: false, maxRetriesPerRequest: 1 });
  redis.on('error', () => undefined);
  await new Promise((resolve) => redis.once('ready', resolve));
  onTestFinished(() => redis.disconnect());
  return { redis, slots: telegramSlots({ token: TOKEN, redis, ...FAST, ...options }) };
}

test('an urgent message passes all that waits', async () => {
  const { slots } = await slotsAt({ messagesPerSecond: 29, chatGapMs: 1_000 });
  const done = new AbortController();
  onTestFinished(() => done.abort());
  let ordinary = 0;
  for (const chatId of chatsOf(120))
    void slots.turn({ chatId, urgent: false }, done.signal).then(({ kind: turn }) => {
      if (turn === 'now') ordinary += 1;
    });
  await expect.poll(() => ordinary).toBeGreaterThanOrEqual(5);
  const before = ordinary;
  await Promise.all(
    chatsOf(5, 1_000).map(async (chatId) => {
      expect(await slots.turn({ chatId, urgent: true }, NEVER)).toEqual({ kind: 'now' });
    }),
  );
  // Five slots that were taken, and five more each time that a busy machine makes an urgent one late; behind the others all of them
  // would have gone first.
  expect(ordinary - before).toBeLessThanOrEqual(40);
});

test('a chat that must wait takes no slot from the others', async () => {
  const { slots } = await slotsAt({ messagesPerSecond: 40, chatGapMs: 1_200 });
  await slots.turn({ chatId: '1', urgent: false }, NEVER);
  const order: string[] = [];
  await Promise.all(
    ['1', ...chatsOf(6, 2)].map(async (chatId) => {
      expect(await slots.turn({ chatId, urgent: false }, NEVER)).toEqual({ kind: 'now' });
      order.push(chatId);
    }),
  );
  expect(order.at(-1)).toBe('1');
});

test('a chat that is far from free answers later at once; a group takes a third of what a person takes', async () => {
  const { slots } = await slotsAt({ chatGapMs: 20_000 });
  for (const [chatId, gapMs] of [
    ['1', 21_000],
    ['-1', 61_000],
  ] as const) {
    await slots.turn({ chatId, urgent: false }, NEVER);
    const turn = await slots.turn({ chatId, urgent: false }, NEVER);
    expect(turn.kind).toBe('later');
    const waitMs = turn.kind === 'later' ? turn.retryAfterMs : 0;
    expect(waitMs).toBeGreaterThan(gapMs / 2);
    // A slot that is due within a millisecond is used at once.
    expect(waitMs).toBeLessThanOrEqual(gapMs + 1);
  }
});

test('a long freeze answers later to everybody who waits, and a shorter one after it changes nothing', async () => {
  const { slots, redis } = await slotsAt();
  await slots.freeze(300_000);
  await slots.freeze(1_000);
  const other = telegramSlots({ token: TOKEN, redis, ...FAST });
  for (const each of [slots, other]) {
    const turn = await each.turn({ chatId: '1', urgent: true }, NEVER);
    expect(turn.kind === 'later' && turn.retryAfterMs).toBeGreaterThan(150_000);
  }
});

test('whoever stops waiting leaves the line at once, and holds nothing', async () => {
  const { slots } = await slotsAt({ messagesPerSecond: 1 });
  await slots.turn({ chatId: '1', urgent: false }, NEVER);
  const stop = new AbortController();
  const waiting = slots.turn({ chatId: '2', urgent: false }, stop.signal);
  setTimeout(() => stop.abort(), 50);
  expect(await waiting).toEqual({ kind: 'later', retryAfterMs: 0 });
  expect(await slots.turn({ chatId: '2', urgent: false }, stop.signal)).toEqual({
    kind: 'later',
    retryAfterMs: 0,
  });
});

test('nothing in Redis tells the token, and everything there ends by itself', async () => {
  // On a busy machine Redis may answer too late, and the process then counts alone: another Redis is asked.
  const { redis, keys } = await eventually(async () => {
    // Slow, so that nothing ends before it is looked at.
    const at = await slotsAt({ messagesPerSecond: 0.1, chatGapMs: 20_000 });
    await at.slots.turn({ chatId: '1', urgent: false }, NEVER);
    await at.slots.freeze(60_000);
    const written = await at.redis.keys('*');
    expect(written).toHaveLength(4);
    return { redis: at.redis, keys: written };
  });
  for (const key of keys) {
    expect(key).toMatch(/^\{telegram:[0-9a-f]{16}\}:/);
    expect(await redis.pttl(key)).toBeGreaterThan(0);
  }
});

test('a clock of Redis that was set back holds nobody up', async () => {
  const { slots, redis } = await slotsAt({ chatGapMs: 20_000 });
  await slots.turn({ chatId: '1', urgent: false }, NEVER);
  // What was written an hour ahead, as seen from the clock that is an hour behind it.
  const [line = ''] = await redis.keys('*:line');
  const [chat = ''] = await redis.keys('*:chat:1');
  await redis.hincrby(line, 'next', 3_600_000_000);
  await redis.incrby(chat, 3_600_000_000);
  expect(await slots.turn({ chatId: '1', urgent: false }, NEVER)).toEqual({ kind: 'now' });
});

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
