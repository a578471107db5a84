import { randomBytes } from 'node:crypto';

const TOKEN_BYTES = 32;

/** Whoever has it may bind the card to which a payout goes. */
export const newLinkToken = (): string => randomBytes(TOKEN_BYTES).toString('base64url');
