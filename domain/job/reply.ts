/** Why a provider will never deliver this message. Closed, so that boards and callbacks can be counted by it. */
export const refusalsByProvider = [
  'bot-blocked',
  'bot-kicked',
  'bot-not-started',
  'user-deactivated',
  'chat-not-found',
  'chat-upgraded',
  'no-rights',
  'topic-closed',
  'message-too-long',
  'markup-invalid',
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
  'endpoint-gone',
] as const;
export type ProviderRefusal = (typeof refusalsByProvider)[number];

/** Why a try failed that may succeed later. */
export const faultsOfProvider = [
  'network',
  'provider-unavailable',
  'provider-internal',
  // Of a customer's own server.
  'http-3xx',
  'http-4xx',
  'http-5xx',
  'tls',
  'name-unresolved',
  'address-forbidden',
] as const;
export type ProviderFault = (typeof faultsOfProvider)[number];

/** Why we cannot tell whether a try succeeded. */
export type UnknownReason = 'timeout' | 'connection-lost' | 'answer-unreadable';

export type BusyReason = 'provider-busy' | 'own-pace';

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
      /** The provider's own words, made safe (`providerWords`). */
      readonly detail?: string;
    }
  | {
      readonly reply: 'faulted';
      readonly reason: ProviderFault;
      /** The provider asks us to wait so long before the next try, which the pause is then no shorter than. */
      readonly retryAfterMs?: number;
      readonly detail?: string;
    }
  /** `because`: the provider asked us to wait, or our own pace has no turn soon and nobody was asked. */
  | { readonly reply: 'busy'; readonly because: BusyReason; readonly retryAfterMs: number }
  /** No answer, or one that cannot be read: the message may have left. */
  | { readonly reply: 'unknown'; readonly reason: UnknownReason };
