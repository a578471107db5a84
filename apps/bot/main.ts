import { ConfigError, readConfig } from '../../infra/process/config.ts';
import { sameText } from '../../infra/process/crypto.ts';
import { environment } from '../../infra/process/environment.ts';
import { type Logger, openLog } from '../../infra/process/log.ts';
import { openPlatform } from '../../infra/process/platform.ts';
import { runProcess } from '../../infra/process/run.ts';
import { type ProcessConfig, processVariables } from '../../infra/process/variables.ts';
import { botLine } from '../../infra/providers/telegram/telegram-updates.ts';
import { createHttpServer, drain, listen } from '../http/server.ts';
import { createBotApp, WEBHOOK_PATH, type BotAppParts } from './app.ts';
import { fetchUpdates } from './fetch.ts';
import { updateKinds } from './update.ts';
import { wireBot } from './wire.ts';

type Config = ProcessConfig<'bot'>;
type Stop = () => Promise<void>;

/** Chats are worked on side by side, each with one statement at a time. */
const CONNECTIONS_MAX = 8;
/** An update in hand takes some milliseconds, and at the worst as long as Telegram takes to answer. */
const DRAIN_LIMIT_MS = 20_000;

await runProcess(async () => {
  const config = readConfig(environment(), processVariables.bot);
  const log = openLog('bot', config.LOG_LEVEL);
  const { BOT_PROJECT: slug, TELEGRAM_BOT_TOKEN: token } = config;
  if (slug === undefined) return serveOff(config, log);
  if (token === undefined)
    throw new ConfigError('TELEGRAM_BOT_TOKEN: expected a token, as BOT_PROJECT is set');

  const onTrouble = (err: unknown, what: string) => log.warn({ err, what }, 'the bot met trouble');
  const line = botLine({ token, apiRoot: config.TELEGRAM_API_ROOT, kinds: updateKinds, onTrouble });
  const platform = await openPlatform(config, log, { connectionsMax: CONNECTIONS_MAX });
  const { handle, close } = await wireBot(platform, { slug, token, line });
  const secret = config.TELEGRAM_WEBHOOK_SECRET;
  const stops: Stop[] = [];
  if (secret === undefined) {
    const stopServing = await serve(config, log, null);
    const poll: typeof line.poll = (take, signal) => line.poll(take, signal);
    stops.push(fetchUpdates(poll, handle, refused(log), DRAIN_LIMIT_MS), stopServing);
  } else {
    if (config.BOT_PORT === 0)
      throw new ConfigError('BOT_PORT: expected a port, as TELEGRAM_WEBHOOK_SECRET is set');
    stops.push(await serve(config, log, { isSecret: (text) => sameText(text, secret), handle }));
    await line.postTo(new URL(WEBHOOK_PATH, config.PUBLIC_URL).href, secret);
  }
  log.info({ project: slug, updates: secret === undefined ? 'fetched' : 'posted' }, 'bot ready');
  return async () => {
    for (const stop of stops) await stop();
    await close();
    await platform.close();
    log.info('bot stopped');
  };
});

/** Where containers start every process: one that has nothing to do says so, and stays. */
async function serveOff(config: Config, log: Logger): Promise<Stop> {
  if (config.BOT_PORT === 0)
    throw new ConfigError('BOT_PROJECT: expected the name of the project whose people the bot registers');
  const stop = await serve(config, log, null);
  log.info({ updates: 'off until BOT_PROJECT is set' }, 'bot ready');
  return stop;
}

async function serve(config: Config, log: Logger, webhook: BotAppParts['webhook']): Promise<Stop> {
  if (config.BOT_PORT === 0) return async () => undefined;
  const server = createHttpServer(createBotApp({ log, webhook }), { proxies: config.TRUST_PROXY });
  await listen(server, config.BIND_HOST, config.BOT_PORT, 'BOT_PORT');
  return () => drain(server, DRAIN_LIMIT_MS);
}

function refused(log: Logger): (err: unknown) => void {
  return (err) => {
    log.error({ err }, 'Telegram refuses the token in TELEGRAM_BOT_TOKEN');
    process.exit(1);
  };
}
