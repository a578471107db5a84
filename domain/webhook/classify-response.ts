import { retryAfterMs } from '../shared/retry-after.ts';
import type { EngineReason } from '../job/reasons.ts';
import type { SendReply } from '../job/reply.ts';
import type { AnswerReason } from './reasons.ts';
import type { CallFault } from './call-fault.ts';

/** What came of one call to a customer's server. */
export type Called =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** The header as it came, or null. */
      readonly retryAfter: string | null;
      /** The first bytes of the body. */
      readonly body: string;
    }
  | { readonly kind: 'in-vain'; readonly fault: CallFault };

/** What a call says of the endpoint: a success ends its bad time, anything else begins or prolongs it. */
export type Health = 'well' | 'failing' | 'gone' | 'unknown';

export interface ResponseClass {
  readonly reply: SendReply;
  readonly health: Health;
}

/** RFC 9110 §15.5.11: whoever answers so will never want it again. */
const GONE = 410;
/** An endpoint may ask for time so often without using up its tries; then it is failing like any other. */
const SNOOZES_MAX = 10;
const SNOOZE_MS_MIN = 1_000;
/** An hour: longer than that is an outage, and the curve knows those. */
const SNOOZE_MS_MAX = 3_600_000;
const asksForTime: ReadonlySet<number> = new Set([429, 503]);

/** Standard Webhooks: 2xx is success; everything else, a redirect too, is tried again. `snoozes`: those that this job has had. */
export function classifyResponse(
  called: Called,
  reference: string,
  snoozes: number,
  now: Date,
): ResponseClass {
  if (called.kind === 'in-vain') return classifyFault(called.fault);
  const { status, retryAfter } = called;
  if (status >= 200 && status < 300)
    return { reply: { kind: 'accepted', reference, cost: null }, health: 'well' };
  if (status === GONE)
    return {
      reply: { kind: 'refused', reason: 'endpoint-gone' satisfies AnswerReason, addressIsDead: true },
      health: 'gone',
    };

  const waitMs =
    asksForTime.has(status) && snoozes < SNOOZES_MAX
      ? retryAfterMs(retryAfter, now, SNOOZE_MS_MAX)
      : undefined;
  if (waitMs !== undefined)
    return {
      reply: { kind: 'busy', because: 'provider-busy', retryAfterMs: Math.max(waitMs, SNOOZE_MS_MIN) },
      health: 'failing',
    };
  return { reply: { kind: 'faulted', reason: faultOf(status) }, health: 'failing' };
}

function classifyFault(fault: CallFault): ResponseClass {
  switch (fault) {
    case 'timeout':
    case 'connection-lost':
    case 'answer-unreadable':
      return { reply: { kind: 'unknown', reason: fault }, health: 'failing' };
    case 'interrupted':
      return { reply: { kind: 'unknown', reason: 'connection-lost' }, health: 'unknown' };
    case 'not-connected':
      return { reply: { kind: 'faulted', reason: 'network' satisfies EngineReason }, health: 'failing' };
    case 'tls':
    case 'name-unresolved':
    case 'address-forbidden':
      return { reply: { kind: 'faulted', reason: fault }, health: 'failing' };
  }
}

function faultOf(status: number): AnswerReason {
  if (status < 400) return 'http-3xx';
  return status < 500 ? 'http-4xx' : 'http-5xx';
}
