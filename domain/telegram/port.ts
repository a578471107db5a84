import type { Provider } from '../job/guard.ts';
import type { SendReply } from '../job/reply.ts';
import type { TelegramContent } from './message.ts';

/** One message of our bot to one chat. */
export interface TelegramMessage {
  /** Telegram's id of the chat, as a decimal string: it may exceed 2^53. */
  readonly chatId: string;
  readonly text: string;
  /** `plain` shows the text as it is; `markdown` is MarkdownV2. */
  readonly format: TelegramContent['format'];
  /** Rows of inline buttons. */
  readonly buttons?: TelegramContent['buttons'] | undefined;
  /** Delivered without a sound. */
  readonly silent?: boolean | undefined;
  /** Can be neither forwarded nor copied, and shows no preview of a link. */
  readonly protect?: boolean | undefined;
  /** A button that copies this, above the others: clients refuse to copy from a protected message. */
  readonly copyText?: string | undefined;
  /** In place of the keyboard: one button that shares the person's own number (private chats only). */
  readonly contactButton?: string | undefined;
  /** Codes and approvals: they pass what can wait. */
  readonly urgent: boolean;
  /** Asked at its turn, for which it may have waited: null lets it leave, anything else is the answer, and nothing was sent. */
  readonly lastLook?: (() => Promise<SendReply | null>) | undefined;
}

/** The bot, which keeps to Telegram's pace over all processes. A message whose turn is far answers `busy`, and nothing was sent. */
export type TelegramSender = Provider<TelegramMessage, 'telegram'>;
