import {
  type DueSupportNotice,
  supportNoticeText,
  type SupportNotices,
} from '../../../domain/earn/support/notice.ts';

/** Staff took minutes to answer: a second more is nothing. */
const IDLE_MS = 1_000;
/** A round is one transaction, while its messages are committed. */
const NOTICES_MAX = 50;

interface TellSupportDeps {
  readonly notices: SupportNotices;
  /** By the bot. What is told twice under one key is told once. */
  readonly toChats: (chatIds: readonly string[], text: string, dedupeKey: string) => Promise<unknown>;
}

/**
 * Tells people in Telegram what support answered.
 *
 * @returns a round; it answers after how many milliseconds the next one is due.
 */
export function tellSupport({ notices, toChats }: TellSupportDeps): () => Promise<number> {
  const tell = async (notice: DueSupportNotice) => {
    if (notice.chatIds.length === 0) return;
    await toChats(notice.chatIds, supportNoticeText(notice), `support:${notice.id}`);
  };
  return async () => {
    const taken = await notices.take(NOTICES_MAX, async (due) => void (await Promise.all(due.map(tell))));
    return taken === NOTICES_MAX ? 0 : IDLE_MS;
  };
}
