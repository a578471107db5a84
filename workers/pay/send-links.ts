import type { LinkOutbox } from '../../domain/pay/link/port.ts';

export interface SendLinksDeps {
  readonly outbox: LinkOutbox;
  /** 32 random bytes as text. */
  readonly newToken: () => string;
  readonly now: () => Date;
  readonly onFault: (err: unknown, payoutId: string) => void;
}

/** Nobody waits for a link by the second. */
const IDLE_MS = 2_000;
/** A round is some hundred short transactions. */
const LINKS_MAX = 100;

/**
 * Makes links that are due, the reminders too, each with the job that sends it. Safe to run twice, and in two processes: a payout has one link that
 * works, made under its lock; the second finds it young, and makes none.
 *
 * @returns a round; it answers after how many milliseconds the next one is due.
 */
export function sendLinks({ outbox, newToken, now, onFault }: SendLinksDeps): () => Promise<number> {
  return async () => {
    const due = await outbox.due(LINKS_MAX, now());
    let failed = 0;
    for (const each of due)
      await outbox.make(each, newToken()).catch((error: unknown) => {
        failed += 1;
        onFault(error, each.payoutId);
      });
    return due.length === LINKS_MAX && failed === 0 ? 0 : IDLE_MS;
  };
}
