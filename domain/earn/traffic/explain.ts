import type { SessionId } from '../ids.ts';
import type { MeteredDay } from './meter.ts';

/** A day as it is kept. */
export interface KeptDay extends MeteredDay {
  readonly sessionId: SessionId;
  /** When it was closed into the ledger; null while it is open. */
  readonly closedAt: Date | null;
  /** What of it is in the ledger by now, in 10^-6 UZS. */
  readonly postedMicros: bigint;
  /** What it had earned was taken back, and not given again. */
  readonly isTakenBack: boolean;
}

export const dayStates = ['open', 'paid', 'review', 'unpaid', 'taken-back'] as const;
export type DayState = (typeof dayStates)[number];

/** Where each byte of a day went. */
interface ExplainedDay {
  readonly state: DayState;
  readonly paidBytes: bigint;
  /** By reason; together exactly what is not paid. */
  readonly unpaid: readonly { readonly reason: string; readonly bytes: bigint }[];
}

export function explainDay({ verdict, payable, unpaid, isTakenBack, closedAt }: KeptDay): ExplainedDay {
  if (verdict !== 'pay') return { state: verdict, paidBytes: 0n, unpaid };
  if (isTakenBack)
    return {
      state: 'taken-back',
      paidBytes: 0n,
      unpaid: payable > 0n ? [...unpaid, { reason: 'taken-back', bytes: payable }] : unpaid,
    };
  return { state: closedAt === null ? 'open' : 'paid', paidBytes: payable, unpaid };
}
