import type { SecondFactors } from '../../domain/staff/second-factor.ts';

/** What leaves a row in the audit, without it; in no browser where none is named. */
export const unauditedFactors = (factors: SecondFactors) => ({
  ...factors,
  setUp: (token: string, code: string, at: Date, browser: string | null = null) =>
    factors.setUp(token, { code, browser }, at, () => []),
  pass: (token: string, code: string, at: Date, browser: string | null = null) =>
    factors.pass(token, { code, browser }, at, () => []),
  renewRecoveryCodes: (staffId: string, code: string, at: Date, browser: string | null = null) =>
    factors.renewRecoveryCodes(staffId, { code, browser }, at, () => []),
});
