import type { Mutation } from '../mutation.ts';

const LEDGER = 'infra/postgres/pay/migrations/20261129150300-pay-ledger.ts';
const tests = 'test/infra/postgres/pay';
const inKept = (name: string) => ({ file: `${tests}/ledger-kept.test.ts`, name });
const inPost = (name: string) => ({ file: `${tests}/ledger-post.test.ts`, name });
const inRaces = (name: string) => ({ file: `${tests}/ledger-races.test.ts`, name });

const bookLock =
  'select b.next_n, b.posted_at into first_n, at from ledger_book b where b.project_id = book for no key update;';
const columns = ['kind', 'debit', 'credit', 'amount', 'subject'] as const;
const columnsBut = (column: string) => columns.filter((one) => one !== column);
const rowOf = (table: 'before' | 't', row: readonly string[]): string =>
  `(${row.map((one) => `${table}.${table === 'before' && one === 'subject' ? 'subject_id' : one}`).join(', ')})`;

const order: readonly Mutation[] = [
  {
    name: 'keys are read before the book is locked',
    edits: [
      { file: LEDGER, from: '  slots int[];', to: '  slots int[];\n  seen text[];' },
      {
        file: LEDGER,
        from: bookLock,
        to: `select coalesce(array_agg(x.key::text), '{}') into seen from ledger_transfer x where x.project_id = book and x.key = any (keys);\n${bookLock}`,
      },
      { file: LEDGER, from: 'before.key is not null as is_known', to: 't.key = any (seen) as is_known' },
    ],
    test: inRaces('who waits for it reads keys and balances after the wait'),
  },
  {
    name: 'balances are read before the book is locked',
    edits: [
      { file: LEDGER, from: '  slots int[];', to: '  slots int[];\n  early jsonb;' },
      {
        file: LEDGER,
        from: bookLock,
        to: `select coalesce(jsonb_object_agg(a.id, a.balance), '{}') into early from ledger_account a where a.id = any (debits || credits);\n${bookLock}`,
      },
      {
        file: LEDGER,
        from: 'd.balance as debit_balance, c.balance as credit_balance',
        to: '(early ->> t.debit::text)::bigint as debit_balance, (early ->> t.credit::text)::bigint as credit_balance',
      },
    ],
    test: inRaces('who waits for it reads keys and balances after the wait'),
  },
  {
    name: 'accounts are locked before the book',
    edits: [
      {
        file: LEDGER,
        from: bookLock,
        to: `perform from ledger_account a where a.id = any (debits || credits) order by a.id for no key update;\n${bookLock}`,
      },
    ],
    test: inRaces('two posts of one transaction wait for nobody whom they hold up'),
  },
  {
    name: 'the book is not locked',
    edits: [{ file: LEDGER, from: bookLock, to: bookLock.replace(' for no key update', '') }],
    test: inRaces('64 posters over the same accounts in opposite orders'),
  },
  {
    name: 'posted_at is the time at which the transaction began',
    edits: [{ file: LEDGER, from: 'at := greatest(ledger_clock(), at);', to: 'at := now();' }],
    test: inPost('who has waited since before another post is dated after it'),
  },
];

const repeats: readonly Mutation[] = [
  ...columns.map((column) => ({
    name: `a repeat is compared without ${column}`,
    edits: [
      { file: LEDGER, from: rowOf('before', columns), to: rowOf('before', columnsBut(column)) },
      { file: LEDGER, from: rowOf('t', columns), to: rowOf('t', columnsBut(column)) },
    ],
    test: inPost('of the same columns again is the first one, and of others under its key is refused'),
  })),
  {
    name: 'a key that was taken in the same call is not compared',
    edits: [
      {
        file: LEDGER,
        from: `if (kinds[taker], debits[taker], credits[taker], amounts[taker], subjects[taker])
         is distinct from (kinds[r.i], r.debit, r.credit, r.amount, subjects[r.i]) then`,
        to: 'if false then',
      },
    ],
    test: inPost('is walked in order: what comes in front counts, and a refused item moves nothing'),
  },
];

