import type { Mutation } from '../mutation.ts';

const CHAIN = 'infra/postgres/pay/migrations/20261129150400-pay-chain.ts';
const BLOCKS = 'infra/postgres/pay/ledger/verify-blocks.ts';
const DAYS = 'infra/postgres/pay/ledger/verify-days.ts';
const HASH = 'infra/postgres/pay/ledger/block-hash.ts';
const tests = 'test/infra/postgres/pay';
const inChain = (name: string) => ({ file: `${tests}/chain.test.ts`, name });
const inVerify = (name: string) => ({ file: `${tests}/verify.test.ts`, name });

/** What a row hash covers, as it is written where blocks are closed and again where they are verified. */
const hashed = {
  subject_id: "|| coalesce('\\\\x01'::bytea || uuid_send(t.subject_id), '\\\\x00'::bytea)",
  event_at: 'timestamptz_send(t.event_at) || ',
  actor: "|| int4send(octet_length(t.actor::text)) || convert_to(t.actor::text, 'UTF8')",
} as const;

export const chainMutations: readonly Mutation[] = [
  {
    name: "a block is closed without the head's lock",
    edits: [
      {
        file: CHAIN,
        from: 'select * into h from ledger_head where project_id = book for update skip locked;',
        to: 'select * into h from ledger_head where project_id = book;',
      },
    ],
    test: inChain('of no other book, and by nobody else, while one holds the head'),
  },
  {
    name: 'a block is closed over a gap',
    edits: [
      { file: CHAIN, from: 'if found_rows <> upto - h.n_to or day_ends is null then', to: 'if false then' },
    ],
    test: inChain('and where a transfer is missing, the fault is told by its code and no other book waits'),
  },
  ...Object.entries(hashed).map(([column, from]) => ({
    name: `a row hash does not cover ${column}`,
    edits: [CHAIN, BLOCKS].map((file) => ({ file, from, to: '' })),
    test: inVerify('in any column of a transfer is found, with its block and its number'),
  })),
  {
    name: 'a block does not follow the hash of the block before it',
    edits: [
      { file: CHAIN, from: 'h.hash := sha256(h.hash || int8send(h.k)', to: 'h.hash := sha256(int8send(h.k)' },
      { file: HASH, from: '.update(before)', to: '' },
    ],
    test: inVerify('in one block, hash and all, does not fit the block after it'),
  },
  {
    name: 'the head is not compared',
    edits: [{ file: BLOCKS, from: 'if (!fits)', to: 'if (false)' }],
    test: inVerify('in any column of the head is found'),
  },
  {
    name: 'signed heads are not compared with the blocks',
    edits: [
      { file: DAYS, from: 'if (block?.head !== head.head || block.nTo !== head.n_to)', to: 'if (false)' },
    ],
    test: inVerify(
      'from a changed transfer differs from every signed day, and from a head that was kept outside',
    ),
  },
  {
    name: 'limits are not compared with those of the class',
    edits: [
      {
        file: 'infra/postgres/pay/ledger/verify-limits.ts',
        from: 'is, should } of rows)',
        to: 'is, should } of rows.slice(0, 0))',
      },
    ],
    test: inVerify('though nothing was posted and no hash covers it'),
  },
  {
    name: 'any signature will do',
    edits: [
      {
        file: DAYS,
        from: "if (said.kind === 'unknown-key')",
        to: "if (said.kind === 'unknown-key' && false)",
      },
    ],
    test: inVerify('and signed by another key is refused by the key'),
  },
  {
    name: 'the caller says which day is next',
    edits: [{ file: CHAIN, from: 'if of is distinct from next_day then return; end if;', to: '' }],
    test: inChain('is the next one alone, whatever the caller says'),
  },
  {
    name: 'a block is written without the disk',
    edits: [
      {
        file: CHAIN,
        from: 'create constraint trigger ledger_block_durable after insert on ledger_block',
        to: 'create constraint trigger ledger_block_durable after update on ledger_block',
      },
    ],
    test: inChain('is not written by who may lose it, or sees an older book'),
  },
  {
    name: 'functions of the database owner are found first',
    edits: [
      {
        file: 'infra/postgres/pay/ledger/snapshot.ts',
        from: 'search_path = pg_catalog, pg_temp',
        to: 'search_path = pg_catalog, public',
      },
      { file: BLOCKS, from: 'octet_length(t.key::text)', to: 'octet_length(t.key)' },
    ],
    test: inVerify('a function of the owner for a type of the owner is not asked'),
  },
  {
    name: 'the chain is written from an older snapshot',
    edits: [
      {
        file: 'infra/postgres/pay/migrations/20261129150300-pay-ledger.ts',
        from: "if current_setting('transaction_isolation') <> 'read committed' then",
        to: 'if false then',
      },
    ],
    test: inChain('is not written by who may lose it, or sees an older book'),
  },
  {
    name: 'anything will do as a signature',
    edits: [
      {
        file: CHAIN,
        from: " and jws ~ '^[A-Za-z0-9_-]+[.][A-Za-z0-9_-]+[.][A-Za-z0-9_-]+$'",
        to: '',
      },
    ],
    test: inChain('has no signature but one in the form of a compact JWS'),
  },
  {
    name: 'the first day is missing before it is over',
    edits: [{ file: DAYS, from: 'day <= due; day', to: 'day <= (due > first ? due : first); day' }],
    test: inChain('a book whose first day is not over has no difference'),
  },
  {
    name: 'the tables are not looked at',
    edits: [
      {
        file: 'infra/postgres/pay/ledger/verify.ts',
        from: 'if (!(await verifyTables(db, found)))',
        to: 'if (!(await verifyTables(db, differences())) && false)',
      },
    ],
    test: {
      ...inVerify('a view in the place of a table is told, and nothing is taken from it'),
      isMade: true,
    },
  },
  {
    name: 'times are not looked at',
    edits: [
      {
        file: 'infra/postgres/pay/ledger/verify-moves.ts',
        from: 'where t.late or t.back order by',
        to: 'where false order by',
      },
    ],
    test: inVerify('a time that the book could not have given is found'),
  },
  {
    name: 'any move will do',
    edits: [
      {
        file: 'infra/postgres/pay/ledger/verify-moves.ts',
        from: 'rows.filter((each) => !isAllowed(each))',
        to: 'rows.filter((each) => !isAllowed(each) && false)',
      },
    ],
    test: inVerify('a move that is not allowed is found, also where it fits in every other way'),
  },
  {
    name: 'a day gets a transfer after its row',
    edits: [
      {
        file: CHAIN,
        from: 'if b.posted_at < ends then update ledger_book set posted_at = ends where project_id = book; end if;',
        to: '',
      },
    ],
    test: inChain(
      'that has its row gets no further transfer: one that waited for the book bears a later time',
    ),
  },
];
