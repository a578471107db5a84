/** Show that somebody asked for this very thing, such as a code. Only its asker was told the token; nothing of it is stored. */
export interface ProofTokens {
  of(id: string): string;
  /** The id that it is the token of; null where we never made it. */
  read(token: string): string | null;
}

/** Longer than any token that we make. */
export const PROOF_TOKEN_CHARS_MAX = 128;
