import type { JobId } from '../job/job.ts';
import type { Channel } from './channel.ts';
import type { Locale } from './text.ts';

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

/** Why a provider will never deliver this message. Closed, so that boards and callbacks can be counted by it. */
export const refusalsByProvider = [
  'bot-blocked',
  'chat-not-found',
  'token-unregistered',
  'token-of-another-app',
  'message-invalid',
  'credentials',
  'number-invalid',
  'number-unreachable',
  'number-unknown',
  'region-not-enabled',
  'unsubscribed',
  'not-a-mobile',
  'landline',
  'filtered',
  'not-on-telegram',
  'balance-empty',
  'provider-refused',
] as const;
export type ProviderRefusal = (typeof refusalsByProvider)[number];

/** Why a try failed that may succeed later. */
export const faultsOfProvider = ['network', 'provider-unavailable', 'provider-internal'] as const;
export type ProviderFault = (typeof faultsOfProvider)[number];

export interface Cost {
  /** 10^-6 of the currency's unit, as an integer. */
  readonly micros: bigint;
  /** ISO 4217. */
  readonly currency: string;
}

export type SendReply =
  | {
      readonly reply: 'accepted';
      /** The provider's own id of the message. */
      readonly reference: string;
      readonly cost: Cost | null;
    }
  | {
      readonly reply: 'refused';
      readonly reason: ProviderRefusal;
      /** The address itself is dead: forget it for every later message. */
      readonly addressIsDead: boolean;
    }
  | { readonly reply: 'faulted'; readonly reason: ProviderFault }
  | { readonly reply: 'busy'; readonly retryAfterMs: number }
  /** No answer, or one that cannot be read: the message may have left. */
  | { readonly reply: 'unknown'; readonly reason: 'timeout' | 'connection-lost' | 'answer-unreadable' };

/** One way to bring a code to a person. Every fault is a reply; only a bug throws. */
export interface CodeChannel {
  readonly channel: Channel;
  /** The provider's name on attempts and metrics, such as `twilio`. */
  readonly provider: string;
  /** `signal` aborts at the attempt's deadline; the answer is then `unknown` with `timeout`. */
  send(message: CodeMessage, signal: AbortSignal): Promise<SendReply>;
}

/** What a provider later says of a message it took. */
export interface DeliveryReport {
  readonly status: 'sent' | 'delivered' | 'read' | 'failed' | 'expired';
  /** The provider's error code, or null. */
  readonly reason: string | null;
  readonly at: Date;
}
