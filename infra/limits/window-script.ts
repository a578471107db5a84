import type { Redis, Result } from 'ioredis';

/** One process's count, stated. */
interface Stated {
  readonly field: string;
  readonly own: number;
  readonly version: number;
  /** When the window ends on the clock of Redis, as this process was told; 0 where it was not. */
  readonly sharedEndsMs: number;
  /** For a window of which Redis does not know. */
  readonly leftMs: number;
}

export interface Told {
  readonly total: number;
  readonly leftMs: number;
  readonly endsMs: number;
}

/**
 * A window is a hash: `ends` and `total`, and of each process its count and the version of it. A count that was heard before,
 * or is older than what was heard, changes nothing; a window that has ended is not opened again by a count made in it.
 */
const script = `
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = tonumber(ARGV[4])
if known > 0 and known <= now then return {-1, 0, 0} end
local ends = tonumber(redis.call('hget', KEYS[1], 'ends') or 0)
if ends == 0 then
  ends = known > 0 and known or now + tonumber(ARGV[5])
  redis.call('hset', KEYS[1], 'ends', ends)
  redis.call('pexpireat', KEYS[1], ends)
end
local before = redis.call('hmget', KEYS[1], ARGV[1], ARGV[1] .. ':version')
local total
if tonumber(ARGV[3]) > tonumber(before[2] or 0) then
  redis.call('hset', KEYS[1], ARGV[1], ARGV[2], ARGV[1] .. ':version', ARGV[3])
  total = redis.call('hincrby', KEYS[1], 'total', tonumber(ARGV[2]) - tonumber(before[1] or 0))
else
  total = tonumber(redis.call('hget', KEYS[1], 'total') or 0)
end
return {total, ends - now, ends}`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    navbatShareCount(
      key: string,
      field: string,
      own: number,
      version: number,
      sharedEndsMs: number,
      leftMs: number,
    ): Result<[total: number, leftMs: number, endsMs: number], Context>;
  }
}

/** `over` where the window of the count has ended. */
export async function runShare(
  redis: Redis,
  key: string,
  { field, own, version, sharedEndsMs, leftMs }: Stated,
): Promise<Told | 'over'> {
  if (!redis.navbatShareCount) redis.defineCommand('navbatShareCount', { numberOfKeys: 1, lua: script });
  const [total, left, endsMs] = await redis.navbatShareCount(
    `limit:${key}`,
    field,
    own,
    version,
    sharedEndsMs,
    leftMs,
  );
  return total < 0 ? 'over' : { total, leftMs: left, endsMs };
}
