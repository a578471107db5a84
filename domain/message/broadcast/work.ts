import type { PushTarget } from '../push/port.ts';
import type { PushContent } from '../push/message.ts';
import type { TelegramContent } from '../../telegram/message.ts';

/** What a job of `telegram-message` has to do. */
export interface TelegramWork {
  /** Decimal: it may exceed 2^53. */
  readonly chatId: string;
  readonly recipientId: string | null;
  readonly content: TelegramContent;
}

/** What a job of `push` has to do. */
export interface PushWork {
  readonly to: PushTarget;
  readonly recipientId: string | null;
  readonly content: PushContent;
}
