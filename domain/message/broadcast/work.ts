import type { JobId } from '../../shared/ids.ts';
import type { PushTarget } from '../push/port.ts';
import type { PushContent } from '../push/message.ts';
import type { TelegramContent } from '../../telegram/message.ts';

/** Which job it is, and when, on `performance.now()`, it was read that its person wants it. */
export interface ReadWork {
  readonly jobId: JobId;
  readonly readAtMs: number;
}

/** What a job of `telegram-message` has to do. */
export interface TelegramWork extends ReadWork {
  /** Decimal: it may exceed 2^53. */
  readonly chatId: string;
  readonly recipientId: string | null;
  readonly content: TelegramContent;
}

/** What a job of `push` has to do. */
export interface PushWork extends ReadWork {
  readonly to: PushTarget;
  readonly recipientId: string | null;
  readonly content: PushContent;
}
