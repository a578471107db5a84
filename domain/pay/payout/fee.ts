/** What we take of a withdrawal: so many tiyin, and so many hundredths of a percent of its gross. */
export interface FeeRate {
  readonly flat: bigint;
  readonly hundredths: bigint;
}

/**
 * `0`, `100000`, `100000+1.5%`. At most 5 000 UZS and 9.99 %: of the smallest withdrawal, 10 000 UZS, something is left to pay. As the variable
 * is checked at the start of a process.
 */
const FEE_RATE = /^([1-4]?\d{1,5}|500000)(?:\+(\d)(?:\.(\d{1,2}))?%)?$/u;

/** @throws where it is not written so. */
export function feeRateOf(text: string): FeeRate {
  const [, flat, percent = '0', decimals = ''] = FEE_RATE.exec(text) ?? [];
  if (flat === undefined) throw new TypeError('expected <tiyin> or <tiyin>+<percent>%');
  return { flat: BigInt(flat), hundredths: BigInt(percent + decimals.padEnd(2, '0')) };
}

const WHOLE = 10_000n;

/** Of so many tiyin, in whole tiyin, rounded down. What is left is paid: net and fee are the gross. */
export const feeOf = (gross: bigint, { flat, hundredths }: FeeRate): bigint =>
  flat + (gross * hundredths) / WHOLE;
