import { setTimeout as sleep } from 'node:timers/promises';
import { Api, TelegramApiError } from 'node-telegram-bot-api';
import { z } from 'zod';
import { chatOfUpdate } from '../../../domain/telegram/update.ts';

/** Telegram's own bound of a long poll is 50 s. */
const POLL_SECONDS = 30;
const BATCH_MAX = 100;
/** Pause after a poll or an update that failed: what ails us is seldom gone sooner. */
const PAUSE_MS = 3_000;
/** Five minutes of failing: by then it is the update that is wrong, and those behind it wait. */
const TRIES_MAX = 100;
/** Longer than a poll. */
const CALL_TIMEOUT_MS = 45_000;

export interface BotLineOptions {
  readonly token: string;
  /** The sandbox in place of api.telegram.org. */
  readonly apiRoot?: string | undefined;
  /** The kinds of updates that are wanted. */
  readonly kinds: readonly string[];
  readonly onTrouble: (error: unknown, what: string) => void;
}

/** How updates come: fetched by long polling, or posted by Telegram to an address. A bot has one of the two at a time. */
export interface BotLine {
  /**
   * Fetches until `signal` aborts. What `handle` throws on, or answers false to, comes again.
   *
   * @throws TelegramApiError when the token is wrong.
   */
  poll(handle: (update: unknown) => Promise<boolean>, signal: AbortSignal): Promise<void>;
  /** @param secret 1 to 256 of A-Z a-z 0-9 _ -; Telegram sends it with every update. */
  postTo(url: string, secret: string): Promise<void>;
  answerButton(queryId: string): Promise<void>;
}

const Fetched = z.looseObject({ update_id: z.int() });
type Fetched = z.infer<typeof Fetched>;

export function botLine(options: BotLineOptions): BotLine {
  const api = new Api(options.token, {
    maxRetries: 0,
    timeoutMs: CALL_TIMEOUT_MS,
    ...(options.apiRoot === undefined ? {} : { apiRoot: options.apiRoot }),
  });
  return {
    poll: (handle, signal) => poll(api, options, handle, signal),
    postTo: async (url, secret) => {
      await api.setWebhook({ url, secret_token: secret, allowed_updates: [...options.kinds] });
    },
    answerButton: async (callback_query_id) => {
      // Too old to be answered, or answered before: nobody waits for it.
      await api
        .answerCallbackQuery({ callback_query_id })
        .catch((error: unknown) => options.onTrouble(error, 'a button'));
    },
  };
}

/** An update is confirmed by asking for the next one: what failed is asked for again, and what was done meanwhile is known. */
async function poll(
  api: Api,
  { kinds, onTrouble }: BotLineOptions,
  handle: (update: unknown) => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  const tries = new Map<number, number>();
  let offset = 0;
  let isPosted = true;
  while (!signal.aborted) {
    try {
      // A webhook from before would keep the updates to itself.
      if (isPosted) await api.deleteWebhook({}, signal);
      isPosted = false;
      const updates = await api.getUpdates(
        { offset, limit: BATCH_MAX, timeout: POLL_SECONDS, allowed_updates: [...kinds] },
        signal,
      );
      const failed = await handleAll(z.array(Fetched).parse(updates), handle, onTrouble);
      const kept = failed.filter((id) => mayTryAgain(tries, id, onTrouble));
      offset =
        kept.length > 0 ? Math.min(...kept) : Math.max(offset, ...updates.map((one) => one.update_id + 1));
      if (kept.length > 0) await pause(signal);
      else tries.clear();
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof TelegramApiError && isFinal(error)) throw error;
      onTrouble(error, 'fetching updates');
      await pause(signal);
    }
  }
}

/** Chats side by side, each in its own order. Gives back the ids of those that are to come again. */
async function handleAll(
  updates: readonly Fetched[],
  handle: (update: unknown) => Promise<boolean>,
  onTrouble: BotLineOptions['onTrouble'],
): Promise<number[]> {
  const chats = Map.groupBy(updates, (update) => chatOfUpdate(update) ?? `update ${update.update_id}`);
  const failed = await Promise.all(
    [...chats.values()].map(async (inOrder) => {
      for (const [index, update] of inOrder.entries()) {
        const isDone = await handle(update).catch((error: unknown) => {
          onTrouble(error, 'an update');
          return false;
        });
        if (!isDone) return inOrder.slice(index).map(({ update_id }) => update_id);
      }
      return [];
    }),
  );
  return failed.flat();
}

function mayTryAgain(
  tries: Map<number, number>,
  id: number,
  onTrouble: BotLineOptions['onTrouble'],
): boolean {
  const made = (tries.get(id) ?? 0) + 1;
  if (made < TRIES_MAX) tries.set(id, made);
  else tries.delete(id);
  if (made === TRIES_MAX)
    onTrouble(new Error(`update ${id} failed ${made} times and is passed over`), 'an update');
  return made < TRIES_MAX;
}

/** A wrong token stands in the path, so that it may also be "not found". */
const isFinal = ({ errorCode }: TelegramApiError) => errorCode === 401 || errorCode === 404;

const pause = (signal: AbortSignal) => sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
