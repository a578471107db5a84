/** What becomes of bytes that no gateway confirms (`require_counterpart`). */
export const requireCounterpart = ['pay', 'review', 'unpaid'] as const;
type RequireCounterpart = (typeof requireCounterpart)[number];

/** `pay`: with the close of the day. `review`: a person decides. `unpaid`: unless a person decides otherwise. */
export const verdicts = ['pay', 'review', 'unpaid'] as const;
export type Verdict = (typeof verdicts)[number];

/** Why a whole day of a session is not simply paid. */
type VerdictReason = 'no-counterpart' | 'counterpart-differs' | (string & {});

export interface Assessment {
  readonly verdict: Verdict;
  /** Null where it is paid. */
  readonly reason: VerdictReason | null;
}
export const PAID: Assessment = { verdict: 'pay', reason: null };

export interface CounterpartRules {
  readonly requireCounterpart: RequireCounterpart;
  /** Of the larger count. */
  readonly tolerancePercent: number;
}

/**
 * What of the bytes that a phone counted is paid, given what the gateways that carried them say of the same session and day.
 *
 * @param gateway null where none has reported.
 * @returns the smaller count, and what becomes of it.
 */
export function compareCounts(
  phone: bigint,
  gateway: bigint | null,
  { requireCounterpart: policy, tolerancePercent }: CounterpartRules,
): Assessment & { readonly payable: bigint } {
  const payable = gateway === null || phone < gateway ? phone : gateway;
  const doubt = doubtOf(phone, gateway, tolerancePercent);
  if (doubt === null || policy === 'pay') return { payable, ...PAID };
  return { payable, verdict: policy, reason: doubt };
}

function doubtOf(phone: bigint, gateway: bigint | null, tolerancePercent: number): VerdictReason | null {
  if (phone === 0n) return null;
  if (gateway === null) return 'no-counterpart';
  const [less, more] = phone < gateway ? [phone, gateway] : [gateway, phone];
  return (more - less) * 100n > more * BigInt(tolerancePercent) ? 'counterpart-differs' : null;
}

/** The stricter of two; of two alike the first, with its reason. */
export const stricter = (a: Assessment, b: Assessment): Assessment =>
  verdicts.indexOf(b.verdict) > verdicts.indexOf(a.verdict) ? b : a;
