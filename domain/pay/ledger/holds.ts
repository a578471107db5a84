import {
  type AccountId,
  type AccountName,
  type Ledger,
  Micros,
  type Posted,
  type PostedTransfer,
  type Refused,
} from './port.ts';

/** Whose money is held, and for what. */
interface Held {
  /** What the hold is of, such as a withdrawal. It is held once. */
  readonly subjectId: string;
  readonly from: { readonly kind: 'person' | 'project'; readonly id: string };
  readonly amount: Micros;
}
interface Act {
  readonly subjectId: string;
  readonly eventAt: Date;
  readonly actor: string;
}
/** A hold that was paid. What the rail charges is posted by itself: one of its payments may be of several holds. */
interface Paid {
  readonly rail: string;
  /** Ours, out of what was held; the rest went out by the rail. */
  readonly fee: bigint;
}

type Resolved =
  | { readonly ok: true; readonly repeated: boolean }
  /** `resolved`: it was settled or released before, or with other amounts. */
  | { readonly ok: false; readonly reason: 'no-such-hold' | 'resolved' };

export interface Holds {
  readonly hold: (held: Held & Act) => Promise<Posted | Refused>;
  readonly settle: (paid: Paid & Act) => Promise<Resolved>;
  readonly release: (act: Act) => Promise<Resolved>;
}

/** One hold a subject, and one end of it: a settlement and a release post under one key, so that of both the second is refused. */
const holdKey = (subjectId: string) => `hold:${subjectId}`;
const resolveKey = (subjectId: string) => `resolve:${subjectId}`;

const heldFrom = {
  person: ['available', 'held'],
  project: ['funded', 'funded-held'],
} as const;

/**
 * Money that is set aside, and then paid or given back. What a hold is resolved with is read off its own transfer, which never
 * changes: nobody settles more than was held, or out of another's hold.
 */
export function holds(ledger: Ledger): Holds {
  return {
    hold: async ({ from: { kind, id }, subjectId, amount, eventAt, actor }) => {
      const [own, held] = heldFrom[kind];
      const [debit, credit] = await opened(ledger, [
        { class: own, owner: id },
        { class: held, owner: id },
      ]);
      const key = holdKey(subjectId);
      return ledger.post({ key, kind: 'hold', debit, credit, amount, subjectId, eventAt, actor });
    },
    settle: async ({ rail, fee, ...act }) => {
      const hold = await ledger.find(holdKey(act.subjectId));
      return hold ? settle(ledger, hold, { rail, fee }, act) : noSuchHold;
    },
    release: async (act) => {
      const hold = await ledger.find(holdKey(act.subjectId));
      if (!hold) return noSuchHold;
      const { debit: own, credit: held, amount } = hold;
      const key = resolveKey(act.subjectId);
      const sides = { kind: 'release', debit: held, credit: own, amount } as const;
      return resolvedBy(await ledger.post({ key, ...sides, ...act }));
    },
  };
}

async function settle(ledger: Ledger, hold: PostedTransfer, paid: Paid, act: Act): Promise<Resolved> {
  const { fee, rail } = paid;
  if (fee < 0n || fee >= hold.amount) throw new RangeError('a fee is at least 0 and less than what is held');
  const [clearing, fees] = await opened(ledger, [{ class: 'clearing', rail }, { class: 'fee' }]);
  const key = resolveKey(act.subjectId);
  const net = {
    kind: 'pay',
    debit: hold.credit,
    credit: clearing,
    amount: Micros.parse(hold.amount - fee),
  } as const;
  const ours = (amount: Micros) => ({ kind: 'fee', debit: hold.credit, credit: fees, amount }) as const;
  return resolvedBy(
    await ledger.postAll([
      { key, ...net, ...act },
      ...(fee > 0n ? [{ key: `${key}:fee`, ...ours(Micros.parse(fee)), ...act }] : []),
    ]),
  );
}

const noSuchHold = { ok: false, reason: 'no-such-hold' } as const;

/** @throws where the ledger refuses what a hold has promised: somebody moved what was held past these functions. */
function resolvedBy(
  posted: Posted | { readonly ok: true; readonly posted: readonly Posted[] } | Refused,
): Resolved {
  if (!posted.ok) {
    if (posted.reason === 'key-reused') return { ok: false, reason: 'resolved' };
    throw new Error(`a hold can't be resolved: ${posted.reason}`);
  }
  const all = 'posted' in posted ? posted.posted : [posted];
  return { ok: true, repeated: all.every(({ repeated }) => repeated) };
}

const opened = async <const Names extends readonly AccountName[]>(ledger: Ledger, names: Names) =>
  (await ledger.open(names)) as { readonly [Name in keyof Names]: AccountId };
