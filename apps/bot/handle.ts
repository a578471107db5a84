import type { BotUpdates, ChatPace } from '../../domain/identity/registration/port.ts';
import type { RegisterCaller } from '../../domain/identity/registration/registrar.ts';
import type { ButtonPress, ButtonPresses } from '../../domain/telegram/button.ts';
import type { Chats, Mark } from '../../domain/telegram/chat.ts';
import { ceilingOf } from '../http/answer.ts';
import { handleAction, type ConversationDeps } from './conversation.ts';
import { textsFor } from './texts.ts';
import { type News, readUpdate, type Update } from './update.ts';

export interface HandlerDeps extends ConversationDeps {
  readonly chats: Pick<Chats, 'note' | 'move'>;
  readonly presses: ButtonPresses;
  readonly updates: BotUpdates;
  readonly pace: ChatPace;
  /** The project in whose name the bot speaks; a cache of some seconds is fine. */
  readonly project: () => Promise<RegisterCaller>;
  /** The digits of its token. */
  readonly botId: number;
  /** The project has as many people as its ceiling allows: somebody new was sent away. */
  readonly onFull: (slug: string) => void;
}

/** `busy`: another process has it in hand, or died over it a moment ago; deliver it again. */
export type Handled = 'done' | 'repeated' | 'busy' | 'unreadable';

/**
 * Acts on one update, once, and on those of one chat one after the other: in this process by waiting for the one before, between
 * processes by the claim. It is claimed first and finished last: what a crash leaves unfinished is done again by whoever gets the
 * next delivery, and each step finds what it has done before.
 */
export function updateHandler(deps: HandlerDeps): (update: unknown) => Promise<Handled> {
  const inTurn = oneByOne();
  return async (given) => {
    const update = readUpdate(given);
    if (!update) return 'unreadable';
    // Not for us, and nothing would come of it twice.
    if (!update.what && !update.news) return 'done';
    return inTurn(update.chatId, () => handle(deps, update));
  };
}

async function handle(deps: HandlerDeps, update: Update): Promise<Handled> {
  const claim = await deps.updates.claim(update.updateId, update.chatId, deps.now());
  if (claim !== 'claimed') return claim === 'done' ? 'repeated' : 'busy';
  try {
    const by = { updateId: update.updateId, at: deps.now() };
    if (update.news) await note(deps, update.news, by);
    else if (update.what) await act(deps, update.what, by);
  } catch (error) {
    await deps.updates.release(update.updateId).catch(() => undefined);
    throw error;
  }
  await deps.updates.finish(update.updateId, deps.now());
  return 'done';
}

/** Runs the works of one chat one after the other, and those of different chats side by side. */
function oneByOne() {
  const last = new Map<number, Promise<unknown>>();
  return <Out>(chatId: number | null, work: () => Promise<Out>): Promise<Out> => {
    if (chatId === null) return work();
    const mine = (last.get(chatId) ?? Promise.resolve()).then(work, work);
    last.set(chatId, mine);
    const leave = () => {
      if (last.get(chatId) === mine) last.delete(chatId);
    };
    mine.then(leave, leave);
    return mine;
  };
}

async function note(deps: HandlerDeps, news: News, by: Mark): Promise<void> {
  switch (news.kind) {
    case 'fact':
      return void (await deps.chats.note(news.chatId, news.fact, by));
    case 'moved':
      return deps.chats.move(String(news.from), String(news.to), by.at);
    case 'pressed':
      return pressed(deps, news.press, by.at);
  }
}

/** The client waits for an answer, whoever's the button is; a flood ends there. */
async function pressed(deps: HandlerDeps, press: ButtonPress, at: Date): Promise<void> {
  await deps.replySender.answerButton(press.queryId);
  if ((await deps.pace.take(press.userId)) !== 'within') return;
  const saying = await deps.settings?.pressed(press, at);
  if (saying) await deps.replySender.say(press.userId, saying);
  else await deps.presses.tell(press, at);
}

async function act(deps: HandlerDeps, what: NonNullable<Update['what']>, by: Mark): Promise<void> {
  const { telegramId } = what.by;
  const caller = await deps.project();
  if (what.kind !== 'start') {
    const { optedOut } = await deps.chats.note(telegramId, { kind: 'reached' }, by);
    // They wished to hear nothing; `/start` takes that back. A pressed button still waits for its answer.
    if (optedOut)
      return what.kind === 'language' && what.queryId
        ? deps.replySender.answerButton(what.queryId)
        : undefined;
  }
  if (!(await isWithinPace(deps, caller, what))) return;
  const names = { updateId: by.updateId, requestId: `telegram-${deps.botId}-${by.updateId}` };
  await handleAction(deps, caller, what, names).catch((error: unknown) =>
    refuseNewcomer(deps, caller, what, error),
  );
}

/** Tried again it would be refused again, and hold up everybody whose updates come behind it. */
async function refuseNewcomer(
  deps: HandlerDeps,
  caller: RegisterCaller,
  { by }: NonNullable<Update['what']>,
  error: unknown,
): Promise<void> {
  if (ceilingOf(error) === null) throw error;
  deps.onFull(caller.slug);
  await deps.replySender.say(by.telegramId, { text: textsFor(by.locale ?? caller.settings.locale).sorry });
}

/** A flood is answered once a window, politely, and then with silence. */
async function isWithinPace(
  deps: HandlerDeps,
  caller: RegisterCaller,
  { by }: NonNullable<Update['what']>,
): Promise<boolean> {
  const taken = await deps.pace.take(by.telegramId);
  if (taken === 'just-exceeded')
    await deps.replySender.say(by.telegramId, {
      text: textsFor(by.locale ?? caller.settings.locale).slowDown,
    });
  return taken === 'within';
}
