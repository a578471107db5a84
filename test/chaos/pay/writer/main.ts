import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AccountId,
  Micros,
  type Posted,
  type Refused,
  type Transfer,
} from '../../../../domain/pay/ledger/port.ts';
import { ProjectId } from '../../../../domain/shared/ids.ts';
import { hotPool } from '../../../../infra/postgres/engine/hot-pool.ts';
import { openLedger } from '../../../../infra/postgres/pay/ledger/store.ts';
import { BankOrder } from '../bank-order.ts';

/** One process that posts until it is killed, and says what was answered: one line a transfer. Its parent is `bank.test.ts`. */

/** Callers of the one ledger of this process, each of which waits for its answer. */
const CALLERS = 8;
const CONNECTIONS_MAX = 4;
/** Postgres is away while it restarts: a call is repeated as it was, until somebody answers. */
const PAUSE_MS = 50;

const { url, book, name, people, adjustment } = BankOrder.parse(JSON.parse(process.argv[2] ?? ''));
const pool = hotPool(url, CONNECTIONS_MAX);
const ledger = await answered(() => openLedger(pool, ProjectId.parse(book)));

async function answered<T>(call: () => Promise<T>): Promise<T> {
  for (;;)
    try {
      return await call();
    } catch {
      await sleep(PAUSE_MS);
    }
}

const say = (key: string, answer: Posted | Refused) =>
  process.stdout.write(`${JSON.stringify({ key, n: answer.ok ? answer.n.toString() : null })}\n`);

async function postOn(caller: number): Promise<never> {
  for (let i = 1; ; i += 1) {
    const [from, to] = [randomInt(people.length), randomInt(people.length)];
    const [one, other] = [people[from], people[to]];
    if (!one || !other) continue;
    const amount = Micros.parse(BigInt(randomInt(1, 6)));
    const key = `${name}:${caller}:${i}`;
    const rest = { amount, subjectId: null, eventAt: new Date(), actor: name };
    const available = (of: typeof one) => AccountId.parse(of.available);
    if (i % 2 === 0) {
      const aside = AccountId.parse(adjustment);
      const both: readonly Transfer[] = [
        { key: `${key}:out`, kind: 'adjust', debit: available(one), credit: aside, ...rest },
        { key: `${key}:in`, kind: 'adjust', debit: aside, credit: available(other), ...rest },
      ];
      const answer = await answered(() => ledger.postAll(both));
      for (const [at, transfer] of both.entries())
        say(transfer.key, answer.ok ? (answer.posted[at] ?? { ok: false, reason: 'no-such-move' }) : answer);
    } else {
      const held = AccountId.parse(one.held);
      const sides =
        i % 4 === 1
          ? ({ kind: 'hold', debit: available(one), credit: held } as const)
          : ({ kind: 'release', debit: held, credit: available(one) } as const);
      say(key, await answered(() => ledger.post({ key, ...sides, ...rest })));
    }
  }
}

await Promise.all(Array.from({ length: CALLERS }, (_, caller) => postOn(caller)));
