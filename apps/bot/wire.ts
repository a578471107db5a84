import type { RegisterCaller } from '../../domain/identity/registration/registrar.ts';
import { registrar } from '../../domain/identity/registration/registrar.ts';
import { chatPace } from '../../infra/limits/chat-pace.ts';
import { botUpdates } from '../../infra/postgres/identity/registration/bot-updates.ts';
import { registrations } from '../../infra/postgres/identity/registration/registrations.ts';
import { movesTo, telegramChats } from '../../infra/postgres/telegram/chats.ts';
import { projectNamed } from '../../infra/postgres/project/cache.ts';
import { ConfigError } from '../../infra/process/config.ts';
import type { Platform } from '../../infra/process/platform.ts';
import type { ProcessConfig } from '../../infra/process/variables.ts';
import type { BotLine } from '../../infra/providers/telegram/telegram-updates.ts';
import { telegramFromConfig } from '../../infra/providers/telegram/from-config.ts';
import { type Handled, updateHandler } from './handle.ts';
import { wireModules } from './modules.ts';
import { botReplySender } from './reply-sender.ts';

type BotPlatform = Platform<ProcessConfig<'bot'>>;

interface Bot {
  readonly slug: string;
  readonly token: string;
  readonly line: BotLine;
}

interface WiredBot {
  readonly handle: (update: unknown) => Promise<Handled>;
  readonly close: () => Promise<void>;
}

/** The bot that registers a project's people, over the same codes as the api. */
export async function wireBot(platform: BotPlatform, { slug, token, line }: Bot): Promise<WiredBot> {
  const { config, log, pools, redis, clock: now, hash } = platform;
  const { codes, presses, settings } = wireModules(platform, config.NAVBAT_PRODUCTS);
  if (!codes) throw new ConfigError('NAVBAT_PRODUCTS: expected verify among them, as BOT_PROJECT is set');
  const botId = Number(token.split(':', 1)[0]);
  const pace = chatPace(redis, botId);
  const people = registrations(pools.hot, hash);
  const chats = telegramChats(pools.hot);
  const handle = updateHandler({
    registrar: registrar({ codes: codes.codes, registrations: people, now }),
    registrations: people,
    chats,
    settings,
    destinations: codes.destinations,
    replySender: await openReplySender(platform, chats, line),
    presses,
    updates: botUpdates(pools.hot, botId),
    pace,
    project: callerOf(projectNamed(pools.hot, slug), slug),
    botId,
    onFull: (project) =>
      log.warn({ project }, 'somebody new was sent away: the project has as many people as it may'),
    now,
    fingerprintOf: (phone) => hash('address', phone).toString('hex'),
  });
  const close = async () => {
    pace.close();
    await codes.close();
  };
  return { handle, close };
}

async function openReplySender(
  { config, log, redis, clock }: BotPlatform,
  chats: ReturnType<typeof telegramChats>,
  line: BotLine,
) {
  const onError = (err: Error) => log.warn({ err }, 'turns to send are kept alone');
  const onMoved = movesTo(chats, clock, (err) => log.warn({ err }, 'a move of a chat was not recorded'));
  const sender = await telegramFromConfig(config, redis, onError, onMoved);
  if (!sender) throw new ConfigError('TELEGRAM_BOT_TOKEN: expected a token');
  return botReplySender({
    sender,
    chats,
    answerButton: (queryId) => line.answerButton(queryId),
    now: clock,
    onUnsaid: (reason) => log.warn({ reason }, 'a message of the bot was not said'),
  });
}

/** A project that is not there yet (`npm start` makes its own last) is waited for: updates stay with Telegram. */
function callerOf(find: ReturnType<typeof projectNamed>, slug: string): () => Promise<RegisterCaller> {
  return async () => {
    const project = await find();
    if (!project) throw new Error(`there is no project ${slug}`);
    return { projectId: project.id, slug, settings: project.settings, mode: 'live' };
  };
}
