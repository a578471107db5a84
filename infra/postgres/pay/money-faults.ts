import pg from 'pg';
import { z } from 'zod';
import {
  askRefusals,
  type AskRefusal,
  MoneyRefusedError,
  type MoneyRefusal,
  type RefusedOf,
  type ProofFault,
  proofFaults,
} from '../../../domain/pay/refusals.ts';

/** As `payout_run_blocked` says it. */
const railRefusals: Readonly<Record<string, 'rail-differs' | 'rail-otp'>> = {
  difference: 'rail-differs',
  otp: 'rail-otp',
};

/** The SQLSTATEs of the functions and triggers that move money, by what each is to who asked. The detail says more, and the hint of which payout. */
const faults: Readonly<
  Record<string, (detail: string | undefined, of: RefusedOf | undefined) => MoneyRefusal>
> = {
  NB001: () => ({ kind: 'insufficient' }),
  NB002: () => ({ kind: 'key-reused' }),
  NB003: () => ({ kind: 'no-such-move' }),
  NB010: (state, of) => ({ kind: 'payout-state', state: state ?? null, of }),
  NB011: (detail, of) => ({ kind: 'not-payable', because: askRefusalOf(detail), of }),
  NB020: () => ({ kind: 'stale-version' }),
  NB021: () => ({ kind: 'maker' }),
  NB022: () => ({ kind: 'role' }),
  NB023: (detail) => ({ kind: 'proof', because: proofFaultOf(detail) }),
  NB024: (_, of) => ({ kind: 'content-differs', of }),
  NB025: () => ({ kind: 'own-money' }),
  NB026: () => ({ kind: 'approver-new' }),
  NB027: (state) =>
    state === 'rest-cancelled' ? { kind: 'rest-cancelled' } : { kind: 'batch-state', state: state ?? null },
  NB028: (_, of) => ({ kind: 'unknown', of }),
  NB030: (state) => ({ kind: 'arrow', state: state ?? null }),
  NB031: (why) => ({ kind: railRefusals[why ?? ''] ?? 'stopped' }),
  NB033: () => ({ kind: 'settle-later' }),
  NB034: (who) => ({ kind: 'approval-gone', who: who || null }),
  /** Of earn's functions, whose numbers begin at NB040. */
  NB048: () => ({ kind: 'decide-limit' }),
  /** Postgres: a lock was not to be had within `lock_timeout`; two waited for each other; what was read has changed. */
  '55P03': () => ({ kind: 'busy' }),
  '40P01': () => ({ kind: 'busy' }),
  '40001': () => ({ kind: 'busy' }),
};

/** What a function of money has refused, for the caller; null where the error is a fault of ours, or of the database. */
export function moneyRefusalOf(error: unknown): MoneyRefusal | null {
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return null;
  return (
    faults[error.code]?.(error.detail, error.hint?.startsWith('{') ? ofHint.parse(error.hint) : undefined) ??
    null
  );
}

/** As `payout_refused_of` writes it. Postgres has hints of its own, which are sentences. */
const ofHint = z
  .string()
  .transform((text): unknown => JSON.parse(text))
  .pipe(z.strictObject({ payout_id: z.uuid(), line: z.int().optional() }))
  .transform(({ payout_id: payoutId, line }): RefusedOf => ({ payoutId, line }));

/** @throws where the function says what no list has: the two have come apart. */
function askRefusalOf(detail: string | undefined): AskRefusal {
  const word = askRefusals.find((one) => one === detail);
  if (!word) throw new Error(`a payout was refused because of ${detail}`);
  return word;
}

function proofFaultOf(detail: string | undefined): ProofFault {
  const word = proofFaults.find((one) => one === detail);
  if (!word) throw new Error(`a proof was refused because of ${detail}`);
  return word;
}

/** @throws MoneyRefusedError where a function of money has refused; whatever else was thrown as it is. */
export async function refusing<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    const refusal = moneyRefusalOf(error);
    throw refusal === null ? error : new MoneyRefusedError(refusal, { cause: error });
  }
}
