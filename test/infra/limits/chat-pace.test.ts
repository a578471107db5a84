import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { chatPace } from '../../../infra/limits/chat-pace.ts';
import { limitConnection } from '../../../infra/limits/quota-counter.ts';
import { freshRedis } from '../../support/servers.ts';

const CHAT_ACTIONS_MAX = 20;

async function paceAt(url: string, botId: number) {
  const redis = new Redis(url, limitConnection);
  redis.on('error', () => undefined);
  await new Promise((resolve) => redis.once('ready', resolve));
  const pace = chatPace(redis, botId);
  onTestFinished(() => {
    pace.close();
    redis.disconnect();
  });
  return pace;
}

test('a chat is told once that it writes too fast, over all processes; other chats and other bots are not', async () => {
  const url = await freshRedis();
  const [one, other, otherBot] = [await paceAt(url, 7), await paceAt(url, 7), await paceAt(url, 8)];
  for (let n = 0; n < CHAT_ACTIONS_MAX; n++)
    expect(await (n % 2 === 0 ? one : other).take(55), `action ${n + 1}`).toBe('within');
  expect(await one.take(55)).toBe('just-exceeded');
  expect(await other.take(55)).toBe('exceeded');
  expect(await one.take(56)).toBe('within');
  expect(await otherBot.take(55)).toBe('within');
});
