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
      readonly kind: 'accepted';
      /** The provider's own id of the message; null where it gave one that can't be read: the message is taken all the same. */
      readonly reference: string | null;
      readonly cost: Cost | null;
      /** As how many messages it is billed, where the provider counts them. */
      readonly parts?: number;
    }
  | {
      readonly kind: 'refused';
      /** Why it will never deliver this: a reason of the context that speaks to it. */
      readonly reason: string;
      /** The address itself is dead: forget it for every later message. */
      readonly addressIsDead: boolean;
      /** The provider's own words, made safe (`providerWords`). */
      readonly detail?: string;
    }
  | {
      readonly kind: 'faulted';
      /** Why it failed, which may pass. */
      readonly reason: string;
      /** The provider asks us to wait so long before the next try, which the pause is then no shorter than. */
      readonly retryAfterMs?: number;
      readonly detail?: string;
    }
  /** `because`: the provider asked us to wait, or our own pace has no turn soon and nobody was asked. */
  | { readonly kind: 'busy'; readonly because: BusyReason; readonly retryAfterMs: number }
  /** No answer, or one that cannot be read: the message may have left. */
  | { readonly kind: 'unknown'; readonly reason: UnknownReason };
