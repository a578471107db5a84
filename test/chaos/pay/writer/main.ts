import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { hotPool } from '../../../../infra/postgres/engine/hot-pool.ts';
import { bookOf, type Item, type Posted } from '../../../infra/postgres/pay/posting.ts';
import { BankOrder } from '../bank-order.ts';

/** One process that posts until it is killed, and says what was answered: one line a transfer. Its parent is `bank.test.ts`. */

/** Of this process, each of which waits for its answer. */
const CALLERS = 8;
const CONNECTIONS_MAX = 4;
/** Postgres is away while it restarts: a call is repeated as it was, until somebody answers. */
const PAUSE_MS = 50;

const { url, book, name, people, adjustment } = BankOrder.parse(JSON.parse(process.argv[2] ?? ''));
const pool = hotPool(url, CONNECTIONS_MAX);
const ledger = bookOf(pool, book);

async function answered<T>(call: () => Promise<T>): Promise<T> {
  for (;;)
    try {
      return await call();
    } catch {
      await sleep(PAUSE_MS);
    }
}

/** No number: refused. */
const say = (key: string, n: string | null) => process.stdout.write(`${JSON.stringify({ key, n })}\n`);

/** All or none: the balance of the first may be too small. */
const postBoth = (both: readonly Item[]): Promise<readonly Posted[] | null> =>
  ledger.postAll(both).catch((error: unknown) => {
    if (error instanceof pg.DatabaseError && error.code === 'NB001') return null;
    throw error;
  });

async function postOn(caller: number): Promise<never> {
  for (let i = 1; ; i += 1) {
    const [from, to] = [randomInt(people.length), randomInt(people.length)];
    const [one, other] = [people[from], people[to]];
    if (!one || !other) continue;
    const amount = BigInt(randomInt(1, 6));
    const key = `${name}:${caller}:${i}`;
    if (i % 2 === 0) {
      const both: readonly Item[] = [
        { key: `${key}:out`, kind: 'adjust', debit: one.available, credit: adjustment, amount },
        { key: `${key}:in`, kind: 'adjust', debit: adjustment, credit: other.available, amount },
      ];
      const answer = await answered(() => postBoth(both));
      for (const [at, item] of both.entries()) say(item.key, answer?.[at]?.n ?? null);
    } else {
      const sides =
        i % 4 === 1
          ? { kind: 'hold', debit: one.available, credit: one.held }
          : { kind: 'release', debit: one.held, credit: one.available };
      const [answer] = await answered(() => ledger.post([{ key, ...sides, amount }], name));
      say(key, answer?.n ?? null);
    }
  }
}

await Promise.all(Array.from({ length: CALLERS }, (_, caller) => postOn(caller)));
