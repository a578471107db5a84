import { Bot, GrammyError, HttpError } from 'grammy';
import { expect, onTestFinished, test } from 'vitest';
import type { Sandbox } from '../../../apps/sandbox/start-sandbox.ts';
import { BOT_TOKEN, freshSandbox } from './support.ts';

/** A library that shares no line with the one that Navbat uses: what it understands is Telegram's, not our own dialect. */
const botOf = ({ url }: Sandbox, token = BOT_TOKEN) => new Bot(token, { client: { apiRoot: url } });
const CHAT = 4242;

const person = (sandbox: Sandbox, act: object) =>
  fetch(`${sandbox.url}/telegram/updates`, {
    method: 'POST',
    body: JSON.stringify({ chat_id: CHAT, ...act }),
  });

test('grammY asks who it is, polls, answers a command, takes a contact and a pressed button', async () => {
  const sandbox = await freshSandbox();
  const bot = botOf(sandbox);
  const heard: unknown[] = [];
  bot.command('start', (ctx) =>
    ctx.reply(`Salom <b>${ctx.match}</b>`, {
      parse_mode: 'HTML',
      reply_markup: { inline_keyboard: [[{ text: 'OK', callback_data: 'ok' }]] },
    }),
  );
  bot.on('message:contact', (ctx) => void heard.push(ctx.message.contact));
  bot.on('callback_query:data', async (ctx) => {
    heard.push(ctx.callbackQuery.data);
    await ctx.answerCallbackQuery();
    await ctx.editMessageText('Rahmat');
  });
  const running = bot.start({ onStart: ({ username }) => void heard.push(username) });
  onTestFinished(async () => {
    await bot.stop();
    await running;
  });
  await expect.poll(() => heard).toEqual(['sandbox_7000000001_bot']);

  await person(sandbox, { text: '/start deep-link' });
  const sent = await sandbox.waitForMessage({ to: String(CHAT) });
  expect(sent).toMatchObject({ text: 'Salom deep-link', details: { entities: [{ type: 'bold' }] } });
  await person(sandbox, { contact: { phone_number: '+998901234567' } });
  await expect.poll(() => heard.at(-1)).toMatchObject({ phone_number: '+998901234567', user_id: CHAT });
  await person(sandbox, { callback: { message_id: sent.provider_reference, data: 'ok' } });
  await expect.poll(() => sandbox.inbox().at(-1)?.text).toBe('Rahmat');
});

test('grammY reads the errors: a blocked chat, a wrong token, a pace that is too fast, a connection that is cut', async () => {
  const sandbox = await freshSandbox({ credentials: { telegramBotToken: BOT_TOKEN }, telegramPace: {} });
  const send = (token = BOT_TOKEN) => botOf(sandbox, token).api.sendMessage(CHAT, 'hi');
  await expect(send('7000000001:wrong')).rejects.toMatchObject({ error_code: 401 });
  expect(await send()).toMatchObject({ text: 'hi', chat: { id: CHAT } });
  const tooFast = await send().catch((error: unknown) => error);
  expect(tooFast).toBeInstanceOf(GrammyError);
  expect(tooFast).toMatchObject({ error_code: 429, parameters: { retry_after: 1 } });
  await fetch(`${sandbox.url}/telegram/pace`, { method: 'DELETE' });
  sandbox.orderFaults({ channel: 'telegram', effect: 'reject', code: 'blocked', times: 1 });
  await expect(send()).rejects.toMatchObject({
    error_code: 403,
    description: 'Forbidden: bot was blocked by the user',
  });
  sandbox.orderFaults({ channel: 'telegram', effect: 'hang-before', hang_ms: 0, times: 1 });
  expect(await send().catch((error: unknown) => error)).toBeInstanceOf(HttpError);
});
