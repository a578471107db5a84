import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { jobs } from '../../domain/jobs.ts';
import type { RegisterCaller } from '../../domain/identity/registration/registrar.ts';
import { registrar } from '../../domain/identity/registration/registrar.ts';
import { codeOf, numberOf } from '../../infra/verify/codes.ts';
import { ConfigError, readConfig } from '../../infra/process/config.ts';
import { environment } from '../../infra/process/environment.ts';
import { type ProcessConfig, processVariables } from '../../infra/process/variables.ts';
import { keyedHash, sameText, sealer } from '../../infra/process/crypto.ts';
import { chatPace } from '../../infra/limits/chat-pace.ts';
import { failureGate } from '../../infra/limits/failed-attempt-limiter.ts';
import { limitConnection } from '../../infra/limits/quota-counter.ts';
import { type Logger, openLog } from '../../infra/process/log.ts';
import { botUpdates } from '../../infra/postgres/identity/registration/bot-updates.ts';
import { destinations } from '../../infra/postgres/verify/destinations.ts';
import { hotPool } from '../../infra/postgres/engine/hot-pool.ts';
import { buttonPresses } from '../../infra/postgres/message/telegram/button-presses.ts';
import { movesTo, telegramChats } from '../../infra/postgres/message/telegram/chats.ts';
import { phoneCodes } from '../../domain/verify/phone-codes.ts';
import { otpChecks } from '../../infra/postgres/verify/checks.ts';
import { otpIntake } from '../../infra/postgres/verify/intake.ts';
import { projectNamed } from '../../infra/postgres/project/cache.ts';
import { registrations } from '../../infra/postgres/identity/registration/registrations.ts';
import { configuredChannels, telegramFromConfig } from '../../infra/providers/verify/channels.ts';
import { type BotLine, botLine } from '../../infra/providers/message/telegram-updates.ts';
import { queueOutbox } from '../../infra/queue/outbox.ts';
import { closeQueues, openQueues, producerRedis } from '../../infra/queue/queues.ts';
import { runProcess } from '../../infra/process/run.ts';
import { createHttpServer, drain, listen } from '../http/server.ts';
import { createBotApp, WEBHOOK_PATH, type BotAppParts } from './app.ts';
import { type Handled, updateHandler } from './handle.ts';
import { botMouth } from './reply-sender.ts';
import { updateKinds } from './update.ts';

type Config = ProcessConfig<'bot'>;

/** Chats are worked on side by side, each with one statement at a time. */
const CONNECTIONS_MAX = 8;
/** An update in hand takes some milliseconds, and at the worst as long as Telegram takes to answer. */
const DRAIN_LIMIT_MS = 20_000;

type Stop = () => Promise<void>;
type Handle = (update: unknown) => Promise<Handled>;

