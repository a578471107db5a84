import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import {
  aheadMs,
  gapMs,
  ORDINARY_AHEAD_MS,
  type Pace,
  type SlotAnswer,
  type SlotLedger,
  URGENT_AHEAD_MS,
} from './slot-ledger.ts';

const MICROS_PER_MS = 1_000;
const MICROS_PER_SECOND = 1_000_000;
/** 1 h after its last message nothing of a bot is left in Redis. */
const KEPT_MS = 3_600_000;
/** 64 bits of it tell bots apart, and tell nothing of the token, which is as long as a key. */
const HASH_CHARS = 16;

/**
 * KEYS: the bot's next free slot and its freeze, then one chat for each wish. ARGV: interval, the furthest anybody
 * reserves, what stands for an unknown past, how long to keep the bot's key; then for each wish how far ahead it may
 * reserve, the chat's gap, and its mark. Times are microseconds of Redis' own clock, which all processes share.
 *
 * A next slot further ahead than anybody reserves was written before the clock was set back, and counts for nothing; so
 * does such a chat. Where nothing is known, Redis may have been wiped with slots reserved that are still to be used, so
 * that the first new one stands behind those.
 *
 * Answers { frozen ms }, or { 0, word, micros, mark, word, micros, mark, … }, ending with the first wish that found no room.
 */
const RESERVE = `
local clock = redis.call('TIME')
local now = clock[1] * ${MICROS_PER_SECOND} + clock[2]
local frozen = redis.call('PTTL', KEYS[2])
if frozen > 0 then return { frozen } end
local interval, furthest = tonumber(ARGV[1]), tonumber(ARGV[2])
local next = tonumber(redis.call('GET', KEYS[1]) or now + ARGV[3])
if next < now or next > now + furthest + interval then next = now end
local answers = { 0 }
local function answer(word, micros, mark)
  answers[#answers + 1] = word
  answers[#answers + 1] = micros
  answers[#answers + 1] = mark
end
for i = 3, #KEYS do
  local at = 5 + (i - 3) * 3
  local ahead, gap, own = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), ARGV[at + 2]
  if next - now > ahead then
    answer('full', next - now - ahead, '')
    break
  end
  local mark = redis.call('GET', KEYS[i])
  local free = tonumber(mark or 0)
  if free > next and mark ~= own and free <= now + furthest + interval + gap then
    answer('chat-busy', free - now, '')
  else
    local after = string.format('%.0f', next + gap)
    answer('slot', next - now, after)
    if gap > 0 then redis.call('SET', KEYS[i], after, 'PX', math.ceil((next + gap - now) / ${MICROS_PER_MS})) end
    next = next + interval
  end
end
redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', ARGV[4])
return answers`;

/** A shorter freeze never ends a longer one. */
const FREEZE = `
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], '1', 'PX', ARGV[1]) end`;

const Word = z.enum(['slot', 'chat-busy', 'full']);
const Reply = z.tuple([z.int()], z.union([z.int(), z.string()]));

/** The slots of one bot, shared by all processes. */
export function redisLedger(redis: Redis, token: string, pace: Pace): SlotLedger {
  const hash = createHash('sha256').update(token).digest('hex').slice(0, HASH_CHARS);
  // Hash-tagged: all keys of a bot share a slot of a cluster.
  const key = (name: string) => `{telegram:${hash}}:${name}`;
  const intervalMicros = Math.ceil(MICROS_PER_SECOND / pace.messagesPerSecond);
  const fixed = [intervalMicros, URGENT_AHEAD_MS * MICROS_PER_MS, ORDINARY_AHEAD_MS * MICROS_PER_MS, KEPT_MS];

  return {
    intervalMs: intervalMicros / MICROS_PER_MS,
    reserve: async (wishes) => {
      const keys = [key('next'), key('frozen'), ...wishes.map(({ chatId }) => key(`chat:${chatId}`))];
      const each = wishes.flatMap((wish) => [
        aheadMs(wish) * MICROS_PER_MS,
        Math.round(gapMs(pace, wish.chatId) * MICROS_PER_MS),
        wish.mark ?? '',
      ]);
      const [frozenMs, ...rest] = Reply.parse(
        await redis.eval(RESERVE, keys.length, ...keys, ...fixed, ...each),
      );
      return { frozenMs, answers: answersOf(rest) };
    },
    freeze: async (ms) => {
      await redis.eval(FREEZE, 1, key('frozen'), Math.max(1, Math.ceil(ms)));
    },
    frozenMs: async () => Math.max(0, await redis.pttl(key('frozen'))),
  };
}

function answersOf(flat: readonly (string | number)[]): SlotAnswer[] {
  const answers: SlotAnswer[] = [];
  for (let at = 0; at + 2 < flat.length; at += 3) {
    const ms = Number(flat[at + 1]) / MICROS_PER_MS;
    const word = Word.parse(flat[at]);
    answers.push(
      word === 'slot'
        ? { answer: word, waitMs: ms, mark: String(flat[at + 2]) }
        : { answer: word, retryAfterMs: ms },
    );
  }
  return answers;
}
