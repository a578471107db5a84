import { z } from 'zod';
import { isCallbackUrl } from './caller.ts';
import type { Incoming, Reply } from './http.ts';
import { badRequest, ok, refused } from './telegram-reply.ts';
import type { TelegramBot, Update } from './telegram-bot.ts';
import type { World } from './world.ts';
import { parseJson } from '../../domain/shared/json.ts';

/** Telegram's own limits. */
const POLL_SECONDS_MAX = 50;
const UPDATES_PAGE_MAX = 100;
const SECRET_TOKEN = /^[A-Za-z0-9_-]{1,256}$/;
/** A webhook that fails is tried again for as long as its update waits; the pause grows up to the caller's maximum. */
const WEBHOOK_TRIES_MAX = 1_000;

const Count = z.coerce.number().int();
/** Lists come as JSON in a form, and as they are in a JSON body. */
const Names = z.preprocess(
  (value) => (typeof value === 'string' ? parseJson(value) : value),
  z.array(z.string()),
);
const Flag = z.union([
  z.boolean(),
  z.enum(['true', 'True', '1', 'false', 'False', '0', '']).transform((word) => /^(true|1)$/i.test(word)),
]);

const GetUpdates = z.object({
  offset: Count.default(0),
  limit: Count.default(UPDATES_PAGE_MAX).transform((limit) => Math.min(Math.max(limit, 1), UPDATES_PAGE_MAX)),
  timeout: Count.default(0).transform((seconds) => Math.min(Math.max(seconds, 0), POLL_SECONDS_MAX)),
  allowed_updates: Names.optional(),
});
const SetWebhook = z.object({
  url: z.string().default(''),
  secret_token: z.string().optional(),
  max_connections: Count.default(40),
  allowed_updates: Names.optional(),
  drop_pending_updates: Flag.default(false),
});

const TERMINATED = refused(
  409,
  'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
);

/** Long polling: answers at once when something waits, else when it comes, else with [] after `timeout`. */
export function getUpdates(
  bot: TelegramBot,
  fields: unknown,
  incoming: Incoming,
  world: World,
): Promise<Reply> | Reply {
  const parameters = GetUpdates.safeParse(fields);
  if (!parameters.success) return badRequest('invalid parameters');
  if (bot.webhook) {
    return refused(
      409,
      "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    );
  }
  const { offset, limit, timeout, allowed_updates } = parameters.data;
  if (allowed_updates) bot.allowedUpdates = allowed_updates;
  const updates = bot.take(offset, limit);
  if (updates.length > 0 || timeout === 0) {
    bot.poll(offset, limit, () => {})();
    return ok(updates);
  }
  return waitForUpdates(bot, parameters.data, { incoming, world });
}

function waitForUpdates(
  bot: TelegramBot,
  { offset, limit, timeout }: z.infer<typeof GetUpdates>,
  { incoming, world }: { incoming: Incoming; world: World },
): Promise<Reply> {
  return new Promise((resolve) => {
    const finish = (reply: Reply): void => {
      stopWaiting();
      cancelTimer();
      resolve(reply);
    };
    const stopWaiting = bot.poll(offset, limit, (settled) =>
      finish(settled === 'replaced' ? TERMINATED : ok(settled)),
    );
    const cancelTimer = world.timers.after(timeout * 1000, () => finish(ok([])));
    incoming.onGone(() => finish(ok([])));
  });
}

/** Unlike Telegram it takes plain http and any port, because a bot on this machine has no certificate. */
export function setWebhook(bot: TelegramBot, fields: unknown, world: World): Reply {
  const parameters = SetWebhook.safeParse(fields);
  if (!parameters.success) return badRequest('invalid parameters');
  const { url, secret_token, max_connections, allowed_updates, drop_pending_updates } = parameters.data;
  if (url === '') return deleteWebhook(bot, fields);
  if (!isCallbackUrl(url)) return badRequest('bad webhook: invalid webhook URL specified');
  if (secret_token !== undefined && !SECRET_TOKEN.test(secret_token)) {
    return badRequest('secret token contains unallowed characters');
  }
  if (drop_pending_updates) bot.dropUpdates();
  bot.webhook = {
    url,
    secretToken: secret_token,
    allowedUpdates: allowed_updates,
    maxConnections: max_connections,
  };
  pumpWebhook(bot, world);
  return describe(true, 'Webhook was set');
}

export function deleteWebhook(bot: TelegramBot, fields: unknown): Reply {
  const drop = z.object({ drop_pending_updates: Flag.default(false) }).safeParse(fields);
  if (drop.success && drop.data.drop_pending_updates) bot.dropUpdates();
  const existed = bot.webhook !== undefined;
  bot.webhook = undefined;
  return describe(true, existed ? 'Webhook was deleted' : 'Webhook is already deleted');
}

export function getWebhookInfo(bot: TelegramBot): Reply {
  const { webhook } = bot;
  return ok({
    url: webhook?.url ?? '',
    has_custom_certificate: false,
    pending_update_count: bot.pendingCount,
    ...(webhook && { max_connections: webhook.maxConnections }),
    ...(webhook?.allowedUpdates && { allowed_updates: webhook.allowedUpdates }),
    ...(webhook?.lastErrorAt !== undefined && {
      last_error_date: webhook.lastErrorAt,
      last_error_message: webhook.lastErrorMessage,
    }),
  });
}

const pumping = new WeakSet<TelegramBot>();

/** Posts the waiting updates one after the other, in their order, until none waits or the webhook is gone. */
export function pumpWebhook(bot: TelegramBot, world: World): void {
  if (pumping.has(bot)) return;
  pumping.add(bot);
  void pump(bot, world).finally(() => pumping.delete(bot));
}

async function pump(bot: TelegramBot, world: World): Promise<void> {
  for (let update = bot.first(); update && bot.webhook; update = bot.first()) {
    const webhook = bot.webhook;
    // Not taken and yet still the same webhook: its tries are used up, so that the next update gets its turn.
    if ((await post(bot, update, world)) || bot.webhook === webhook) bot.confirm(update);
  }
}

async function post(bot: TelegramBot, update: Update, world: World): Promise<boolean> {
  const { webhook } = bot;
  if (!webhook) return false;
  const body = JSON.stringify(update);
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (webhook.secretToken !== undefined) headers['x-telegram-bot-api-secret-token'] = webhook.secretToken;
  return world.caller.deliver({
    url: webhook.url,
    compose: () => ({ headers, body }),
    accepts: (status) => status >= 200 && status < 300,
    abandoned: () => bot.webhook !== webhook,
    triesMax: WEBHOOK_TRIES_MAX,
    pauseMs: world.timing.callbackPauseMs,
    onTry: (status) => noteFailure(webhook, status, world),
  });
}

function noteFailure(
  webhook: NonNullable<TelegramBot['webhook']>,
  status: number | undefined,
  world: World,
): void {
  if (status !== undefined && status >= 200 && status < 300) return;
  webhook.lastErrorAt = Math.floor(world.clock().getTime() / 1000);
  webhook.lastErrorMessage =
    status === undefined ? 'Connection refused' : `Wrong response from the webhook: ${status}`;
}

function describe(result: boolean, description: string): Reply {
  const reply = ok(result);
  return { ...reply, body: JSON.stringify({ ok: true, result, description }) };
}
