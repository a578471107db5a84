/** contracts §3: what was signed longer ago is no proof of who asks now. */
export const AUTH_AGE_SECONDS_MAX = 300;

/** What Telegram's signature says, or why it says nothing. */
export type SignedByTelegram =
  | { readonly signed: true; readonly telegramId: number; readonly hash: string; readonly authAt: Date }
  | { readonly signed: false; readonly reason: 'malformed' | 'signature' | 'stale' };

/** Checks data that Telegram signed for our bot, written as a query (`id=…&hash=…`, or a Mini App's `initData`). */
export type TelegramLogin = (text: string, now: Date) => SignedByTelegram;

export interface UsedLogins {
  /** Remembers the hash. False where it was used before: signed data registers once. */
  use(hash: string, at: Date): Promise<boolean>;
}
