import {
  NEWS_RECIPIENTS_MAX,
  type NewsMessage,
  newsMessages,
  type NewsRounds,
} from '../../../domain/earn/news/fan-out.ts';

/** Who publishes waits a second before the first is told. */
const IDLE_MS = 1_000;

interface TellNewsDeps {
  readonly news: NewsRounds;
  /** As messages of the project, held back by what each person wants. */
  readonly send: (message: NewsMessage) => Promise<void>;
}

/**
 * Tells people of what was published, a thousand in a round.
 *
 * @returns a round; it answers after how many milliseconds the next one is due.
 */
export const tellNews =
  ({ news, send }: TellNewsDeps): (() => Promise<number>) =>
  async () => {
    const more = await news.take(NEWS_RECIPIENTS_MAX, async (round) => {
      for (const message of newsMessages(round)) await send(message);
    });
    return more ? 0 : IDLE_MS;
  };
