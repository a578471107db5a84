import { expect, test } from 'vitest';
import { NEVER, slotsAt } from './slots.ts';
import { eventually } from '../../support/eventually.ts';

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
