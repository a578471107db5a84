import { randomInt, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runs } from '../../../support/runs.ts';
import { openGround } from '../world.ts';
import { bookOf } from './posting.ts';
import {
  accountAt,
  accounts,
  emptyBook,
  type ModelAnswer,
  type ModelBook,
  type ModelItem,
  moves,
  passes,
  post,
  postAll,
} from './ledger-model.ts';

/** `LEDGER_SEED=… npx vitest run …` plays the same sequences again; LEDGER_SEQUENCES says how many. */
const seed = Number(process.env['LEDGER_SEED'] ?? randomInt(2 ** 31));
const sequences = Number(process.env['LEDGER_SEQUENCES'] ?? runs(100, 520));
/** Each in a book of its own: books do not wait for each other. */
const AT_ONCE = 10;
const subjects = ['018f0000-0000-7000-8000-000000000001', '018f0000-0000-7000-8000-000000000002'];

let ground: Awaited<ReturnType<typeof openGround>>;
/** Of one book, so that each sequence meets an account that is none of its own. */
let foreign: string;
beforeAll(async () => {
  ground = await openGround();
  const { projectId } = await ground.makeProject();
  await ground.pool.query('select ledger_book_open($1)', [projectId]);
  foreign = await bookOf(ground.owner, projectId).open('earnings');
});
afterAll(() => ground.close());

const placesOf = (cls: string): readonly number[] =>
  accounts.flatMap((account, place) => (account.class === cls ? [place] : []));

const amount = fc.oneof(
  { weight: 9, arbitrary: fc.bigInt(1n, 9n) },
  { weight: 1, arbitrary: fc.bigInt(1n, 10n ** 18n) },
);
/** Few keys, so that many are met again, in one call too. */
const common = {
  key: fc.integer({ min: 1, max: 30 }).map((n) => `key:${n}`),
  amount,
  subject: fc.constantFrom(null, ...subjects),
};
/** Of classes between which there is such a move, though not always of one owner. */
const plausible = fc.constantFrom(...moves).chain((move) => {
  const [kind = '', from = '', to = ''] = move.split(' ');
  return fc.record({
    kind: fc.constant(kind),
    debit: fc.constantFrom(...placesOf(from)),
    credit: fc.constantFrom(...placesOf(to)),
    ...common,
  });
});
const anywhere = fc
  .record({
    kind: fc.constantFrom(...moves.map((move) => move.split(' ', 1)[0] ?? '')),
    debit: fc.nat(accounts.length - 1),
    credit: fc.nat(accounts.length - 1),
    ...common,
  })
  .filter(({ debit, credit }) => debit !== credit);
/** As the earnings of this book, but of another one. */
const elsewhere = fc.oneof(
  fc.record({
    kind: fc.constant('earn'),
    debit: fc.constantFrom(...placesOf('else')),
    credit: fc.constantFrom(...placesOf('available')),
    ...common,
  }),
  fc.record({
    kind: fc.constant('take-back'),
    debit: fc.constantFrom(...placesOf('available')),
    credit: fc.constantFrom(...placesOf('else')),
    ...common,
  }),
);
/** Three of four are new ones; the others are asked again, as they were: by chance alone hardly one would be. */
interface Drawn {
  readonly fresh: ModelItem;
  readonly again: number | null;
}
const item: fc.Arbitrary<Drawn> = fc.record({
  fresh: fc.oneof(
    { weight: 12, arbitrary: plausible },
    { weight: 1, arbitrary: anywhere },
    { weight: 1, arbitrary: elsewhere },
  ),
  again: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(100) }),
});
const items = (maxLength: number) => fc.array(item, { minLength: 1, maxLength });

/** Money to move. */
const start: readonly ModelItem[] = [
  { key: 'start:1', kind: 'earn', debit: 10, credit: 0, amount: 20n, subject: null },
  { key: 'start:2', kind: 'top-up', debit: 15, credit: 6, amount: 20n, subject: null },
];

const command = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('post' as const), items: items(6) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('post-all' as const), items: items(3) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('at-once' as const),
      batches: fc.array(items(4), { minLength: 2, maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('malformed' as const), items: items(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('open-again' as const) }) },
);
type DrawnCommand = typeof command extends fc.Arbitrary<infer T> ? T : never;
type Command =
  | { readonly kind: 'post' | 'post-all' | 'malformed'; readonly items: readonly ModelItem[] }
  | { readonly kind: 'at-once'; readonly batches: readonly (readonly ModelItem[])[] }
  | { readonly kind: 'open-again' };

