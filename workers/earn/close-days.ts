import type { DayRounds } from '../../domain/earn/day/port.ts';
import { closableDay } from '../../domain/earn/day/day.ts';

/** Between two looks whether a day can be closed: it is so at 00:05 in Tashkent, a minute more or less. */
const CLOSE_MS = 60_000;

interface CloseDaysDeps {
  readonly days: DayRounds;
  readonly now: () => Date;
  readonly onClosed: (day: string, people: number) => void;
}

/** Closes the days whose reports had their time, a thousand people in a commit. Two processes at once close each person's day once. */
export function closeDays({ days, now, onClosed }: CloseDaysDeps): () => Promise<number> {
  const close = async (day: string): Promise<void> => {
    let closed = 0;
    let after: string | null = null;
    do {
      const { people, next }: Awaited<ReturnType<DayRounds['close']>> = await days.close(day, after);
      closed += people;
      after = next;
    } while (after !== null);
    if (closed > 0) onClosed(day, closed);
  };
  return async () => {
    const upTo = closableDay(now());
    // Those that somebody's traffic holds open stay in the list: the rest come after them.
    for (let open = await days.open(upTo); open.length > 0; open = await days.open(upTo, open.at(-1)))
      for (const day of open) await close(day);
    return CLOSE_MS;
  };
}
