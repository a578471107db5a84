import type { Mutation } from '../mutation.ts';

const MATCH = 'domain/pay/reconcile/match.ts';
const STATEMENTS = 'infra/postgres/pay/migrations/20261129183000-pay-statements.ts';
const LINES = 'infra/postgres/pay/migrations/20261129190000-pay-lines-of-people.ts';
const PEOPLE = 'infra/postgres/pay/migrations/20261130102000-pay-files-of-people.ts';
const OWN = 'infra/postgres/pay/migrations/20261130170300-pay-own-money.ts';
const UPLOADER = 'infra/postgres/pay/migrations/20261130172000-pay-statement-uploader.ts';
const DUE = 'infra/postgres/pay/migrations/20261129194000-pay-due.ts';
const FILES = 'infra/postgres/pay/migrations/20261129183100-pay-bank-files.ts';
const inMatch = (name: string) => ({
  file: 'test/domain/pay/reconcile/match-property.test.ts',
  name,
});
const inStatements = (name: string) => ({
  file: 'test/infra/postgres/pay/reconcile/statements.test.ts',
  name,
});
const inDifferences = (name: string) => ({
  file: 'test/infra/postgres/pay/reconcile/differences.test.ts',
  name,
});
const inFiles = (name: string) => ({ file: 'test/infra/postgres/pay/bank-file/bank-files.test.ts', name });

const inForged = (name: string) => ({
  file: 'test/infra/postgres/pay/bank-file/forged-statements.test.ts',
  name,
});

