import type { DueLink, LinkOutbox } from '../../domain/pay/link/port.ts';
import { type LinkText, linkText } from '../../domain/pay/link/text.ts';
import type { Phone } from '../../domain/shared/phone.ts';

export interface SendLinksDeps {
  readonly outbox: LinkOutbox;
  /** 32 random bytes as text. */
  readonly newToken: () => string;
  readonly urlOf: (token: string) => string;
  /** By the bot, to each of these chats. */
  readonly toChats: (chatIds: readonly string[], text: string, dedupeKey: string) => Promise<void>;
  /** Null where nobody sends SMS: those without a chat wait until they have one. False: no provider took it. */
  readonly toPhone: ((phone: Phone, text: string, dedupeKey: string) => Promise<boolean>) | null;
  readonly now: () => Date;
  readonly onFault: (err: unknown, payoutId: string) => void;
}

/** Nobody waits for a link by the second. */
const IDLE_MS = 2_000;
/** A round is some hundred short transactions. */
const LINKS_MAX = 100;

/**
 * Sends links that are due, the reminders too. Safe to run twice, and in two processes: a payout has one link that works, made under its lock, and a
 * link that was made and not sent is made anew ten minutes later.
 *
 * @returns a round; it answers after how many milliseconds the next one is due.
 */
export function sendLinks(deps: SendLinksDeps): () => Promise<number> {
  return async () => {
    const due = await deps.outbox.due(LINKS_MAX, deps.toPhone !== null, deps.now());
    let failed = 0;
    for (const each of due)
      await send(deps, each).catch((error: unknown) => {
        failed += 1;
        deps.onFault(error, each.payoutId);
      });
    return due.length === LINKS_MAX && failed === 0 ? 0 : IDLE_MS;
  };
}

async function send(deps: SendLinksDeps, due: DueLink): Promise<void> {
  const { payoutId, phone, chatIds } = due;
  const channel = chatIds.length > 0 ? 'telegram' : 'sms';
  const token = deps.newToken();
  const made = await deps.outbox.make(payoutId, token, channel);
  if (!made) return;
  const said: LinkText = { ...due, url: deps.urlOf(token), isReminder: made.isReminder };
  const key = `payout-link:${made.id}`;
  if (channel === 'telegram') await deps.toChats(chatIds, linkText(said), key);
  else if (!(await deps.toPhone?.(phone, linkText(said), key))) return;
  await deps.outbox.sent(made.id);
}