await runProcess(async () => {
  const config = readConfig(environment(), processVariables.bot);
  const log = openLog('bot', config.LOG_LEVEL);
  const { BOT_PROJECT: slug, TELEGRAM_BOT_TOKEN: token } = config;
  if (slug === undefined) return serveOff(config, log);
  if (token === undefined)
    throw new ConfigError('TELEGRAM_BOT_TOKEN: expected a token, as BOT_PROJECT is set');

  const line = botLine({
    token,
    apiRoot: config.TELEGRAM_API_ROOT,
    kinds: updateKinds,
    onTrouble: (err, what) => log.warn({ err, what }, 'the bot met trouble'),
  });
  const { handle, close } = await wire(config, log, { slug, token, line });
  const secret = config.TELEGRAM_WEBHOOK_SECRET;
  const stop =
    secret === undefined
      ? await fetchUpdates(config, log, line, handle)
      : await takePosts(config, log, line, handle);
  log.info({ project: slug, updates: secret === undefined ? 'fetched' : 'posted' }, 'bot ready');
  return async () => {
    await stop();
    await close();
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

async function fetchUpdates(config: Config, log: Logger, line: BotLine, handle: Handle): Promise<Stop> {
  const stopServing = await serve(config, log, null);
  const stopping = new AbortController();
  // What nobody can read is done with; what another process has in hand comes again.
  const polling = line.poll(async (update) => (await handle(update)) !== 'busy', stopping.signal);
  polling.catch((err: unknown) => {
    log.error({ err }, 'Telegram refuses the token in TELEGRAM_BOT_TOKEN');
    process.exit(1);
  });
  return async () => {
    stopping.abort();
    await Promise.race([polling, sleep(DRAIN_LIMIT_MS)]);
    await stopServing();
  };
}

async function takePosts(config: Config, log: Logger, line: BotLine, handle: Handle): Promise<Stop> {
  const { TELEGRAM_WEBHOOK_SECRET: secret = '', PUBLIC_URL: publicUrl } = config;
  if (config.BOT_PORT === 0)
    throw new ConfigError('BOT_PORT: expected a port, as TELEGRAM_WEBHOOK_SECRET is set');
  const stop = await serve(config, log, { isSecret: (text) => sameText(text, secret), handle });
  await line.postTo(new URL(WEBHOOK_PATH, publicUrl).href, secret);
  return stop;
}

interface Bot {
  readonly slug: string;
  readonly token: string;
  readonly line: BotLine;
}

async function wire(config: Config, log: Logger, { slug, token, line }: Bot) {
  const now = () => new Date();
  const pool = hotPool(config.DATABASE_URL, CONNECTIONS_MAX);
  const redis = openRedis(config, log);
  const botId = Number(token.split(':', 1)[0]);
  const otp = wireOtp(config, log, pool, now);
  const { failures, pace, ...limits } = wireLimits(redis, botId);
  const hash = keyedHash(config.PEPPER);
  const people = registrations(pool, hash);
  const chats = telegramChats(pool);
  const mouth = botMouth({
    sender: await openSender(config, log, redis, movesTo(chats, now, logMove(log))),
    chats,
    answerButton: (queryId) => line.answerButton(queryId),
    now,
    onUnsaid: (reason) => log.warn({ reason }, 'a message of the bot was not said'),
  });
  const handle = updateHandler({
    registrar: registrar({ codes: phoneCodes({ ...otp.ports, failures }), registrations: people, now }),
    registrations: people,
    chats,
    destinations: destinations(pool),
    mouth,
    presses: buttonPresses(pool),
    updates: botUpdates(pool, botId),
    pace,
    project: callerOf(projectNamed(pool, slug), slug),
    botId,
    onFull: logFull(log),
    now,
    fingerprintOf: (phone) => hash('address', phone).toString('hex'),
  });
  const close = async () => {
    await otp.close();
    limits.close();
    redis.disconnect();
    await pool.end();
  };
  return { handle, close };
}

function wireLimits(redis: Redis, botId: number) {
  const failures = failureGate(redis);
  const pace = chatPace(redis, botId);
  const close = () => {
    failures.close();
    pace.close();
  };
  return { failures, pace, close };
}

function logFull(log: Logger): (slug: string) => void {
  return (project) =>
    log.warn({ project }, 'somebody new was sent away: the project has as many people as it may');
}

function logMove(log: Logger): (err: unknown) => void {
  return (err) => log.warn({ err }, 'a move of a chat was not recorded');
}

async function openSender(
  config: Config,
  log: Logger,
  redis: Redis,
  onMoved: (from: string, to: string) => Promise<void>,
) {
  const onError = (err: Error) => log.warn({ err }, 'turns to send are kept alone');
  const sender = await telegramFromConfig(config, redis, onError, onMoved);
  if (!sender) throw new ConfigError('TELEGRAM_BOT_TOKEN: expected a token');
  return sender;
}

function openRedis({ REDIS_URL }: Config, log: Logger): Redis {
  const redis = new Redis(REDIS_URL, limitConnection);
  // Without a listener, a connection that breaks would end the process; each use sees its own failure.
  redis.on('error', (err: Error) => log.debug({ err }, 'connection lost'));
  return redis;
}

/** The intake and the checks of codes, as the api wires them. */
function wireOtp(config: Config, log: Logger, pool: ReturnType<typeof hotPool>, now: () => Date) {
  const hash = keyedHash(config.PEPPER);
  const codeKid = config.CODE_KEYS.current;
  const seal = sealer(config.SEAL_KEYS);
  const onError = (err: Error) => log.warn({ err }, 'redis error');
  const queues = openQueues(producerRedis(config.REDIS_URL, onError), jobs);
  const outbox = queueOutbox(queues, now);
  const ports = {
    intake: otpIntake({
      pool,
      hash,
      codeKid,
      numberOf: numberOf(config.CODE_KEYS),
      providers: configuredChannels(config),
      now,
      outbox,
    }),
    checks: otpChecks({ pool, hash, seal, codeOf: codeOf(config.CODE_KEYS), codeKid, now }),
  };
  const close = async () => {
    await outbox.idle();
    await closeQueues(queues);
  };
  return { ports, close };
}

/** A project that is not there yet (`npm start` makes its own last) is waited for: updates stay with Telegram. */
function callerOf(find: ReturnType<typeof projectNamed>, slug: string): () => Promise<RegisterCaller> {
  return async () => {
    const project = await find();
    if (!project) throw new Error(`there is no project ${slug}`);
    return { projectId: project.id, slug, settings: project.settings, mode: 'live' };
  };
}
