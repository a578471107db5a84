import type { RunBlock } from '../../../../domain/pay/finance/next.ts';

/** As `payout_run_blocked` says it. */
export type RunBlockRow = 'difference' | 'otp' | null;

const blocks = { difference: 'rail-differs', otp: 'rail-otp' } as const satisfies Record<
  NonNullable<RunBlockRow>,
  RunBlock
>;

export const runBlockOf = (row: RunBlockRow): RunBlock | null => (row === null ? null : blocks[row]);
