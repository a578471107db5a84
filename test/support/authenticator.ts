import { TOTP } from 'totp-generator';

const STEP_MS = 30_000;

/** An authenticator app in somebody's hand, by another implementation than ours. */
export interface Authenticator {
  /** Base32, as it was typed in or scanned. */
  readonly secret: string;
  /** What it shows at a time. */
  codeAt(at: Date): Promise<string>;
  /** A code that this one has not given before: where its person can't wait for the next, the next one's, ahead of time. */
  freshCode(at: Date): Promise<string>;
}

export function authenticator(secret: string): Authenticator {
  let lastMs = 0;
  const codeAt = async (at: Date) =>
    (await TOTP.generate(secret, { timestamp: at.getTime(), explicitZeroPad: true })).otp;
  return {
    secret,
    codeAt,
    freshCode(at) {
      const stepMs = Math.floor(at.getTime() / STEP_MS) * STEP_MS;
      lastMs = Math.max(stepMs, lastMs + STEP_MS);
      if (lastMs > stepMs + STEP_MS) throw new Error('three logins within one step: move the clock');
      return codeAt(new Date(lastMs));
    },
  };
}
