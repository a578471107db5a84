import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { freshRedis } from '../support/servers.ts';

/** The pace of the bot over processes, in real time. Ten times Telegram's, so that seconds of it are enough. */
const FAST = { messagesPerSecond: 290, chatGapMs: 100 };
const GRANTED_PER_SECOND = 300;
const TOKEN = '7000000001:secret-of-the-bot';

const Taken = z.object({
  sent: z.array(z.object({ at: z.number(), chat: z.string() })),
  frozen: z.array(z.object({ from: z.number(), until: z.number() })),
  errors: z.array(z.string()),
});
type Sent = z.infer<typeof Taken>['sent'];

/** A process of its own that takes turns. */
async function taker(order: object): Promise<z.infer<typeof Taken>> {
  const script = fileURLToPath(new URL('../infra/limits/taker.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(order)], {
    maxBuffer: 16 * 1024 * 1024,
  });
  return Taken.parse(JSON.parse(stdout));
}

async function takers(orders: readonly object[]) {
  const redisUrl = await freshRedis();
  const taken = await Promise.all(orders.map((order) => taker({ redisUrl, token: TOKEN, ...order })));
  expect(taken.flatMap(({ errors }) => errors)).toEqual([]);
  return {
    sent: taken.flatMap(({ sent }) => sent).toSorted((a, b) => a.at - b.at),
    frozen: taken.flatMap(({ frozen }) => frozen),
    redisUrl,
  };
}

/** The most messages in any stretch of so many milliseconds, its end not included. */
function mostWithin(sent: Sent, ms: number): number {
  let from = 0;
  let most = 0;
  sent.forEach(({ at }, to) => {
    while (at - (sent[from]?.at ?? at) >= ms) from += 1;
    most = Math.max(most, to - from + 1);
  });
  return most;
}

const chatsOf = (count: number, from = 1) => Array.from({ length: count }, (_, n) => String(from + n));

/** Both write to the same chats, and to two of them again and again before their pause is over. */
const BUSY_CHATS = chatsOf(400).concat(['1', '1', '2', '2', '1', '2', '1', '2']);
const twoTakers = () =>
  takers(
    [BUSY_CHATS, BUSY_CHATS.toReversed()].map((chats) => ({ ...FAST, waiting: 40, runMs: 4_000, chats })),
  );

test('two processes with many waiting never pass the limit of the bot or of a chat', async () => {
  const { sent } = await twoTakers();
  expect(mostWithin(sent, 1_000)).toBeLessThanOrEqual(GRANTED_PER_SECOND);
  for (const [chat, messages] of Map.groupBy(sent, (one) => one.chat))
    expect(mostWithin(messages, FAST.chatGapMs), `chat ${chat}`).toBe(1);
});

test('after a 429 no process sends before its time, and after it the pace is as before', async () => {
  const order = { ...FAST, waiting: 20, runMs: 3_000, chats: chatsOf(500) };
  const { sent, frozen } = await takers([{ ...order, freezeMs: 800 }, order]);
  expect(frozen).toHaveLength(1);
  for (const { from, until } of frozen) {
    // 5 ms: what was looked at just before the freeze is on its way.
    expect(sent.filter(({ at }) => at > from + 5 && at < until)).toEqual([]);
    expect(sent.filter(({ at }) => at >= until).length).toBeGreaterThan(50);
  }
  expect(mostWithin(sent, 1_000)).toBeLessThanOrEqual(GRANTED_PER_SECOND);
});
