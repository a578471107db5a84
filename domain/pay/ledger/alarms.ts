import type { ChainOfBook, Sink } from './chain.ts';
import { endOfDay } from './head.ts';

/** Five times what a block may wait, or a day may take to be signed and sent: a restart is over by then. */
const OPEN_LONG_MS = 5 * 60_000;
const DAY_LATE_MS = 3_600_000;

/** A head that was sent and not accepted: the oldest that is on its way there. */
export interface UnsentHead {
  readonly book: string;
  readonly sink: Sink;
  readonly day: string;
}

interface Alarm {
  readonly alarm: 'ledger-open' | 'ledger-day-unsigned' | 'ledger-head-unsent' | 'ledger-unreadable';
  readonly subject: string;
  readonly since: Date;
  readonly says: string;
  readonly nextStep: string;
  readonly link: null;
}

/** What stands still of the chain of the ledger. What is told of one book never hides the others. */
export function chainAlarms(
  books: readonly ChainOfBook[],
  unsent: readonly UnsentHead[],
  now: Date,
): readonly Alarm[] {
  const isLate = (since: Date, ms: number) => now.getTime() - since.getTime() > ms;
  const readable = (book: string, alarms: () => readonly Alarm[]): readonly Alarm[] => {
    try {
      return alarms();
    } catch (error) {
      return [unreadableAlarm(book, error, now)];
    }
  };
  return [
    ...books.flatMap((book) =>
      readable(book.book, () => [
        ...openAlarm(book).filter(({ since }) => isLate(since, OPEN_LONG_MS)),
        ...[dayAlarm(book)].filter(({ since }) => isLate(since, DAY_LATE_MS)),
      ]),
    ),
    ...unsent.flatMap((head) =>
      readable(head.book, () => [unsentAlarm(head)].filter(({ since }) => isLate(since, DAY_LATE_MS))),
    ),
  ];
}

const unreadableAlarm = (book: string, error: unknown, now: Date): Alarm => ({
  alarm: 'ledger-unreadable',
  subject: book,
  since: now,
  says: `What the database says of this book can't be read: ${error instanceof Error ? error.message : String(error)}.`,
  nextStep: 'Change nothing; run npm run navbat -- ledger verify.',
  link: null,
});

function openAlarm({ book, open, openSince }: ChainOfBook): Alarm[] {
  if (!openSince) return [];
  return [
    {
      alarm: 'ledger-open',
      subject: book,
      since: openSince,
      says: `${open} transfers are in no block: until they are, a change of them may go unseen.`,
      nextStep:
        'Look whether the reconciler runs; its log names the fault with a code. NB008, a transfer is missing: run npm run navbat -- ledger verify.',
      link: null,
    },
  ];
}

const dayAlarm = ({ book, nextDay }: ChainOfBook): Alarm => ({
  alarm: 'ledger-day-unsigned',
  subject: book,
  since: endOfDay(nextDay),
  says: `The ledger of ${nextDay} is not signed.`,
  nextStep: 'Look whether the reconciler runs; its log names the fault with a code.',
  link: null,
});

const unsentAlarm = ({ book, sink, day }: UnsentHead): Alarm => ({
  alarm: 'ledger-head-unsent',
  subject: `${book} · ${sink}`,
  since: endOfDay(day),
  says: `The signed head of ${day} was not accepted by ${sink === 'chat' ? 'the finance chat' : 'the witness'}.`,
  nextStep: `Correct ${sink === 'chat' ? 'LEDGER_CHAT_ID, or let the bot into that chat' : 'LEDGER_WITNESS_URL, or its server'}; it is sent again by itself, at least once an hour.`,
  link: null,
});