const refusals: readonly Mutation[] = [
  {
    name: 'the floor is checked on the final balance only',
    edits: [
      {
        file: LEDGER,
        from: 'if debit_after < r.floor or credit_after > r.ceiling then',
        to: `if r.debit_balance + (select coalesce(sum(case when u.c = r.debit then u.a else 0 end - case when u.d = r.debit then u.a else 0 end), 0)
             from unnest(debits, credits, amounts) u(d, c, a)) < r.floor or credit_after > r.ceiling then`,
      },
    ],
    test: inPost('where it takes an account below its floor, though what comes later would pay for it'),
  },
  {
    name: 'the floor is not checked',
    edits: [
      {
        file: LEDGER,
        from: 'if debit_after < r.floor or credit_after > r.ceiling then',
        to: 'if credit_after > r.ceiling then',
      },
    ],
    test: inPost('is walked in order: what comes in front counts, and a refused item moves nothing'),
  },
  {
    name: 'the ceiling is not checked',
    edits: [
      {
        file: LEDGER,
        from: 'if debit_after < r.floor or credit_after > r.ceiling then',
        to: 'if debit_after < r.floor then',
      },
    ],
    test: inPost('where it takes an account above its ceiling'),
  },
  {
    name: 'a refused item burns a number',
    edits: [{ file: LEDGER, from: 'refused := true;', to: 'refused := true; posted := posted + 1;' }],
    test: inRaces('of 50 withdrawals of the whole balance at once one is posted, and 49 are refused'),
  },
  {
    name: 'a refusal is not remembered',
    edits: [
      {
        file: LEDGER,
        from: "where t.state = 'NB001'\n        on conflict do nothing",
        to: 'where false\n        on conflict do nothing',
      },
    ],
    test: inRaces('a refusal for funds burns its key'),
  },
  {
    name: 'a move is allowed by class alone',
    edits: [
      {
        file: LEDGER,
        from: 'm.kind is not null and (not m.same_owner or d.owner = c.owner)',
        to: 'm.kind is not null',
      },
    ],
    test: inPost("where it gives one person's hold to another"),
  },
  {
    name: 'any move is allowed',
    edits: [
      {
        file: LEDGER,
        from: 'm.kind is not null and (not m.same_owner or d.owner = c.owner)',
        to: 'd.class is not null and c.class is not null',
      },
    ],
    test: inPost('under a key that was refused for no account or move takes it after all'),
  },
  {
    name: 'ledger_post_all keeps what came before the refused item',
    edits: [
      {
        file: LEDGER,
        from: "if r.state not in ('posted', 'repeated') then",
        to: "if r.state not in ('posted', 'repeated', 'NB001') then",
      },
    ],
    test: inPost('all of a call are posted or none, and none burns no key'),
  },
];

const kept: readonly Mutation[] = [
  ...[
    { table: 'ledger_transfer', more: "insert: 'all'" },
    { table: 'ledger_account', more: "update: ['balance']" },
  ].map(({ table, more }) => ({
    name: `the role that runs has ${more} on ${table}`,
    edits: [
      {
        file: 'infra/postgres/pay/grants.ts',
        from: `${table}: { select: 'all' }`,
        to: `${table}: { select: 'all', ${more} }`,
      },
    ],
    test: { file: `${tests}/ledger-role.test.ts`, name: 'is not changed in any column, nor locked' },
  })),
  {
    name: 'the owner may change transfers',
    edits: [
      {
        file: LEDGER,
        from: "['ledger_transfer', 'ledger_refusal', 'ledger_class', 'ledger_move'].map(",
        to: "['ledger_refusal', 'ledger_class', 'ledger_move'].map(",
      },
    ],
    test: inKept('the owner of the tables is refused too'),
  },
  {
    name: 'a card number passes as a key',
    edits: [{ file: LEDGER, from: 'if is_card_number(digits) then return true; end if;', to: '' }],
    test: inKept('is refused as a key and as an actor, and nothing is posted'),
  },
  {
    name: 'an older snapshot may post',
    edits: [
      {
        file: LEDGER,
        from: '  perform ledger_refuse_old_snapshot();\n  if items = 0 then return; end if;',
        to: '  if items = 0 then return; end if;',
      },
    ],
    test: inKept('is refused: a key that was refused meanwhile would be posted too'),
  },
  {
    name: 'a refusal leaves the book as it was',
    edits: [
      {
        file: LEDGER,
        from: '      update ledger_book b set next_n = first_n + posted where b.project_id = book;\n',
        to: '',
      },
    ],
    test: inKept('that locks the book by a snapshot older than a refusal fails by itself'),
  },
  {
    name: 'what happens may be dated anywhen',
    edits: [
      {
        file: LEDGER,
        from: "event_at not between '${EVENTS_FROM}' and ledger_clock() + interval '${EVENTS_AHEAD}'",
        to: 'not isfinite(event_at)',
      },
    ],
    test: inKept('is no transfer'),
  },
  {
    name: 'synchronous_commit is asked for as the post is made',
    edits: [
      {
        file: LEDGER,
        from: 'create constraint trigger ledger_book_durable after insert or update on ledger_book deferrable initially deferred',
        to: 'create trigger ledger_book_durable after insert or update on ledger_book',
      },
    ],
    test: inKept('that turns synchronous_commit off can post nothing, before the post or after it'),
  },
  {
    name: 'ledger_post finds tables by the path of its caller',
    edits: [
      {
        file: LEDGER,
        from: 'set search_path = pg_catalog, public, pg_temp\nset plan_cache_mode',
        to: 'set plan_cache_mode',
      },
    ],
    test: inKept('that puts tables of its own in front writes the real ones'),
  },
  ...['ledger_post', 'ledger_post_all'].map((name) => ({
    name: `the role that runs may call ${name}`,
    edits: [
      {
        file: 'infra/postgres/pay/grants.ts',
        from: "    'ledger_day_write',\n",
        to: `    'ledger_day_write',\n    '${name}',\n`,
      },
    ],
    test: { file: `${tests}/ledger-role.test.ts`, name: 'it posts nothing by itself' },
  })),
];

export const ledgerMutations: readonly Mutation[] = [...order, ...repeats, ...refusals, ...kept];
