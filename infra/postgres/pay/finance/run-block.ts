import type { RunBlock } from '../../../../domain/pay/finance/next.ts';

/** As `payout_batch_blocked` says it. */
export type RunBlockRow = 'difference' | 'otp' | 'approval' | null;

const blocks = {
  difference: 'rail-differs',
  otp: 'rail-otp',
  approval: 'approval-gone',
} as const satisfies Record<NonNullable<RunBlockRow>, RunBlock>;

export const runBlockOf = (row: RunBlockRow): RunBlock | null => (row === null ? null : blocks[row]);
