import { createHmac, createSecretKey, scryptSync } from 'node:crypto';
import type { JobId } from '../../../domain/shared/ids.ts';

const LABEL = 'navbat eskiz callback v1';
const KEY_BYTES = 32;
/** The name in the query of a callback's address. */
export const TOKEN_PARAMETER = 'token';

export type CallbackToken = (jobId: JobId, attempt: number) => string;

/**
 * What makes the address of one attempt's reports unguessable: Eskiz signs nothing. The key is scrypt's, once a process: who finds an
 * address in some log can't try passwords against it at a useful pace.
 */
export function eskizCallbackToken({ password }: { readonly password: string }): CallbackToken {
  const key = createSecretKey(scryptSync(password, LABEL, KEY_BYTES));
  return (jobId, attempt) => createHmac('sha256', key).update(userSmsId(jobId, attempt)).digest('base64url');
}

/** Ours of a message, which Eskiz gives back in its reports. */
export const userSmsId = (jobId: JobId, attempt: number): string => `${jobId}-${attempt}`;
