import { BLOCK_AGE_MS, type Chain, type ChainOfBook } from '../../domain/pay/ledger/chain.ts';
import { dayAfter, type DayHead, tashkentDay } from '../../domain/pay/ledger/head.ts';

/** Between two looks. */
const LOOK_MS = 1_000;
/** Days that were missed are signed at a month a look. */
const DAYS_MAX = 31;

export interface CloseBlocksDeps {
  readonly chain: Chain;
  readonly sign: (head: DayHead) => Promise<string>;
  readonly now: () => Date;
  /** Shows how far a book is. */
  readonly show: (book: ChainOfBook) => void;
  /** Once for each look at which a book could not be closed. */
  readonly onFault: (book: string, error: unknown) => void;
  readonly onWorks: (book: string) => void;
  readonly onDay: (head: DayHead) => void;
}

/** Closes the blocks of each book, and signs each day of Tashkent that is over. What goes wrong with one book stops no other. */
export function closeBlocks(deps: CloseBlocksDeps): () => Promise<number> {
  return async () => {
    let hasMore = false;
    for (const book of await deps.chain.books(tashkentDay(deps.now()))) {
      try {
        deps.show(book);
        if (await closeBook(deps, book)) hasMore = true;
        deps.onWorks(book.book);
      } catch (error) {
        deps.onFault(book.book, error);
      }
    }
    return hasMore ? 0 : LOOK_MS;
  };
}

/** @returns whether there is more to close at once. */
async function closeBook({ chain, now, ...deps }: CloseBlocksDeps, of: ChainOfBook): Promise<boolean> {
  const { book, nextDay, openSince } = of;
  const isDayOver = nextDay < tashkentDay(now());
  const isOld = openSince !== null && now().getTime() - openSince.getTime() >= BLOCK_AGE_MS;
  if ((await chain.close(book, isOld || isDayOver)) === chain.blocksMax) return true;
  const today = tashkentDay(now());
  for (let day = nextDay, signed = 0; day < today && signed < DAYS_MAX; day = dayAfter(day), signed += 1) {
    const ended = await chain.endDay(book, day);
    // Something was posted since the last block, or somebody else signs: the next look knows.
    if (!ended) break;
    const head = { book, day, ...ended };
    if (await chain.write(book, day, await deps.sign(head))) deps.onDay(head);
  }
  return false;
}
