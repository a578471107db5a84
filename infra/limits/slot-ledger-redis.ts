import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import {
  aheadMs,
  gapMs,
  ordinaryAheadMs,
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
/** 1 000 slots are remembered, which is a second of any pace up to that, and a shorter stretch of a faster one. */
const WINDOW_SLOTS_MAX = 1_000;
/** What a late process has lost is made up for at five thirds of the pace: with jitter of 20 ms still 30 a second at most. */
const CATCH_UP_SHARE = 0.6;

/**
 * KEYS: the bot's line, its freeze, its last slots, then one chat for each wish. ARGV: interval, interval while catching up,
 * window, slots in a window, the furthest anybody reserves, what stands for an unknown past, how long to keep the line;
 * then for each wish how far ahead it may reserve, the chat's gap, its mark, and for how long it has been in line. Times
 * are microseconds of Redis' own clock, which all processes share.
 *
 * A slot comes an interval after the one before, and never makes one too many in any window. Time in which somebody was in
 * line and no slot was used (a process that stood still, a slot that it gave back) is credit, and credit shortens intervals.
 *
 * A line further ahead than anybody reserves was written before the clock was set back, and counts for nothing; so does
 * such a chat. Where nothing is known, Redis may have been wiped with slots reserved that are still to be used, so that
 * the first new one stands behind those.
 *
 * Answers { frozen ms }, or { 0, word, micros, mark, word, micros, mark, … }, ending with the first wish that found no room.
 */
const RESERVE = `
local clock = redis.call('TIME')
local now = clock[1] * ${MICROS_PER_SECOND} + clock[2]
local frozen = redis.call('PTTL', KEYS[2])
if frozen > 0 then return { frozen } end
local interval, hasty, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local slots, furthest = ARGV[4], tonumber(ARGV[5])
local line = redis.call('HMGET', KEYS[1], 'next', 'credit')
local next, credit = tonumber(line[1] or now + ARGV[6]), tonumber(line[2] or 0)
if next > now + furthest + interval then
  next, credit = now, 0
  redis.call('DEL', KEYS[3])
end
local answers = { 0 }
local function answer(word, micros, mark)
  answers[#answers + 1] = word
  answers[#answers + 1] = micros
  answers[#answers + 1] = mark
end
for i = 4, #KEYS do
  local at = 8 + (i - 4) * 4
  local ahead, gap, mark, since = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), ARGV[at + 2], now - ARGV[at + 3]
  if mark ~= '' then credit = credit + interval * redis.call('ZREM', KEYS[3], mark) end
  local slot = math.max(now, next)
  local before = redis.call('ZRANGE', KEYS[3], '-' .. slots, '-' .. slots)[1]
  if before then slot = math.max(slot, before + window) end
  if slot - now > ahead then
    answer('full', slot - now - ahead, '')
    break
  end
  local free = tonumber(redis.call('GET', KEYS[i]) or 0)
  local own = mark ~= '' and free == mark + gap
  if free > slot and not own and free <= now + furthest + interval + gap then
    answer('chat-busy', free - now, '')
  else
    if since > next then credit = 0 end
    credit = math.min(window, credit + slot - math.max(next, since))
    local taken = string.format('%.0f', slot)
    answer('slot', slot - now, taken)
    redis.call('ZADD', KEYS[3], taken, taken)
    if gap > 0 then
      redis.call('SET', KEYS[i], string.format('%.0f', slot + gap), 'PX', math.ceil((slot + gap - now) / ${MICROS_PER_MS}))
    end
    local step = interval
    if credit >= interval - hasty then
      step = hasty
      credit = credit - interval + hasty
    end
    next = slot + step
  end
end
redis.call('HSET', KEYS[1], 'next', string.format('%.0f', next), 'credit', string.format('%.0f', credit))
redis.call('PEXPIRE', KEYS[1], ARGV[7])
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -1 - 2 * slots)
redis.call('PEXPIRE', KEYS[3], math.ceil((window + furthest) / ${MICROS_PER_MS}))
return answers`;

/** KEYS: the line and the freeze. ARGV: ms. A shorter freeze never ends a longer one; after it the line starts afresh. */
const FREEZE = `
if redis.call('PTTL', KEYS[2]) >= tonumber(ARGV[1]) then return end
local clock = redis.call('TIME')
local thawed = clock[1] * ${MICROS_PER_SECOND} + clock[2] + ARGV[1] * ${MICROS_PER_MS}
redis.call('SET', KEYS[2], '1', 'PX', ARGV[1])
redis.call('HSET', KEYS[1], 'next', string.format('%.0f', thawed), 'credit', '0')
redis.call('PEXPIRE', KEYS[1], ARGV[1] + ${KEPT_MS})`;

const Word = z.enum(['slot', 'chat-busy', 'full']);
const Reply = z.tuple([z.int()], z.union([z.int(), z.string()]));

/** The slots of one bot, shared by all processes. */
export function redisLedger(redis: Redis, token: string, pace: Pace): SlotLedger {
  const hash = createHash('sha256').update(token).digest('hex').slice(0, HASH_CHARS);
  // Hash-tagged: all keys of a bot share a slot of a cluster.
  const key = (name: string) => `{telegram:${hash}}:${name}`;
  const { intervalMs, fixed } = paceArguments(pace);

  return {
    intervalMs,
    reserve: async (wishes) => {
      const chats = wishes.map(({ chatId }) => key(`chat:${chatId}`));
      const keys = [key('line'), key('frozen'), key('slots'), ...chats];
      const each = wishes.flatMap((wish) => [
        Math.round(aheadMs(pace, wish) * MICROS_PER_MS),
        Math.round(gapMs(pace, wish.chatId) * MICROS_PER_MS),
        wish.mark ?? '',
        Math.round(wish.waitedMs * MICROS_PER_MS),
      ]);
      const reply = await redis.eval(RESERVE, keys.length, ...keys, ...fixed, ...each);
      const [frozenMs, ...flat] = Reply.parse(reply);
      return { frozenMs, answers: answersOf(flat) };
    },
    freeze: async (ms) => {
      await redis.eval(FREEZE, 2, key('line'), key('frozen'), Math.max(1, Math.ceil(ms)));
    },
    frozenMs: async () => Math.max(0, await redis.pttl(key('frozen'))),
  };
}

/** What of the script's arguments is the same in every call. */
function paceArguments(pace: Pace): { intervalMs: number; fixed: number[] } {
  const { messagesPerSecond } = pace;
  const intervalMicros = Math.ceil(MICROS_PER_SECOND / messagesPerSecond);
  const windowSlots = Math.min(Math.ceil(messagesPerSecond), WINDOW_SLOTS_MAX);
  const fixed = [
    intervalMicros,
    Math.ceil(intervalMicros * CATCH_UP_SHARE),
    windowSlots * intervalMicros,
    windowSlots,
    URGENT_AHEAD_MS * MICROS_PER_MS,
    Math.round(ordinaryAheadMs(pace) * MICROS_PER_MS),
    KEPT_MS,
  ];
  return { intervalMs: intervalMicros / MICROS_PER_MS, fixed };
}

function answersOf(flat: readonly (string | number)[]): SlotAnswer[] {
  const answers: SlotAnswer[] = [];
  for (let at = 0; at + 2 < flat.length; at += 3) {
    const ms = Number(flat[at + 1]) / MICROS_PER_MS;
    const word = Word.parse(flat[at]);
    answers.push(
      word === 'slot'
        ? { kind: word, waitMs: ms, mark: String(flat[at + 2]) }
        : { kind: word, retryAfterMs: ms },
    );
  }
  return answers;
}
