import canonicalize from 'canonicalize';
import { createHash } from 'node:crypto';
import { netsOf } from '../../domain/shared/ip-address.ts';
import type { RouteRequest } from './route.ts';

export type IdempotentRequest = Pick<
  RouteRequest<unknown, unknown, unknown>,
  'caller' | 'idempotencyKey' | 'ip'
>;

/**
 * Under which name the answer is kept, and the hash of what was asked. The name belongs to the API key: another key of the project
 * can neither take a name that this one uses nor be shown its answer. A publishable key is in anybody's hands, so that there it
 * belongs to the address too. No caller's key holds a space, so that no name can be spelled as another's.
 *
 * @param asked the request with its defaults filled in: what means the same hashes the same, in whatever order its members come (RFC 8785).
 */
export function idempotencyOf({ caller, idempotencyKey, ip }: IdempotentRequest, asked: unknown) {
  if (idempotencyKey === null) return null;
  const from = caller.access === 'publishable' ? ` ${netsOf(ip)[0].subject}` : '';
  return { key: `key ${caller.keyId}${from} ${idempotencyKey}`, bodyHash: canonicalHash(asked) };
}

function canonicalHash(asked: unknown): string {
  const text = canonicalize(asked);
  if (text === undefined) throw new Error('a request is JSON');
  return createHash('sha256').update(text).digest('hex');
}
