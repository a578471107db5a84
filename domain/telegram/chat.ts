import { z } from 'zod';
import type { ProjectId } from '../shared/ids.ts';
import type { Page, PageOrder } from '../shared/page.ts';

/** Bot API, Chat: an id has at most 52 significant bits. */
const CHAT_ID_MAX = 2 ** 52 - 1;
const CHAT_ID_EXPECTED =
  "expected Telegram's number of a chat: above 0 for a person, below 0 for a group or channel, of at most 52 bits";

/** A chat's number, wherever one is given to us. Telegram has no chat 0. */
export const ChatId = z
  .int({ error: CHAT_ID_EXPECTED, abort: true })
  .min(-CHAT_ID_MAX, CHAT_ID_EXPECTED)
  .max(CHAT_ID_MAX, CHAT_ID_EXPECTED)
  .refine((id) => id !== 0, CHAT_ID_EXPECTED);

/** Why nothing more is sent to a chat: a wish of its person, or what Telegram says of it. */
export const chatClosings = [
  'opted-out',
  'bot-blocked',
  'bot-kicked',
  'bot-not-started',
  'chat-not-found',
  'chat-upgraded',
  'user-deactivated',
] as const;
export type ChatClosing = (typeof chatClosings)[number];

const closings: ReadonlySet<string> = new Set(chatClosings);
export const isChatClosing = (reason: string): reason is ChatClosing => closings.has(reason);

/** What an update of the bot says of a chat. */
export type ChatFact =
  /** `/start`: they want to hear, and the bot is there. */
  | { readonly kind: 'started' }
  /** `/stop`. */
  | { readonly kind: 'stopped' }
  /** Something was written there, or the bot was let in: it reaches the chat. */
  | { readonly kind: 'reached' }
  | { readonly kind: 'left'; readonly because: 'bot-blocked' | 'bot-kicked' };

/** The update that said something last, and when it was worked on. */
export interface Mark {
  readonly updateId: number;
  readonly at: Date;
}

export interface ChatState {
  /** Since when its person wants to hear nothing. */
  readonly optedOutAt: Date | null;
  readonly unreachable: { readonly because: Exclude<ChatClosing, 'opted-out'>; readonly since: Date } | null;
  /** What said that it is reachable was worked on then. */
  readonly openedAt: Date | null;
  readonly wish: Mark | null;
  readonly reach: Mark | null;
}

/** Telegram keeps an update for a day, and after a week without any its ids begin anew: a mark from before is no measure. */
const MARK_HOLDS_MS = 2 * 86_400_000;

const isNewer = (mark: Mark | null, { updateId, at }: Mark): boolean =>
  mark === null || updateId > mark.updateId || at.getTime() - mark.at.getTime() > MARK_HOLDS_MS;

/**
 * The state after an update. Updates come at least once and in any order: an older one never undoes what a newer one said. The wish
 * and the reach are measured apart, since a block says nothing of a `/stop` before it.
 */
export function afterFact(state: ChatState, fact: ChatFact, by: Mark): ChatState {
  const isNewWish = isNewer(state.wish, by);
  const isNewReach = isNewer(state.reach, by);
  const reached = isNewReach ? { ...state, reach: by, unreachable: null, openedAt: by.at } : state;
  switch (fact.kind) {
    case 'started':
      return isNewWish ? { ...reached, wish: by, optedOutAt: null } : reached;
    case 'stopped':
      return isNewWish ? { ...state, wish: by, optedOutAt: state.optedOutAt ?? by.at } : state;
    case 'reached':
      return reached;
    case 'left':
      return isNewReach
        ? { ...state, reach: by, unreachable: { because: fact.because, since: by.at } }
        : state;
  }
}

/** A send that began at `sentAt` was refused: nothing where the chat was opened since. */
export function afterRefusal(
  state: ChatState,
  because: Exclude<ChatClosing, 'opted-out'>,
  sentAt: Date,
  now: Date,
): ChatState {
  if (state.openedAt !== null && state.openedAt >= sentAt) return state;
  return { ...state, unreachable: { because, since: now } };
}

/** Chats of the bot, whatever project knows them. */
export interface Chats {
  /** What an update says. Answers whether its person wants to hear nothing. */
  note(chatId: number, fact: ChatFact, by: Mark): Promise<{ readonly optedOut: boolean }>;
  /** A provider refused what was sent at `sentAt`: nothing more is sent there. */
  close(chatId: string, because: string, sentAt: Date, now: Date): Promise<void>;
  /** A group became a supergroup with an id of its own. Safe to repeat; its projects are told once. */
  move(from: string, to: string, now: Date): Promise<void>;
}

/** A closed chat as a project sees it that has sent to it. */
export interface ClosedChat {
  readonly id: string;
  /** Telegram's id, as a decimal string. */
  readonly chatId: string;
  readonly recipientId: string | null;
  readonly reason: ChatClosing;
  readonly since: Date;
}

export interface ClosedChats {
  /** Newest first. */
  list(projectId: ProjectId, order: PageOrder): Promise<Page<ClosedChat>>;
}

/** What staff may do. `opted-out`: that its person wants no messages is theirs alone to take back. */
export type StaffOpening = 'opened' | 'not-closed' | 'opted-out';
/** A chat that Telegram closed, and staff may open. */
export interface UnreachableChat {
  readonly chatId: string;
  readonly reason: Exclude<ChatClosing, 'opted-out'>;
  readonly since: Date;
}

export interface StaffChats {
  /** Those without a `/stop`, newest first. */
  unreachable(limit: number): Promise<readonly UnreachableChat[]>;
  open(chatId: string, now: Date): Promise<StaffOpening>;
}