/** What a rail says that it paid, and what a bank is given to pay. */
export const bankMutations: readonly Mutation[] = [
  {
    name: 'a line is matched by its amount',
    edits: [
      {
        file: MATCH,
        from: `return this.#byId.get(byUuid ?? byReference ?? '') ?? null;`,
        to: `return this.#byId.get(byUuid ?? byReference ?? '') ?? [...this.#byId.values()].find((one) => one.amount === amount) ?? null;`,
      },
      {
        file: MATCH,
        from: 'find({ uuid, reference }: RailLine)',
        to: 'find({ uuid, reference, amount }: RailLine)',
      },
    ],
    test: inMatch('statements no line is matched with a payment that it does not pay'),
  },
  {
    name: 'a second line of a payment is matched too',
    edits: [
      {
        file: MATCH,
        from: `if (ours.outLine !== null || isAnother(line, ours)) return 'duplicate';`,
        to: `if (isAnother(line, ours)) return 'duplicate';`,
      },
    ],
    test: inMatch('statements no line is matched with a payment that it does not pay'),
  },
  {
    name: 'SQL posts a line of whatever payment the caller names',
    edits: [
      {
        file: PEOPLE,
        from: `case s.rail when 'bank-file' then g.reference = i.payout_id::text else g.uuid = d.rail_uuid or g.reference = d.reference end`,
        to: 'true',
      },
    ],
    test: inStatements('post no line that is not exactly of its payment'),
  },
  {
    name: 'SQL posts a line of whatever amount',
    edits: [{ file: PEOPLE, from: 'and g.amount = i.net', to: '' }],
    test: inStatements('post no line that is not exactly of its payment'),
  },
  {
    name: 'what came back keeps the charge as an expense',
    edits: [{ file: STATEMENTS, from: `where g.direction = 'back' and g.commission > 0`, to: 'where false' }],
    test: inStatements(
      'what came back gives the person all of it, distrusts the card and ends the dispatch, once',
    ),
  },
  {
    name: 'a payment that was told as failed is owed by nobody',
    edits: [
      {
        file: PEOPLE,
        from: `if l.bucket = 'paid-though-failed' and l.posted then`,
        to: 'if false then',
      },
    ],
    test: inStatements('a payment that the rail had told as failed: the person owes it'),
  },
  {
    name: 'a rail is stopped by one difference again and again',
    edits: [
      {
        file: LINES,
        from: `update difference d set stopped_at = ledger_clock()\n      where`,
        to: `update difference d set stopped_at = null\n      where`,
      },
    ],
    test: inStatements('a second payment of one that was paid'),
  },
  {
    name: 'batches begin over a difference that nobody has explained',
    edits: [
      {
        file: DUE,
        from: `if blocked is not null then raise exception`,
        to: `if false then raise exception`,
      },
    ],
    test: inDifferences(
      'an unexplained difference stops new batches of its rail alone, until somebody says why; the book’s stops all',
    ),
  },
  {
    name: 'a batch closes over a difference of its own',
    edits: [
      {
        file: DUE,
        from: `if old.state = 'done' and new.state = 'closed' and exists`,
        to: 'if false and exists',
      },
    ],
    test: inDifferences('a batch is not closed while one of its payments is a difference'),
  },
  {
    name: 'an order may go to another account than was approved',
    edits: [{ file: MATCH, from: `if (isToAnother(line, ours)) return 'payee-differs';`, to: '' }],
    test: inForged('an order that went to another account than it was approved for'),
  },
  {
    name: 'SQL gives back what one person says came back',
    edits: [{ file: PEOPLE, from: '      and not coalesce(', to: '      and false and not coalesce(' }],
    test: inForged('moves nothing, however often it comes and whoever sends it'),
  },
  {
    name: 'who uploaded a statement agrees to what came back',
    edits: [{ file: OWN, from: 'if s.imported_by = staff then', to: 'if false then' }],
    test: { ...inForged('is not agreed to by who uploaded it'), isMade: true },
  },
  {
    name: 'what one person says was paid is paid',
    edits: [
      {
        file: MATCH,
        from: 'unagreed.has(line.key) && moves.has(found)',
        to: `unagreed.has(line.key) && found === 'returned'`,
      },
    ],
    test: {
      file: 'test/domain/pay/reconcile/match.test.ts',
      name: 'early where money would move by a file of one person',
    },
  },
  {
    name: 'SQL pays what one person says was paid',
    edits: [
      {
        file: PEOPLE,
        from: `where (g.bucket in ('matched', 'late', 'returned') or`,
        to: `where (g.bucket = 'returned' or`,
      },
    ],
    test: inForged('hides no order that went to another account'),
  },
  {
    name: 'a statement that was agreed to takes new lines',
    edits: [{ file: PEOPLE, from: 's.imported_by is null)) then', to: 'statement_is_agreed(s.id))) then' }],
    test: inForged('takes no line after it was agreed to'),
  },
  {
    name: 'a statement that was agreed to takes lines of another',
    edits: [
      {
        file: PEOPLE,
        from: '\n      and not statement_is_agreed(s.id) and not statement_is_agreed(o.statement_id)',
        to: '',
      },
    ],
    test: inForged('takes no line after it was agreed to'),
  },
  {
    name: 'a line stays of the file that told it first',
    edits: [{ file: PEOPLE, from: 'where g.told and', to: 'where false and' }],
    test: inForged('keeps no true line from being agreed to'),
  },
  {
    name: 'a line to which nobody agreed is news of its payment',
    edits: [{ file: PEOPLE, from: `        and l.bucket <> 'early')`, to: ')' }],
    test: inForged('hides no order that went to another account'),
  },
  {
    name: 'a bank says something by itself',
    edits: [{ file: UPLOADER, from: `if of_rail = 'bank-file' and staff is null then`, to: 'if false then' }],
    test: inForged('has somebody who uploaded it'),
  },
  {
    name: 'an order to another account stops no rail',
    edits: [
      {
        file: LINES,
        from: `d.bucket in ('duplicate', 'paid-though-failed', 'payee-differs') and d.stopped_at is null and d.closed_at is null\n    group`,
        to: `d.bucket in ('duplicate', 'paid-though-failed') and d.stopped_at is null and d.closed_at is null\n    group`,
      },
    ],
    test: inForged('an order that went to another account than it was approved for'),
  },
  {
    name: 'an order to another account is no difference',
    edits: [
      {
        file: PEOPLE,
        from: `o.bucket in ('amount-differs', 'payee-differs', 'only-theirs'`,
        to: `o.bucket in ('amount-differs', 'only-theirs'`,
      },
    ],
    test: inForged('an order that went to another account than it was approved for'),
  },
  {
    name: 'a file may have another total than its items',
    edits: [
      {
        file: FILES,
        from: 'if (of_documents, of_total) is distinct from (open_items, open_total) then',
        to: 'if false then',
      },
    ],
    test: inFiles('where the file is not of exactly these items, or its writing fails'),
  },
  {
    name: 'what may not be paid any more is written',
    edits: [{ file: FILES, from: 'where u.why is not null', to: 'where false' }],
    test: inFiles('what may not be paid any more fails and gives its money back; the file has the others'),
  },
];
