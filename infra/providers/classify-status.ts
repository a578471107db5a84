import { retryAfterMs } from '../../domain/shared/retry-after.ts';
import type { SendReply } from '../../domain/job/reply.ts';
import { busy, faulted, refused, RETRY_AFTER_MS_MAX, unknown } from './replies.ts';

/** What came back over the wire, whatever the provider's package makes of it. */
export interface Answered {
  readonly status: number;
  /** The header, unread. */
  readonly retryAfter: string | undefined;
}

export interface StatusRules {
  /** How long to wait after a 429 that names no time. */
  readonly busyMs: number;
  /** Each message costs money: what may have been taken is unknown, and keeps its reservation. */
  readonly paid: boolean;
}

/** 1 s: whoever says "later" and names no time, or one that is past, is not asked again at once. */
const BUSY_MS_MIN = 1_000;

/**
 * What an answer means by its status alone (RFC 9110 §15), where its body is none of the provider's: a front end's HTML, an empty
 * body, cut JSON. Every provider client ends here, so that none of them has an opinion of its own.
 *
 * @param said the provider's own words; a front end's page is none of them.
 */
export function replyToStatus(
  { status, retryAfter }: Answered,
  { busyMs, paid }: StatusRules,
  said = `HTTP ${status}`,
): SendReply {
  const waitMs = retryAfterMs(retryAfter, new Date(), RETRY_AFTER_MS_MAX);
  if (status === 429) return busy(Math.max(waitMs ?? busyMs, BUSY_MS_MIN));
  // Taken, as far as anybody can tell.
  if (status < 300) return unknown('answer-unreadable');
  // Nobody redirects what they took: a front end points at a maintenance page or at another address.
  if (status < 400) return faulted('provider-unavailable', undefined, said);
  // The request came too slowly, or too early in a TLS session: it was not looked at.
  if (status === 408 || status === 425) return faulted('provider-unavailable', waitMs, said);
  if (status === 401 || status === 403 || status === 407) return refused('credentials', false, said);
  if (status === 413) return refused('message-invalid', false, said);
  if (status < 500) return refused('provider-refused', false, said);
  // The front end stopped waiting for a server that may have sent it.
  if (status === 504 && paid) return unknown('timeout');
  // 500 is their bug; the others mean that nobody was there to take the message.
  const reason = status === 500 ? 'provider-internal' : 'provider-unavailable';
  return faulted(reason, waitMs, said);
}
