import {
  type DueReceipt,
  isTold,
  receiptNotice,
  type Receipts,
  receiptText,
} from '../../domain/pay/payout/receipt.ts';

/** As a person expects it who waits for their money. */
const IDLE_MS = 500;
/** A round is one transaction, while its messages are committed. */
const RECEIPTS_MAX = 100;

export interface ReceiptDeps {
  readonly receipts: Receipts;
  /** By the bot. What is told twice under one key is told once. */
  readonly toChats: (chatIds: readonly string[], text: string, dedupeKey: string) => Promise<void>;
  readonly toApps: (
    recipientIds: readonly string[],
    notice: { readonly title: string; readonly body: string },
    dedupeKey: string,
  ) => Promise<void>;
}

/**
 * Tells payees what became of their payouts: in Telegram with amount and card, or, where they have no chat, by a push with neither. They are messages of
 * Navbat's own project in turns of their own, so that a hundred thousand receipts stand before no login.
 *
 * @returns a round; it answers after how many milliseconds the next one is due.
 */
export function sendReceipts(deps: ReceiptDeps): () => Promise<number> {
  return async () => {
    const taken = await deps.receipts.take(RECEIPTS_MAX, async (due) => {
      await Promise.all(due.filter(isTold).map((each) => tell(deps, each)));
    });
    return taken === RECEIPTS_MAX ? 0 : IDLE_MS;
  };
}

async function tell({ toChats, toApps }: ReceiptDeps, receipt: DueReceipt): Promise<void> {
  const { payoutId, what, chatIds, recipientIds } = receipt;
  const key = `receipt:${payoutId}:${what}`;
  if (chatIds.length > 0) await toChats(chatIds, receiptText(receipt), key);
  else if (recipientIds.length > 0) await toApps(recipientIds, receiptNotice(receipt), key);
}
