import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import type { ReadHead } from '../../../../domain/pay/ledger/head.ts';
import { headReader, headSigner } from '../../../../infra/pay/signed-heads.ts';
import { moveClock } from '../../../../infra/postgres/engine/clock.ts';
import { chain } from '../../../../infra/postgres/pay/ledger/chain.ts';
import { verifyBook } from '../../../../infra/postgres/pay/ledger/verify.ts';
import { newSecrets } from '../../../../infra/process/new-secrets.ts';
import { closeBlocks } from '../../../../workers/pay/close-blocks.ts';
import { freshDatabase } from '../../../support/servers.ts';

const PEOPLE = 20;
export const DAY_MS = 86_400_000;
/** Noon of Tashkent, of any day. */
const NOON_MS = 7 * 3_600_000;

type Signing = Parameters<typeof headSigner>[0];

/** A new key of an installation. */
export const newKey = (): Signing => JSON.parse(newSecrets(new Date(0)).JWT_PRIVATE_JWK) as Signing;

/** A book whose clock is moved by hand, with the worker that closes it; `owner` may do what the owner of the database may. */
export async function openChainedBook({ key = newKey(), timezone = 'UTC' } = {}) {
  const database = await freshDatabase();
  const options = `-c timezone=${timezone}`;
  const app = new Pool({ connectionString: database.url, max: 6, options });
  const owner = new Pool({ connectionString: database.ownerUrl, max: 4, options });
  const superuser = new Pool({ connectionString: database.superuserUrl, max: 1, options });
  // From the next noon of Tashkent on, so that a day ends where a test says so.
  const noonMs = DAY_MS - ((Date.now() - NOON_MS) % DAY_MS);
  const clock = { aheadMs: 0 };
  const now = () => new Date(Date.now() + clock.aheadMs);
  const newBook = async () => {
    const id = randomUUID();
    await owner.query(
      'insert into project (id, slug, created_at) values ($1::uuid, $1::text, navbat_now())',
      [id],
    );
    await owner.query('select ledger_book_open($1)', [id]);
    return id;
  };
  const book = await newBook();
  const open = async (cls: string, who: string | null, of = book) => {
    const sql = 'select account from ledger_open($1, array[$2], array[$3::uuid], array[null])';
    return (await owner.query<{ account: string }>(sql, [of, cls, who])).rows[0]?.account ?? '';
  };
  const people = await Promise.all(
    Array.from({ length: PEOPLE }, async () => {
      const id = randomUUID();
      return { id, available: await open('available', id), held: await open('held', id) };
    }),
  );
  const earnings = await open('earnings', null);
  let keys = 0;
  /** So many transfers: each person earns, and every fifth holds. */
  const post = async (count: number) => {
    const items = Array.from({ length: count }, (_, index) => {
      const holds = index % 5 === 4;
      // Of what the transfer before has earned.
      const { available, held } = people[(holds ? index - 1 : index) % PEOPLE] ?? { available: '', held: '' };
      return {
        key: `key:${(keys += 1)}`,
        kind: holds ? 'hold' : 'earn',
        debit: holds ? available : earnings,
        credit: holds ? held : available,
        amount: holds ? 1 : 10 + index,
        subject: index % 2 === 0 ? randomUUID() : null,
      };
    });
    for (let from = 0; from < count; from += 1_000)
      await postItems(owner, book, items.slice(from, from + 1_000));
  };
  const sign = await headSigner(key);
  const readHead: ReadHead = await headReader([key]);
  const faults: unknown[] = [];
  const deps = {
    chain: chain(app),
    sign,
    now,
    show: () => undefined,
    onFault: (_book: string, error: unknown) => void faults.push(error),
    onWorks: () => undefined,
    onDay: () => undefined,
  };
  /** So long after that noon. */
  const moveTo = async (afterNoonMs: number) => {
    clock.aheadMs = noonMs + afterNoonMs;
    await moveClock(owner, clock.aheadMs);
  };
  await moveTo(0);
  const verify = (kept: Parameters<typeof verifyBook>[1]['kept'] = [], read = readHead) =>
    verifyBook(app, { book, kept, readHead: read, now: now(), onProgress: () => undefined });
  const jwsOf = async (day = 0) =>
    (
      await owner.query<{ jws: string }>(
        'select jws from ledger_day where project_id = $1 order by day desc offset $2',
        [book, day],
      )
    ).rows[0]?.jws ?? '';
  const close = async () => {
    await Promise.all([app.end(), owner.end(), superuser.end()]);
    await database.drop();
  };
  const tick = closeBlocks(deps);
  return {
    database,
    app,
    owner,
    /** Whoever holds the server: no trigger holds them. */
    superuser,
    clock,
    now,
    book,
    newBook,
    people,
    earnings,
    post,
    deps,
    faults,
    tick,
    moveTo,
    verify,
    jwsOf,
    readHead,
    open,
    close,
  };
}
export type ChainedBook = Awaited<ReturnType<typeof openChainedBook>>;

interface Item {
  readonly key: string;
  readonly kind: string;
  readonly debit: string;
  readonly credit: string;
  readonly amount: number;
  readonly subject: string | null;
}

async function postItems(pool: Pool, book: string, items: readonly Item[]) {
  const { rows } = await pool.query<{ state: string }>(
    'select state from ledger_post($1, $2, $3, $4, $5, $6, $7, $8, $9)',
    [
      book,
      items.map(({ key }) => key),
      items.map(({ kind }) => kind),
      items.map(({ debit }) => debit),
      items.map(({ credit }) => credit),
      items.map(({ amount }) => amount),
      items.map(({ subject }) => subject),
      items.map(() => '2026-11-29T10:00:00.123456Z'),
      items.map(() => 'test'),
    ],
  );
  const refused = rows.filter(({ state }) => state !== 'posted');
  if (refused.length > 0) throw new Error(`not posted: ${JSON.stringify(refused[0])}`);
}

/** Three days: two signed, with two blocks and more on the first; the third is closed in part. */
export async function threeDays(book: ChainedBook): Promise<void> {
  await book.post(1_250);
  await book.moveTo(DAY_MS);
  await book.tick();
  await book.post(300);
  await book.moveTo(2 * DAY_MS);
  await book.tick();
  await book.post(40);
  await book.moveTo(2 * DAY_MS + 61_000);
  await book.tick();
  await book.post(10);
}

/** Where the blocks end. */
export const blocksOf = async ({ owner, book }: ChainedBook) => {
  const sql = 'select n_to::int as "nTo" from ledger_block where project_id = $1 order by k';
  return (await owner.query<{ nTo: number }>(sql, [book])).rows.map(({ nTo }) => nTo);
};
export const daysOf = async ({ owner, book }: ChainedBook) => {
  const sql =
    'select day::text, n_to::int as "nTo", totals from ledger_day d where project_id = $1 order by d.day';
  return (await owner.query<{ day: string; nTo: number; totals: Record<string, string> }>(sql, [book])).rows;
};