/** With what is asked again in its place. */
function commandsOf(drawn: readonly DrawnCommand[]): readonly Command[] {
  const past: ModelItem[] = [...start];
  const take = ({ fresh, again }: Drawn): ModelItem => {
    const taken = again === null ? fresh : (past[again % past.length] ?? fresh);
    past.push(taken);
    return taken;
  };
  return drawn.map((one) => {
    if (one.kind === 'open-again') return one;
    if (one.kind === 'at-once') return { ...one, batches: one.batches.map((batch) => batch.map(take)) };
    return { ...one, items: one.items.map(take) };
  });
}

/** A new book, with the accounts of the model. */
async function openPlay() {
  const { projectId } = await ground.makeProject();
  await ground.pool.query('select ledger_book_open($1)', [projectId]);
  const owners = { ann: randomUUID(), bek: randomUUID(), shop: randomUUID(), school: randomUUID() };
  const real = accounts.filter((account) => account.class !== 'else');
  const open = async () => {
    const { rows } = await ground.owner.query<{ account: string }>(
      'select account from ledger_open($1, $2, $3, $4) order by item',
      [
        projectId,
        real.map((account) => account.class),
        real.map((account) => ('owner' in account ? owners[account.owner] : null)),
        real.map((account) => ('rail' in account ? account.rail : null)),
      ],
    );
    return rows.map(({ account }) => account);
  };
  const ids = await open();
  const idAt = (place: number): string => [...ids, foreign, '9000000000000000000'][place] ?? 'none';
  const book = bookOf(ground.owner, projectId);
  const inIds = (list: readonly ModelItem[]) =>
    list.map(({ debit, credit, ...rest }) => ({ ...rest, debit: idAt(debit), credit: idAt(credit) }));
  return {
    projectId,
    ids,
    open,
    post: (list: readonly ModelItem[]) => book.post(inIds(list)),
    postAll: (list: readonly ModelItem[]) => book.postAll(inIds(list)),
  };
}
type Play = Awaited<ReturnType<typeof openPlay>>;

/** How often each answer was met: a generator that has lost its way would find no fault in anything. */
const met: Record<string, number> = {};
const count = (answers: readonly ModelAnswer[]) => {
  for (const { state } of answers) met[state] = (met[state] ?? 0) + 1;
};

/** Runs the command on both. @returns the model after it. */
async function run(play: Play, model: ModelBook, one: Command): Promise<ModelBook> {
  switch (one.kind) {
    case 'post': {
      const { book, answers } = post(model, one.items);
      expect(await play.post(one.items)).toEqual(answers);
      count(answers);
      return book;
    }
    case 'post-all': {
      const expected = postAll(model, one.items);
      const got = await play.postAll(one.items).catch(codeOf);
      expect(got).toEqual('refused' in expected ? expected.refused : expected.answers);
      return expected.book;
    }
    case 'at-once': {
      const got = await Promise.all(one.batches.map((batch) => play.post(batch)));
      count(got.flat());
      return bookOfSomeOrder(model, one.batches, got);
    }
    case 'malformed': {
      const [first, ...rest] = one.items;
      const broken = [...rest, { ...first, amount: 0n } as ModelItem];
      expect(await play.post(broken).catch(codeOf)).toBe('NB004');
      return model;
    }
    case 'open-again':
      expect(await play.open()).toEqual(play.ids);
      return model;
  }
}

function codeOf(error: unknown): string | undefined {
  if (error instanceof pg.DatabaseError) return error.code;
  throw error;
}

/** Calls at the same time must have answered as if one came after the other, in whatever order. */
function bookOfSomeOrder(
  model: ModelBook,
  batches: readonly (readonly ModelItem[])[],
  got: readonly (readonly ModelAnswer[])[],
): ModelBook {
  const tried = ordersOf(batches.map((_, i) => i)).map((order) => {
    const answers: (readonly ModelAnswer[])[] = [];
    const book = order.reduce((before, i) => {
      const walked = post(before, batches[i] ?? []);
      answers[i] = walked.answers;
      return walked.book;
    }, model);
    return { answers, book };
  });
  const wanted = JSON.stringify(got);
  expect(tried.map(({ answers }) => JSON.stringify(answers))).toContain(wanted);
  return tried.find(({ answers }) => JSON.stringify(answers) === wanted)?.book ?? model;
}

