import { Redis } from 'ioredis';
import { z } from 'zod';
import { telegramSlots } from '../../../infra/limits/telegram-slots.ts';

/**
 * One process that sends for a bot: so many messages wait in it at any time, each to the next chat of its list, until the
 * time is over. It prints when it would have sent what, on the clock of the machine.
 */
const Order = z.object({
  redisUrl: z.string(),
  token: z.string(),
  messagesPerSecond: z.number(),
  chatGapMs: z.number(),
  chats: z.array(z.string()),
  waiting: z.number(),
  runMs: z.number(),
  /** Freezes the bot for so long once half of its time is over. */
  freezeMs: z.number().default(0),
});

const { redisUrl, chats, waiting, runMs, freezeMs, ...pace } = Order.parse(
  JSON.parse(process.argv[2] ?? '{}'),
);
const redis = new Redis(redisUrl, { enableOfflineQueue: false, maxRetriesPerRequest: 1 });
await new Promise((resolve) => redis.once('ready', resolve));
const errors: string[] = [];
const slots = telegramSlots({ redis, ...pace, onError: ({ message }) => errors.push(message) });
const over = AbortSignal.timeout(runMs);
const now = () => performance.timeOrigin + performance.now();
const sent: { at: number; chat: string }[] = [];
const frozen: { from: number; until: number }[] = [];
let next = 0;

async function sendOneAfterTheOther(): Promise<void> {
  while (!over.aborted) {
    const chat = chats[next++ % chats.length] ?? '';
    const turn = await slots.turn({ chatId: chat, urgent: false }, over);
    if (turn.kind === 'now') sent.push({ at: now(), chat });
    else if (!over.aborted) await new Promise((resolve) => setTimeout(resolve, turn.retryAfterMs));
  }
}

async function freezeOnce(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, runMs / 2));
  if (freezeMs === 0) return;
  const from = now();
  await slots.freeze(freezeMs);
  frozen.push({ from: now(), until: from + freezeMs });
}

await Promise.all([freezeOnce(), ...Array.from({ length: waiting }, sendOneAfterTheOther)]);
redis.disconnect();
process.stdout.write(JSON.stringify({ sent, frozen, errors, cpuMicros: process.cpuUsage() }), () =>
  process.exit(0),
);
