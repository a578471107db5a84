import type { HeadOutbox, OutgoingHead, Sink } from '../../domain/pay/ledger/chain.ts';

/** Between two looks; the outbox says when what was not accepted is due again. */
const LOOK_MS = 1_000;

export interface SendHeadsDeps {
  readonly outbox: HeadOutbox;
  /** Each throws where the head was not accepted. */
  readonly sinks: Readonly<Partial<Record<Sink, (head: OutgoingHead) => Promise<void>>>>;
  readonly onSent: (sink: Sink, head: OutgoingHead) => void;
  readonly onFault: (sink: Sink, head: OutgoingHead, error: unknown) => void;
}

/**
 * Sends each signed head out until it was accepted. Where the answer was lost, or this process ends before the success is recorded, it
 * is sent again: what receives it takes equals.
 */
export function sendHeads({ outbox, sinks, onSent, onFault }: SendHeadsDeps): () => Promise<number> {
  const sendOne = async (sink: Sink, send: (head: OutgoingHead) => Promise<void>, head: OutgoingHead) => {
    try {
      await send(head);
    } catch (error) {
      onFault(sink, head, error);
      return;
    }
    await outbox.sent(sink, head);
    onSent(sink, head);
  };
  return async () => {
    const sendings: Promise<void>[] = [];
    // One after the other: a claim passes over a day that another claim has locked. Each is sent while the next is claimed.
    for (const sink of ['chat', 'witness'] as const) {
      const send = sinks[sink];
      const head = send && (await outbox.claim(sink));
      if (head) sendings.push(sendOne(sink, send, head));
    }
    await Promise.all(sendings);
    return LOOK_MS;
  };
}
