import { reasonSentence } from '../../../domain/earn/traffic/words.ts';
import type { WatchedSession } from '../../../infra/postgres/earn/traffic/watch.ts';

/** A phone of the demonstration, as it is shown. */
export interface Shown {
  readonly manner: string;
  /** Bytes that went through, as the sandbox knows. */
  readonly carried: number;
  /** Undefined before anything of it was metered. */
  readonly metered: WatchedSession | undefined;
}

const mb = (bytes: bigint | number): string => `${(Number(bytes) / 1e6).toFixed(1)} MB`;
const uzs = (micros: bigint): string => (Number(micros / 10_000n) / 100).toFixed(2);

/** Its manner, what went through, what it says, what is paid of it in MB and UZS, what is not, and why. */
export function lineOf({ manner, carried, metered }: Shown): readonly string[] {
  if (!metered) return [manner, mb(carried), '-', '-', '-', '-', 'nothing is metered yet'];
  const reasons = Object.entries(metered.unpaid);
  return [
    manner,
    mb(carried),
    mb(metered.bytes),
    mb(metered.paidBytes),
    uzs(metered.paidMicros),
    mb(metered.bytes - metered.paidBytes),
    reasons.map(([reason, bytes]) => `${mb(bytes)}: ${reasonSentence(reason, 'en')}`).join(' '),
  ];
}
