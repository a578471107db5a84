import { generateSync } from 'otplib/functional';

/** RFC 6238 §5.2 recommends 30 s; standard authenticator apps know nothing else. */
export const TOTP_STEP_SECONDS = 30;
export const TOTP_DIGITS = 6;
/** RFC 4226 R6. */
export const TOTP_SECRET_BYTES = 20;
/** contracts §1: a clock may be one step behind or ahead. */
const DRIFT_STEPS = 1;
/**
 * Wrong codes to one destination in one project, over its life, after which the project takes no TOTP for it until the person
 * acts on a bound device or in their proven chat. A guess hits one of 3 codes of 10^6, so that all of them together find a
 * device in 0.3 % of all cases, and one of five in 1.5 %. Who mistypes twice a week gets there in ten years.
 */
export const TOTP_FAILURES_MAX = 1_000;

/** The step of RFC 6238 in which a moment lies. */
export const totpStep = (at: Date): number => Math.floor(at.getTime() / 1_000 / TOTP_STEP_SECONDS);

/** The code of one step: HOTP (RFC 4226) with the step as its counter, SHA-1. */
export const totpCode = (secret: Uint8Array, step: number): string =>
  generateSync({ strategy: 'hotp', secret, counter: step, digits: TOTP_DIGITS });

/** The steps whose codes are taken now, the likeliest first. */
export function acceptedSteps(now: Date): readonly number[] {
  const step = totpStep(now);
  return [
    step,
    ...Array.from({ length: DRIFT_STEPS }, (_, index) => [step - index - 1, step + index + 1]).flat(),
  ];
}
