const MICROS_OF_UZS = 1_000_000n;
const DECIMALS = 6;
/** Tiyin: of smaller parts as many as there are. */
const DECIMALS_SHOWN = 2;

/** 10^-6 UZS as people read them, exactly: `1234.50`, `-0.000001`. */
export function uzsOf(micros: bigint): string {
  const size = micros < 0n ? -micros : micros;
  const parts = String(size % MICROS_OF_UZS).padStart(DECIMALS, '0');
  const shown = parts.replace(/0+$/, '').padEnd(DECIMALS_SHOWN, '0');
  return `${micros < 0n ? '-' : ''}${size / MICROS_OF_UZS}.${shown}`;
}
