import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { PLATFORM_PROJECT_ID } from '../../../domain/project/platform.ts';
import { startPostgres } from '../../../infra/embedded/postgres.ts';
import { migrate } from '../../../infra/postgres/migrate.ts';
import { bookOf } from '../../infra/postgres/pay/posting.ts';
import type { BankOrder } from './bank-order.ts';

/**
 * The bank of Jepsen's tests: writers in processes of their own, snapshot readers, kill -9 of writers and crashes of Postgres. What the
 * people have together never moves, whatever moment is looked at, and what was acknowledged is there.
 */
const CRASHES = 4;
const WRITERS = 3;
const PEOPLE = 20;
/** Little, so that many transfers are refused: half of a refused pair would move the total. */
const EACH = 8n;
const WRITER_LIVES_MS = 700;
const POSTGRES_LIVES_MS = 5_000;
const LOOK_EVERY_MS = 100;

const Said = z.object({ key: z.string(), n: z.string().nullable() });
const main = join(import.meta.dirname, 'writer/main.ts');

/** A Postgres of this test's own, which crashes and comes back at the same address, with fsync on. */
async function ownPostgres() {
  const directory = await mkdtemp(join(tmpdir(), 'navbat-bank-'));
  await chmod(directory, 0o711);
  let postgres = await startPostgres({ directory });
  onTestFinished(async () => {
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  });
  await migrate(postgres.ownerUrl);
  const crash = async () => {
    await postgres.kill();
    postgres = await startPostgres({ directory, port: postgres.port });
  };
  // As the owner: no process posts by itself.
  return { url: postgres.ownerUrl, crash };
}

async function openBank(pool: pg.Pool): Promise<Omit<BankOrder, 'name' | 'url'>> {
  await pool.query('select ledger_book_open($1)', [PLATFORM_PROJECT_ID]);
  const bank = bookOf(pool, PLATFORM_PROJECT_ID);
  const people = [];
  for (let i = 0; i < PEOPLE; i += 1) people.push(await bank.person(EACH));
  return { book: PLATFORM_PROJECT_ID, people, adjustment: await bank.open('adjustment') };
}

/** Writers that live for a moment each, and what they were answered. */
function writers(order: Omit<BankOrder, 'name'>) {
  const acknowledged = new Map<string, string | null>();
  /** Oldest first, each with its first answer. */
  const alive = new Map<ChildProcess, Promise<unknown>>();
  let started = 0;
  const start = () => {
    started += 1;
    const argument = JSON.stringify({ ...order, name: `w${started}` } satisfies BankOrder);
    const child = spawn(process.execPath, [main, argument], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout });
    alive.set(child, once(lines, 'line'));
    child.once('exit', () => alive.delete(child));
    lines.on('line', (line) => {
      const { key, n } = Said.parse(JSON.parse(line));
      acknowledged.set(key, n);
    });
  };
  const kill = async (child: ChildProcess) => {
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
  };
  return {
    acknowledged,
    start,
    /** In the middle of its work, however long it took to start. */
    killOldest: async () => {
      const [oldest] = alive;
      if (!oldest) return;
      const [child, answered] = oldest;
      await answered;
      await sleep(WRITER_LIVES_MS);
      await kill(child);
    },
    killAll: () => Promise.all([...alive.keys()].map(kill)),
    started: () => started,
  };
}

interface Look {
  readonly people: string;
  readonly all: string;
  readonly gaps: string;
  readonly unequal: string;
  readonly unlinked: string;
}

/** Everything of one snapshot. */
const LOOK = `
with e as (select account, n, amount, before, after from ledger_entry),
  linked as (select before, lag(after, 1, 0::bigint) over (partition by account order by n) as was from e),
  summed as (select account, sum(amount) as sum, (array_agg(after order by n desc))[1] as last, count(*) as count from e group by account)
select (select sum(balance) from ledger_account where class in ('available', 'held')) as people,
  (select sum(balance) from ledger_account) as all,
  (select next_n - 1 from ledger_book) - (select count(*) from ledger_transfer where n between 1 and (select next_n - 1 from ledger_book)) as gaps,
  (select count(*) from ledger_account a left join summed s on s.account = a.id
    where (a.balance, a.balance, a.version) is distinct from (coalesce(s.sum, 0), coalesce(s.last, 0), coalesce(s.count, 0))) as unequal,
  (select count(*) from linked where before <> was) as unlinked`;
const right: Look = {
  people: (EACH * BigInt(PEOPLE)).toString(),
  all: '0',
  gaps: '0',
  unequal: '0',
  unlinked: '0',
};

async function look(pool: pg.Pool): Promise<Look | undefined> {
  const client = await pool.connect();
  try {
    await client.query('begin isolation level repeatable read read only');
    const { rows } = await client.query<Look>(LOOK);
    await client.query('commit');
    client.release();
    return rows[0];
  } catch (error) {
    client.release(true);
    throw error;
  }
}

test('writers are killed and Postgres crashes: the total never moves, and what was acknowledged is there, once', async () => {
  const postgres = await ownPostgres();
  const pool = new pg.Pool({ connectionString: postgres.url, max: 2 });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  onTestFinished(() => pool.end());
  const bank = await openBank(pool);
  const { acknowledged, start, killOldest, killAll, started } = writers({ url: postgres.url, ...bank });
  onTestFinished(async () => void (await killAll()));
  for (let i = 0; i < WRITERS; i += 1) start();

  let crashes = 0;
  let isOver = false;
  const looked: { readonly life: number; readonly seen: Look }[] = [];
  const looking = (async () => {
    for (; !isOver; await sleep(LOOK_EVERY_MS)) {
      const life = crashes;
      const seen = await look(pool).catch(() => undefined);
      if (seen) looked.push({ life, seen });
    }
  })();
  const killing = (async () => {
    while (!isOver) {
      await killOldest();
      start();
    }
  })();
  for (; crashes < CRASHES; crashes += 1) {
    await sleep(POSTGRES_LIVES_MS);
    await postgres.crash();
  }
  await sleep(POSTGRES_LIVES_MS);
  isOver = true;
  await Promise.all([looking, killing]);
  await killAll();

  expect(looked.filter(({ seen }) => JSON.stringify(seen) !== JSON.stringify(right))).toEqual([]);
  expect(new Set(looked.map(({ life }) => life)).size).toBe(CRASHES + 1);
  expect(await look(pool)).toEqual(right);
  const { rows } = await pool.query<{ key: string; n: string }>('select key, n from ledger_transfer');
  const kept = new Map(rows.map(({ key, n }) => [key, n]));
  expect(kept.size).toBe(rows.length);
  expect([...acknowledged].filter(([key, n]) => (kept.get(key) ?? null) !== n)).toEqual([]);
  console.log(
    `bank: ${rows.length} transfers, ${acknowledged.size} answers, ${started()} writers, ${crashes} crashes of Postgres, ${looked.length} snapshots`,
  );
  expect(started()).toBeGreaterThan(CRASHES);
  expect(acknowledged.size).toBeGreaterThan(100);
});
