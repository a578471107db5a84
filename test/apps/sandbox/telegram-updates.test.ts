import { Bot, webhookCallback } from 'node-telegram-bot-api';
import { describe, expect, test } from 'vitest';
import { BOT_TOKEN, CHAT, apiOf, freshSandbox, person, receiver, temporaryDirectory } from './support.ts';
import { eventually } from '../../support/eventually.ts';

describe('updates', () => {
  test('a person’s /start, contact and pressed button reach a polling bot, which answers', async () => {
    const sandbox = await freshSandbox();
    const bot = new Bot(BOT_TOKEN, { apiRoot: sandbox.url, maxRetries: 0 });
    const seen: unknown[] = [];
    bot.command('start', async (ctx) => {
      seen.push(ctx.match);
      await ctx.api.sendMessage({
        chat_id: CHAT,
        text: 'Welcome',
        reply_markup: { inline_keyboard: [[{ text: 'Yes', callback_data: 'yes' }]] },
      });
    });
    bot.on('callback_query', async (ctx) => {
      seen.push(ctx.callbackQuery?.data);
      await ctx.api.answerCallbackQuery({ callback_query_id: ctx.callbackQuery?.id ?? '' });
    });
    bot.on('message', (ctx) => void seen.push(ctx.message?.contact));
    const polling = bot.startPolling(undefined, { timeout: 5, retry: false });
    await person(sandbox, { bot: 7000000001, text: '/start deep-link_1' });
    const welcome = await sandbox.waitForMessage({ to: String(CHAT) });
    await person(sandbox, { callback: { message_id: Number(welcome.provider_reference), data: 'yes' } });
    await person(sandbox, { contact: { phone_number: '+998901112233' } });
    await eventually(() => expect(seen).toHaveLength(3));
    expect(seen).toMatchObject(['deep-link_1', 'yes', { phone_number: '+998901112233', user_id: CHAT }]);
    bot.stop();
    await polling;
  });

  test('a webhook gets each update with its secret, again after an error, in order; polling is refused meanwhile', async () => {
    const sandbox = await freshSandbox();
    const api = apiOf(sandbox);
    const { url, received } = await receiver((_one, count) => (count === 1 ? 500 : 200));
    await api.setWebhook({ url: `${url}/hook`, secret_token: 'a_secret-1' });
    await expect(api.getUpdates({})).rejects.toMatchObject({ errorCode: 409 });
    await person(sandbox, { text: 'one' });
    await person(sandbox, { text: 'two' });
    await eventually(() => expect(received).toHaveLength(3));
    expect(
      received.map(({ body }) => (JSON.parse(body) as { message: { text: string } }).message.text),
    ).toEqual(['one', 'one', 'two']);
    expect(received.every(({ headers }) => headers['x-telegram-bot-api-secret-token'] === 'a_secret-1')).toBe(
      true,
    );
    await eventually(async () =>
      expect(await api.getWebhookInfo()).toMatchObject({
        url: `${url}/hook`,
        pending_update_count: 0,
        last_error_message: 'Wrong response from the webhook: 500',
      }),
    );
    await api.deleteWebhook();
    expect(await api.getUpdates({})).toEqual([]);
  });

  test('the official webhook callback takes what the sandbox posts', async () => {
    const bot = new Bot(BOT_TOKEN, { apiRoot: 'http://127.0.0.1:1', maxRetries: 0 });
    const texts: unknown[] = [];
    bot.on('message', (ctx) => void texts.push(ctx.message?.text));
    const callback = webhookCallback(bot, { secretToken: 'secret' });
    const sandbox = await freshSandbox();
    const { url, received } = await receiver();
    await apiOf(sandbox).setWebhook({ url, secret_token: 'secret' });
    await person(sandbox, { text: 'hello' });
    await eventually(() => expect(received).toHaveLength(1));
    const body = received[0]?.body ?? '';
    const secret = String(received[0]?.headers['x-telegram-bot-api-secret-token']);
    const posted = (header: string) =>
      callback(
        new Request(url, { method: 'POST', body, headers: { 'x-telegram-bot-api-secret-token': header } }),
      );
    expect((await posted(secret)).status).toBe(200);
    expect((await posted('guess')).status).toBe(401);
    expect(texts).toEqual(['hello']);
  });

  test('webhook, waiting updates and message ids outlive a restart', async () => {
    const directory = await temporaryDirectory();
    const first = await freshSandbox({ directory });
    await apiOf(first).sendMessage({ chat_id: CHAT, text: 'before' });
    await person(first, { text: 'still waiting' });
    await first.close();
    const second = await freshSandbox({ directory });
    const [update] = await apiOf(second).getUpdates({});
    expect(update).toMatchObject({ message: { text: 'still waiting' } });
    expect((await apiOf(second).sendMessage({ chat_id: CHAT, text: 'after' })).message_id).toBeGreaterThan(1);
    const { url, received } = await receiver();
    await apiOf(second).setWebhook({ url, drop_pending_updates: true });
    await second.close();
    const third = await freshSandbox({ directory });
    const { update_id } = (await person(third, { text: 'to the webhook' })) as { update_id: number };
    expect(update_id).toBeGreaterThan(update?.update_id ?? Infinity);
    await eventually(() => expect(received).toHaveLength(1));
  });
});
