import type { JobId } from '../shared/ids.ts';
import type { Provider } from '../job/guard.ts';
import type { AskBalance } from './provider-balance.ts';
import type { Channel } from './channel.ts';
import type { Locale } from '../shared/locale.ts';
import type { TemplateReader } from './text-moderation.ts';

/** Where a code can reach one recipient. A channel without its address is unavailable. */
export interface Addresses {
  /** E.164. */
  readonly phone: string | null;
  /** Telegram chat id, as a decimal string: it may exceed 2^53. */
  readonly chatId: string | null;
  readonly pushToken: string | null;
}

export interface CodeMessage {
  readonly jobId: JobId;
  /** The attempt's number, from 1. */
  readonly attempt: number;
  readonly to: Addresses;
  /** The bare code: only the Gateway takes it, since it words the message itself. */
  readonly code: string;
  readonly text: string;
  /** First line of a push. */
  readonly title: string;
  readonly locale: Locale;
  /** What remains of the code's life: a message that arrives later is useless. */
  readonly ttlSeconds: number;
}

/** One way to bring a code to a person. */
export type CodeChannel = Provider<CodeMessage, Channel> & {
  /** Where its account has a balance that runs out. */
  readonly balance?: AskBalance;
  /** Where it lists the texts that it sends. */
  readonly templates?: TemplateReader;
};

/** What a provider later says of a message it took. */
export interface DeliveryReport {
  readonly status: 'sent' | 'delivered' | 'read' | 'failed' | 'expired';
  /** The provider's error code, or null. */
  readonly reason: string | null;
  readonly at: Date;
  /** The provider took the price back: nothing was delivered in time. */
  readonly refunded: boolean;
}
