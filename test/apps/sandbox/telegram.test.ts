import { describe, expect, test } from 'vitest';
import type { SandboxOptions } from '../../../apps/sandbox/start-sandbox.ts';
import { CHAT, apiOf, freshSandbox } from './support.ts';

describe('the pace', () => {
  const START = Date.parse('2026-01-15T10:00:00.000Z');

  /** A sandbox whose clock is set by hand. */
  async function paced(telegramPace: SandboxOptions['telegramPace'] = {}) {
    let nowMs = START;
    const sandbox = await freshSandbox({ telegramPace, clock: () => new Date(nowMs) });
    const api = apiOf(sandbox);
    const send = (chat_id: number) => api.sendMessage({ chat_id, text: 'hi' });
    return { sandbox, send, at: (ms: number) => (nowMs = START + ms) };
  }
  const tooMany = (retryAfter: number) => ({
    errorCode: 429,
    retryAfter,
    description: `Too Many Requests: retry after ${retryAfter}`,
  });

  test('is one message a second to a chat, and a refusal of that chat alone', async () => {
    const { sandbox, send, at } = await paced();
    await send(1);
    at(999);
    await expect(send(1)).rejects.toMatchObject(tooMany(1));
    await send(2);
    at(1_000);
    await send(1);
    expect(sandbox.telegramPace()).toMatchObject({
      accepted: 3,
      chat_breaches: 1,
      bot_breaches: 0,
      early: 0,
    });
    expect(sandbox.calls().map(({ fault, status }) => [fault, status])).toContainEqual(['pace', 429]);
  });

  test('is 30 in any second, not in one by the clock', async () => {
    const { sandbox, send, at } = await paced();
    at(900);
    for (let chat = 1; chat <= 30; chat += 1) await send(chat);
    at(1_899);
    await expect(send(31)).rejects.toMatchObject(tooMany(1));
    at(2_899);
    await send(31);
    expect(sandbox.telegramPace()).toMatchObject({ accepted: 31, bot_breaches: 1, disobeyed: 0 });
  });

  test('closes the bot until its wait is over, and counts who does not obey', async () => {
    const { sandbox, send, at } = await paced({ per_second: 1, chat_gap_ms: 0 });
    await send(1);
    at(500);
    await expect(send(2)).rejects.toMatchObject(tooMany(1));
    at(600);
    await expect(send(3)).rejects.toMatchObject(tooMany(1));
    at(601);
    await expect(send(4)).rejects.toMatchObject(tooMany(1));
    at(1_500);
    await send(5);
    expect(sandbox.telegramPace()).toMatchObject({ bot_breaches: 1, early: 2, disobeyed: 1 });
  });

  test('refuses a share of the calls by chance, the same ones for the same seed', async () => {
    const run = async (seed: number) => {
      const { sandbox, send, at } = await paced({ busy_share: 0.2, retry_after_seconds: 2, seed });
      const refused: number[] = [];
      for (let chat = 1; chat <= 100; chat += 1) {
        at(chat * 3_000);
        await send(chat).catch(() => refused.push(chat));
      }
      expect(sandbox.telegramPace().busy).toBe(refused.length);
      return refused;
    };
    const first = await run(7);
    expect(first.length).toBeGreaterThan(8);
    expect(first.length).toBeLessThan(35);
    expect(await run(7)).toEqual(first);
    expect(await run(8)).not.toEqual(first);
  });

  test('is set, read and ended over HTTP', async () => {
    const sandbox = await freshSandbox();
    const pace = async (method: string, body?: object) => {
      const answer = await fetch(`${sandbox.url}/telegram/pace`, {
        method,
        ...(body && { body: JSON.stringify(body) }),
      });
      return { status: answer.status, report: await answer.json() };
    };
    expect((await pace('GET')).report).toMatchObject({ pace: null });
    expect((await pace('PUT', { per_second: 0 })).status).toBe(400);
    expect((await pace('PUT')).report).toMatchObject({ pace: { per_second: 30, chat_gap_ms: 1_000 } });
    const api = apiOf(sandbox);
    await api.sendMessage({ chat_id: CHAT, text: 'hi' });
    await expect(api.sendMessage({ chat_id: CHAT, text: 'hi' })).rejects.toMatchObject({ errorCode: 429 });
    expect((await pace('GET')).report).toMatchObject({ accepted: 1, chat_breaches: 1 });
    await pace('DELETE');
    await api.sendMessage({ chat_id: CHAT, text: 'hi' });
  });
});
