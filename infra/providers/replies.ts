import { providerWords } from '../../domain/job/provider-words.ts';
import type { BusyReason, SendReply } from '../../domain/job/reply.ts';
import type { AttemptReason } from '../../domain/reasons.ts';

/** 1 h: who asks for more is broken or has blocked us, and either is worth another look. */
export const RETRY_AFTER_MS_MAX = 3_600_000;
/** Errors wrap one another three deep at most; the bound is against a cycle. */
const CAUSES_MAX = 5;

/** @param said the provider's own words, if it used any. */
export const refused = (reason: AttemptReason, addressIsDead = false, said = ''): SendReply => ({
  kind: 'refused',
  reason,
  addressIsDead,
  ...detailOf(said),
});
/** @param retryAfterMs how long the provider asks us to wait before the next try. */
export const faulted = (reason: AttemptReason, retryAfterMs?: number, said = ''): SendReply => ({
  kind: 'faulted',
  reason,
  ...(retryAfterMs !== undefined && { retryAfterMs: boundedWait(retryAfterMs) }),
  ...detailOf(said),
});
function detailOf(said: string): { readonly detail?: string } {
  const detail = providerWords(said);
  return detail === undefined ? {} : { detail };
}
export const busy = (retryAfterMs: number, because: BusyReason = 'provider-busy'): SendReply => ({
  kind: 'busy',
  because,
  retryAfterMs: boundedWait(retryAfterMs),
});
const boundedWait = (ms: number) => Math.min(Math.max(ms, 0), RETRY_AFTER_MS_MAX);
export const unknown = (reason: Extract<SendReply, { kind: 'unknown' }>['reason']): SendReply => ({
  kind: 'unknown',
  reason,
});

/** Node's and undici's own, and OpenSSL's of a certificate: in each of these no byte of the message has left. */
const codesBeforeSending = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
const callsBeforeSending = new Set(['connect', 'getaddrinfo']);

const codesAfterSending: Readonly<Record<string, SendReply>> = {
  UND_ERR_HEADERS_TIMEOUT: unknown('timeout'),
  UND_ERR_BODY_TIMEOUT: unknown('timeout'),
  ETIMEDOUT: unknown('timeout'),
  UND_ERR_SOCKET: unknown('connection-lost'),
  ECONNRESET: unknown('connection-lost'),
  ECONNABORTED: unknown('connection-lost'),
  EPIPE: unknown('connection-lost'),
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: unknown('connection-lost'),
  UND_ERR_RES_EXCEEDED_MAX_SIZE: unknown('answer-unreadable'),
};

/**
 * The reply to a request that got no answer, from the error of the socket underneath. Null for an error that is none of
 * the network's: then somebody has made a mistake.
 */
export function replyWithoutAnswer(error: unknown, signal: AbortSignal): SendReply | null {
  if (signal.aborted) return unknown('timeout');
  for (const cause of causesOf(error)) {
    if (isBeforeSending(cause)) return faulted('network');
    const code = textOf(cause, 'code');
    if (code.startsWith('HPE_') || textOf(cause, 'name') === 'HTTPParserError')
      return unknown('answer-unreadable');
    const reply = codesAfterSending[code];
    if (reply) return reply;
  }
  return null;
}

function isBeforeSending(error: object): boolean {
  // Node tries all addresses of a name and gathers their errors.
  if (error instanceof AggregateError && error.errors.length > 0)
    return error.errors.every((each) => typeof each === 'object' && each !== null && isBeforeSending(each));
  return codesBeforeSending.has(textOf(error, 'code')) || callsBeforeSending.has(textOf(error, 'syscall'));
}

/** The error and what it wraps, outermost first. */
export function* causesOf(error: unknown): Generator<object> {
  let cause = error;
  for (let depth = 0; depth < CAUSES_MAX && typeof cause === 'object' && cause !== null; depth++) {
    yield cause;
    cause = 'cause' in cause ? cause.cause : undefined;
  }
}

function textOf(error: object, name: 'code' | 'syscall' | 'name'): string {
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : '';
}

/**
 * What to throw in place of an SDK's own error, whose message, fields and causes may hold the request: its number, its
 * text, the code, or a token in the URL. Its name and the stack's frames are kept.
 */
export function unexpected(provider: string, error: unknown): Error {
  const name = error instanceof Error ? error.name : typeof error;
  const wrapped = new Error(`${provider}: unexpected ${name}`);
  const frames =
    error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => /^ {4}at /.test(line)) : [];
  if (frames.length > 0) wrapped.stack = [`${wrapped.name}: ${wrapped.message}`, ...frames].join('\n');
  return wrapped;
}

/** The chain asks no channel whose address is missing; if it does, that is a bug. */
export function addressOf(provider: string, address: string | null): string {
  if (address === null) throw new Error(`${provider}: asked to send without an address`);
  return address;
}
