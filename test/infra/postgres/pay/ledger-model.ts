/**
 * The ledger once more, in memory and one call after the other: written from docs/adr/0025-one-book-posted-in-batches.md, and not from
 * the functions. `ledger-property.test.ts` holds Postgres to it.
 */

/** Accounts of the book that the property plays on, by their place in this list. `else` are no accounts of it. */
export const accounts = [
  { class: 'available', owner: 'ann' },
  { class: 'held', owner: 'ann' },
  { class: 'receivable', owner: 'ann' },
  { class: 'available', owner: 'bek' },
  { class: 'held', owner: 'bek' },
  { class: 'receivable', owner: 'bek' },
  { class: 'funded', owner: 'shop' },
  { class: 'funded-held', owner: 'shop' },
  { class: 'funded', owner: 'school' },
  { class: 'funded-held', owner: 'school' },
  { class: 'earnings' },
  { class: 'promo' },
  { class: 'commission' },
  { class: 'adjustment' },
  { class: 'fee' },
  { class: 'bank' },
  { class: 'clearing', rail: 'rail-a' },
  { class: 'wallet', rail: 'rail-a' },
  { class: 'else', owner: 'of another book' },
  { class: 'else', owner: 'nobody' },
] as const satisfies readonly {
  readonly class: string;
  readonly owner?: string;
  readonly rail?: string;
}[];

const notBelowZero = new Set(['available', 'held', 'funded', 'funded-held']);
const notAboveZero = new Set(['receivable']);

/** Kind, from, to. `=`: from and to are of one owner. */
export const moves: readonly string[] = [
  'earn earnings available',
  'earn earnings receivable',
  'promo promo available',
  'take-back available earnings',
  'take-back receivable earnings',
  'take-back receivable clearing',
  'recover available receivable =',
  'write-off adjustment receivable',
  'adjust available adjustment',
  'adjust adjustment available',
  'adjust funded adjustment',
  'adjust adjustment funded',
  'hold available held =',
  'hold funded funded-held =',
  'release held available =',
  'release funded-held funded =',
  'pay held clearing',
  'pay funded-held clearing',
  'fee held fee',
  'fee funded-held fee',
  'commission commission clearing',
  'return clearing available',
  'return clearing commission',
  'return clearing funded',
  'return fee available',
  'return fee funded',
  'top-up bank funded',
  'top-up wallet bank',
  'line clearing wallet',
  'line wallet clearing',
];

export interface ModelItem {
  readonly key: string;
  readonly kind: string;
  /** Places in `accounts`. */
  readonly debit: number;
  readonly credit: number;
  readonly amount: bigint;
  readonly subject: string | null;
}
export interface ModelAnswer {
  readonly n: string | null;
  readonly state: string;
}
export interface ModelRow extends ModelItem {
  readonly n: bigint;
  readonly debitAfter: bigint;
  readonly creditAfter: bigint;
}

/** Nothing in it is changed: a call answers with the book after it. */
export interface ModelBook {
  readonly balances: readonly bigint[];
  readonly rows: readonly ModelRow[];
  /** Refused for funds, by key. */
  readonly burned: ReadonlyMap<string, ModelItem>;
}
export const emptyBook: ModelBook = { balances: accounts.map(() => 0n), rows: [], burned: new Map() };

interface Walked {
  readonly book: ModelBook;
  readonly answers: readonly ModelAnswer[];
}

export const post = (book: ModelBook, items: readonly ModelItem[]): Walked =>
  items.reduce<Walked>(
    ({ book: before, answers }, item) => {
      const [after, answer] = postOne(before, item);
      return { book: after, answers: [...answers, answer] };
    },
    { book, answers: [] },
  );

/** The book as it was, and why, where one item is refused. */
export function postAll(
  book: ModelBook,
  items: readonly ModelItem[],
): Walked | { readonly book: ModelBook; readonly refused: string } {
  const walked = post(book, items);
  const refused = walked.answers.find(({ n }) => n === null);
  return refused ? { book, refused: refused.state } : walked;
}

function postOne(book: ModelBook, item: ModelItem): readonly [ModelBook, ModelAnswer] {
  const refuse = (state: string) => [book, { n: null, state }] as const;
  const row = book.rows.find(({ key }) => key === item.key);
  if (row) return isSame(row, item) ? [book, { n: row.n.toString(), state: 'repeated' }] : refuse('NB002');
  const burned = book.burned.get(item.key);
  if (burned) return refuse(isSame(burned, item) ? 'NB001' : 'NB002');
  if (!isAllowed(item)) return refuse('NB003');
  const debitAfter = balanceOf(book, item.debit) - item.amount;
  const creditAfter = balanceOf(book, item.credit) + item.amount;
  if (passes(item.debit, debitAfter) || passes(item.credit, creditAfter))
    return [
      { ...book, burned: new Map([...book.burned, [item.key, item]]) },
      { n: null, state: 'NB001' },
    ];
  const n = BigInt(book.rows.length + 1);
  const balances = book.balances.with(item.debit, debitAfter).with(item.credit, creditAfter);
  const rows = [...book.rows, { ...item, n, debitAfter, creditAfter }];
  return [
    { ...book, balances, rows },
    { n: n.toString(), state: 'posted' },
  ];
}

const isSame = (one: ModelItem, other: ModelItem): boolean =>
  one.kind === other.kind &&
  one.debit === other.debit &&
  one.credit === other.credit &&
  one.amount === other.amount &&
  one.subject === other.subject;

function isAllowed({ kind, debit, credit }: ModelItem): boolean {
  const [from, to] = [accountAt(debit), accountAt(credit)];
  const move = `${kind} ${from.class} ${to.class}`;
  return moves.includes(move) || (moves.includes(`${move} =`) && from.owner === to.owner);
}

interface Account {
  readonly class: string;
  readonly owner?: string;
}
export function accountAt(place: number): Account {
  const account = accounts[place];
  if (account === undefined) throw new Error(`no account ${place}`);
  return account;
}
const balanceOf = (book: ModelBook, place: number): bigint => book.balances[place] ?? 0n;

/** Whether the class of the account forbids this balance. */
export const passes = (place: number, balance: bigint): boolean =>
  (notBelowZero.has(accountAt(place).class) && balance < 0n) ||
  (notAboveZero.has(accountAt(place).class) && balance > 0n);
