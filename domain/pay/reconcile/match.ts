import { type LineBucket, lineTotal, type RailLine } from './line.ts';

/** One payment of ours as the lines of a statement meet it: a dispatch to a rail of cards, or an item of a bank file. */
export interface OurPayment {
  readonly id: string;
  /** `open`: on its way, as far as we know. */
  readonly state: 'open' | 'paid' | 'failed' | 'returned';
  /** What a line pays for it may be all that says that it is paid: a bank file has no other answer. */
  readonly settledByLine: boolean;
  /** The rail's id of the payment that was confirmed. */
  readonly uuid: string | null;
  /** What the rail was given: of the attempt that counts, and of those before it, which must never be paid. */
  readonly reference: string;
  readonly earlierReferences: readonly string[];
  readonly amount: bigint;
  readonly commission: bigint;
  /** Of a bank file: the account that was approved, in digits. */
  readonly account?: string;
  /** When it was paid; until then, when it was sent. */
  readonly at: Date;
  /** Keys of the lines that it is matched with. */
  readonly outLine: string | null;
  readonly backLine: string | null;
}

export interface Known {
  readonly payments: readonly OurPayment[];
  /** Keys of lines that are settled: seen again they change nothing. */
  readonly lines: ReadonlySet<string>;
  /** Keys of lines that stand in a file of one person, to which nobody has agreed: nothing moves by them. */
  readonly unagreed: ReadonlySet<string>;
  /** Before this the days are signed. */
  readonly openFrom: Date;
}

export interface Decided {
  readonly line: RailLine;
  readonly bucket: LineBucket;
  /** Of whom it is. Never of equal amounts or times: by the rail's id, or by our reference, both exact. */
  readonly payment: string | null;
  /** Of a line without a payment: whose it might be, for a person to look at. */
  readonly suggestions: readonly string[];
}

const SUGGESTIONS_MAX = 3;

/** What each line is, in the order of their times; lines that are settled already are left out. */
export function reconcile(lines: readonly RailLine[], known: Known): readonly Decided[] {
  const seen = new Set(known.lines);
  const book = new Book(known.payments);
  const decided: Decided[] = [];
  for (const line of lines.toSorted(inTime)) {
    if (seen.has(line.key)) continue;
    seen.add(line.key);
    decided.push(decide(line, book, known));
  }
  return decided;
}

/** What came back left before: of two at one time the one that left is first. By key, so that the order of a file changes nothing. */
const inTime = (a: RailLine, b: RailLine): number =>
  a.at.getTime() - b.at.getTime() ||
  (a.direction === b.direction ? 0 : a.direction === 'out' ? -1 : 1) ||
  (a.key < b.key ? -1 : 1);

function decide(line: RailLine, book: Book, { openFrom, unagreed }: Known): Decided {
  const ours = book.find(line);
  if (!ours) return { line, bucket: 'only-theirs', payment: null, suggestions: book.suggest(line) };
  const found = line.direction === 'out' ? bucketOfOut(line, ours) : bucketOfBack(line, ours);
  const bucket = unagreed.has(line.key) && moves.has(found) ? 'early' : found;
  if (bucket === 'matched') book.pay(ours, line);
  if (bucket === 'returned') book.return(ours, line);
  const isLate = bucket === 'matched' && line.at < openFrom;
  return { line, bucket: isLate ? 'late' : bucket, payment: ours.id, suggestions: [] };
}

/** By which money moves: of a file of one person, another agrees first. */
const moves: ReadonlySet<LineBucket> = new Set(['matched', 'returned', 'paid-though-failed']);

function bucketOfOut(line: RailLine, ours: OurPayment): LineBucket {
  if (ours.state === 'failed') return 'paid-though-failed';
  if (ours.outLine !== null || isAnother(line, ours)) return 'duplicate';
  if (ours.state === 'open' && !ours.settledByLine) return 'early';
  if (isToAnother(line, ours)) return 'payee-differs';
  return lineTotal(line) === lineTotal(ours) ? 'matched' : 'amount-differs';
}

/** Whoever takes a file to the bank could write another account into it. */
const isToAnother = (line: RailLine, ours: OurPayment): boolean =>
  line.account !== undefined && ours.account !== undefined && line.account !== ours.account;

/** A payment of ours that the rail made by another attempt than the one that we know: it may be the second one. */
function isAnother({ uuid, reference }: RailLine, ours: OurPayment): boolean {
  if (ours.state === 'open') return false;
  // The rail's id says which; one that was found late has an earlier reference.
  if (uuid !== null && ours.uuid !== null) return uuid !== ours.uuid;
  return reference !== null && ours.earlierReferences.includes(reference);
}

/** What was paid comes back whole, or less what the rail keeps for it. */
function bucketOfBack(line: RailLine, ours: OurPayment): LineBucket {
  if (ours.backLine !== null) return 'duplicate';
  if (ours.state === 'open') return 'early';
  if (ours.state === 'failed' || isAnother(line, ours)) return 'only-theirs';
  if (line.amount !== ours.amount) return 'amount-differs';
  return 'returned';
}

/** Our payments by all that a line may name, as the lines so far have left them. */
class Book {
  readonly #byId = new Map<string, OurPayment>();
  readonly #byUuid = new Map<string, string>();
  readonly #byReference = new Map<string, string>();

  constructor(payments: readonly OurPayment[]) {
    for (const payment of payments) {
      this.#byId.set(payment.id, payment);
      if (payment.uuid !== null) this.#byUuid.set(payment.uuid, payment.id);
      for (const reference of [payment.reference, ...payment.earlierReferences])
        this.#byReference.set(reference, payment.id);
    }
  }

  /** None where the rail's id is of one payment and the reference of another: a person looks. */
  find({ uuid, reference }: RailLine): OurPayment | null {
    const byUuid = uuid === null ? undefined : this.#byUuid.get(uuid);
    const byReference = reference === null ? undefined : this.#byReference.get(reference);
    if (byUuid !== undefined && reference !== null && byUuid !== byReference) return null;
    return this.#byId.get(byUuid ?? byReference ?? '') ?? null;
  }

  pay(ours: OurPayment, { key, at }: RailLine): void {
    const state = ours.state === 'open' ? ('paid' as const) : ours.state;
    this.#byId.set(ours.id, { ...ours, state, at, outLine: key });
  }

  return(ours: OurPayment, { key }: RailLine): void {
    this.#byId.set(ours.id, { ...ours, state: 'returned', backLine: key });
  }

  /** Of the same amount and without a line, the nearest in time first. */
  suggest(line: RailLine): readonly string[] {
    if (line.direction === 'back') return [];
    const apart = ({ at }: OurPayment) => Math.abs(at.getTime() - line.at.getTime());
    return [...this.#byId.values()]
      .filter((ours) => ours.outLine === null && ours.state !== 'failed' && ours.amount === line.amount)
      .toSorted((a, b) => apart(a) - apart(b) || (a.id < b.id ? -1 : 1))
      .slice(0, SUGGESTIONS_MAX)
      .map(({ id }) => id);
  }
}
