import type { BotUpdates, ChatPace } from '../../domain/registration/port.ts';
import type { RegisterCaller } from '../../domain/registration/registrar.ts';
import { tell, type StoryDeps } from './story.ts';
import { texts } from './texts.ts';
import { readUpdate, type Update } from './update.ts';

export interface HandlerDeps extends StoryDeps {
  readonly updates: BotUpdates;
  readonly pace: ChatPace;
  /** The project in whose name the bot speaks; a cache of some seconds is fine. */
  readonly project: () => Promise<RegisterCaller>;
  /** The digits of its token. */
  readonly botId: number;
}

/** `busy`: another process has it in hand, or died over it a moment ago; deliver it again. */
export type Handled = 'done' | 'repeated' | 'busy' | 'unreadable';

/**
 * Acts on one update, once. It is claimed first and finished last: what a crash leaves unfinished is done again by whoever
 * gets the next delivery, and each step finds what it has done before.
 */
export function updateHandler(deps: HandlerDeps): (update: unknown) => Promise<Handled> {
  return async (given) => {
    const update = readUpdate(given);
    if (!update) return 'unreadable';
    // Not for us, and nothing would come of it twice.
    if (!update.what) return 'done';
    const claim = await deps.updates.claim(update.updateId, deps.now());
    if (claim !== 'claimed') return claim === 'done' ? 'repeated' : 'busy';
    try {
      await act(deps, update.updateId, update.what);
    } catch (error) {
      await deps.updates.release(update.updateId).catch(() => undefined);
      throw error;
    }
    await deps.updates.finish(update.updateId, deps.now());
    return 'done';
  };
}

async function act(deps: HandlerDeps, updateId: number, what: NonNullable<Update['what']>): Promise<void> {
  const { telegramId } = what.by;
  const caller = await deps.project();
  const isSaid = what.deed !== 'block' && what.deed !== 'unblock';
  if (isSaid && what.deed !== 'start') {
    const { optedOut } = await deps.chats.heardFrom(telegramId, deps.now());
    // They wished to hear nothing; `/start` takes that back.
    if (optedOut) return;
  }
  if (isSaid && !(await isWithinPace(deps, caller, what))) return;
  await tell(deps, caller, what, `telegram-${deps.botId}-${updateId}`);
}

/** A flood is answered once a window, politely, and then with silence. */
async function isWithinPace(
  deps: HandlerDeps,
  caller: RegisterCaller,
  { by }: NonNullable<Update['what']>,
): Promise<boolean> {
  const taken = await deps.pace.take(by.telegramId);
  if (taken === 'just-exceeded')
    await deps.mouth.say(by.telegramId, { text: texts[by.locale ?? caller.settings.locale].slowDown });
  return taken === 'within';
}