const ordersOf = (list: readonly number[]): readonly (readonly number[])[] =>
  list.length < 2
    ? [list]
    : list.flatMap((first) => ordersOf(list.filter((n) => n !== first)).map((rest) => [first, ...rest]));

/** What holds of every book, asked of Postgres alone; and that it is the model's. */
async function check({ projectId, ids }: Play, model: ModelBook): Promise<void> {
  const places = new Map(ids.map((id, place) => [id, place]));
  const held = await ground.pool.query<{
    id: string;
    balance: string;
    version: string;
    sum: string;
    count: string;
    last: string;
  }>(
    `select a.id, a.balance, a.version, coalesce(sum(e.amount), 0) as sum, count(e.n) as count,
            coalesce((array_agg(e.after order by e.n desc) filter (where e.n is not null))[1], 0) as last
     from ledger_account a left join ledger_entry e on e.account = a.id where a.project_id = $1 group by a.id`,
    [projectId],
  );
  expect(held.rows.reduce((sum, { balance }) => sum + BigInt(balance), 0n)).toBe(0n);
  for (const { id, balance, version, sum, count, last } of held.rows) {
    const place = places.get(id) ?? -1;
    expect([balance, last, count]).toEqual([sum, sum, version]);
    expect([place, BigInt(balance)]).toEqual([place, model.balances[place]]);
    expect(passes(place, BigInt(balance)), JSON.stringify(accountAt(place))).toBe(false);
  }
  const kept = await ground.pool.query<Record<string, string | null>>(
    `select n, key, kind, debit, credit, amount, subject_id, debit_after, credit_after,
            posted_at >= lag(posted_at, 1, posted_at) over (order by n) as in_order
     from ledger_transfer where project_id = $1 order by n`,
    [projectId],
  );
  expect(kept.rows).toEqual(
    model.rows.map((row) => ({
      n: row.n.toString(),
      key: row.key,
      kind: row.kind,
      debit: ids[row.debit],
      credit: ids[row.credit],
      amount: row.amount.toString(),
      subject_id: row.subject,
      debit_after: row.debitAfter.toString(),
      credit_after: row.creditAfter.toString(),
      in_order: true,
    })),
  );
  const burned = await ground.pool.query<{ key: string }>(
    'select key from ledger_refusal where project_id = $1',
    [projectId],
  );
  expect(burned.rows.map(({ key }) => key).toSorted()).toEqual([...model.burned.keys()].toSorted());
}

async function play(drawn: readonly DrawnCommand[]): Promise<void> {
  const opened = await openPlay();
  let model = await run(opened, emptyBook, { kind: 'post', items: start });
  for (const one of commandsOf(drawn)) model = await run(opened, model, one);
  await check(opened, model);
}

test('the moves are those that the model knows', async () => {
  const { rows } = await ground.pool.query<{ move: string }>(
    `select concat_ws(' ', kind, debit_class, credit_class, case when same_owner then '=' end) as move from ledger_move`,
  );
  expect(rows.map(({ move }) => move).toSorted()).toEqual([...moves].toSorted());
});

test(`whatever is posted, one call after the other or at once, ends as in the model (LEDGER_SEED=${seed})`, async () => {
  console.log(`ledger property: LEDGER_SEED=${seed}, ${sequences} sequences`);
  const many = fc.array(fc.array(command, { minLength: 3, maxLength: 8 }), {
    minLength: AT_ONCE,
    maxLength: AT_ONCE,
  });
  await fc.assert(
    fc.asyncProperty(many, async (all) => {
      const ended = await Promise.allSettled(all.map(play));
      // All have ended before the next run begins, or they would share its connections.
      for (const each of ended) if (each.status === 'rejected') throw each.reason;
    }),
    { seed, numRuns: Math.ceil(sequences / AT_ONCE) },
  );
  console.log(`ledger property: ${JSON.stringify(met)}`);
  for (const state of ['posted', 'repeated', 'NB001', 'NB002', 'NB003'])
    expect(met[state], state).toBeGreaterThan(sequences / 5);
});
