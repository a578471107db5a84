import { describe, expect, test } from 'vitest';
import { BOT_TOKEN, apiOf, freshSandbox, person } from './support.ts';

describe('a person who writes before the bot has called', () => {
  test('is heard once it does, where the sandbox knows its token', async () => {
    const sandbox = await freshSandbox({ credentials: { telegramBotToken: BOT_TOKEN } });
    await person(sandbox, { text: '/start' });
    expect(await apiOf(sandbox).getUpdates({})).toMatchObject([{ message: { text: '/start' } }]);
  });

  test('is told that there is none, where it does not', async () => {
    await person(await freshSandbox(), { text: '/start' }, 404);
  });
});

test('a group is unknown until it is made known', async () => {
  const sandbox = await freshSandbox();
  const api = apiOf(sandbox);
  const group = { chat_id: -100123, text: 'hello' };
  await expect(api.sendMessage(group)).rejects.toMatchObject({ description: 'Bad Request: chat not found' });
  await fetch(`${sandbox.url}/telegram/chats`, {
    method: 'PUT',
    body: JSON.stringify({ chat_id: -100123, title: 'Team' }),
  });
  expect(await api.sendMessage(group)).toMatchObject({ chat: { id: -100123, type: 'group', title: 'Team' } });
});
