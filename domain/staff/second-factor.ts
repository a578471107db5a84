import { plainCode } from '../shared/typed-code.ts';
import type { Audits } from './audit.ts';
import type { OpenedSession } from './session.ts';

/** Enough for years of lost and forgotten phones; they are printed on one page. */
export const RECOVERY_CODES = 10;
/** 80 bits each (the brief's least), sixteen characters of base32: nothing to guess, and short enough to be typed. */
export const RECOVERY_CODE_BYTES = 10;
const RECOVERY_CODE_PATTERN = /^[A-Z2-7]{16}$/;
const RECOVERY_GROUP = /.{4}(?=.)/g;
const TOTP_PATTERN = /^\d{6}$/;

/** A code with its spaces is shorter than this; what is longer is neither. */
export const FACTOR_CHARACTERS_MAX = 64;

/**
 * NIST SP 800-63B-4 §3.2.2: at most 100 wrong ones in a row, and then a person acts. The lock alone forgets after a
 * quarter of an hour, so that whoever holds the password could go on for years; this many hit with 0.03 %.
 */
export const SECOND_FACTOR_FAILURES_MAX = 100;

/** What somebody typed, told apart by its form. */
export type GivenFactor =
  | { readonly by: 'totp'; readonly code: string }
  | { readonly by: 'recovery-code'; readonly code: string };
export type FactorKind = GivenFactor['by'];

/** Read as every typed code is, and in capitals; null for what can be neither. */
export function readFactor(text: string): GivenFactor | null {
  const code = plainCode(text).toUpperCase();
  if (TOTP_PATTERN.test(code)) return { by: 'totp', code };
  return RECOVERY_CODE_PATTERN.test(code) ? { by: 'recovery-code', code } : null;
}

/** In groups of four, as they are shown; `readFactor` takes them so. */
export const showRecoveryCode = (code: string): string => code.replaceAll(RECOVERY_GROUP, '$&-');

/** What somebody typed, and the cookie of the browser in which they did. */
export interface Shown {
  readonly code: string;
  readonly browser: string | null;
}

/** Why a second factor did not pass. Closed, so that each has its sentence. */
export const factorRefusals = ['malformed', 'wrong', 'used', 'locked', 'blocked'] as const;
export type FactorRefusal = (typeof factorRefusals)[number];

interface Refused {
  readonly passed: false;
  /**
   * `malformed`: it can be neither a code nor a recovery code, and costs no try. `locked` for a quarter of an hour, by wrong passwords and wrong second factors together; `blocked` until somebody
   * at the command line resets the second factor; `gone` when the session ended meanwhile.
   */
  readonly reason: FactorRefusal | 'gone';
}

export type Passed =
  | {
      readonly passed: true;
      readonly by: FactorKind;
      readonly session: OpenedSession;
      /** For the browser's cookie (`browser.ts`); null of a session without one. */
      readonly browser: string | null;
      readonly recoveryCodesLeft: number;
    }
  | Refused;

/** The codes are nowhere else: they are to be shown now. `already` when another session was first. */
export type SetUp =
  | {
      readonly passed: true;
      readonly session: OpenedSession;
      /** As above. */
      readonly browser: string | null;
      readonly recoveryCodes: readonly string[];
    }
  | { readonly passed: false; readonly reason: 'malformed' | 'wrong' | 'already' | 'gone' };

export type CodesRenewed =
  | { readonly passed: true; readonly recoveryCodes: readonly string[] }
  | { readonly passed: false; readonly reason: FactorRefusal };

export interface SecondFactorState {
  readonly boundAt: Date;
  readonly recoveryCodesLeft: number;
}

/**
 * The second factor of staff: a TOTP (RFC 6238), each code of it once, or a recovery code, each once. A wrong one counts
 * like a wrong password; only a right second factor forgives either, because a guesser may well have the password.
 */
export interface SecondFactors {
  /** Null until it is set up. */
  stateOf(staffId: string): Promise<SecondFactorState | null>;
  /** The secret that this pending session may set up, the same at each call; null once the account has a second factor. */
  offer(token: string, now: Date): Promise<Uint8Array | null>;
  /** Binds the offered secret, proven by a code of it, and makes the session whole. */
  setUp(token: string, shown: Shown, now: Date, audits: Audits<SetUp>): Promise<SetUp>;
  /** Makes a pending session full. */
  pass(token: string, shown: Shown, now: Date, audits: Audits<Passed>): Promise<Passed>;
  /** Ten new recovery codes in place of the old ones, for a TOTP. */
  renewRecoveryCodes(
    staffId: string,
    shown: Shown,
    now: Date,
    audits: Audits<CodesRenewed>,
  ): Promise<CodesRenewed>;
}
