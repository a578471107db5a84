import type { SignatureHolds } from '../../../domain/identity/approval/challenge.ts';
import { verifySignature } from './signature.ts';
import { statementBytes } from './statement.ts';

/** Whether the device of this key signed this answer to a challenge. */
export const approvalSignatureHolds: SignatureHolds = (key, statement, signature) =>
  verifySignature(key, statementBytes('navbat-approval-v1', statement), Buffer.from(signature, 'base64url'));
