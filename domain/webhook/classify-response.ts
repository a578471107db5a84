import { retryAfterMs } from '../shared/retry-after.ts';
import type { EngineReason } from '../job/reasons.ts';
import type { SendReply } from '../job/reply.ts';
import type { AnswerReason } from './reasons.ts';
import type { CallFault } from './call-fault.ts';

/** What came of one call to a customer's server. */
export type Called =
  | {
      readonly called: 'answered';
      readonly status: number;
      /** The header as it came, or null. */
      readonly retryAfter: string | null;
      /** The first bytes of the body. */
      readonly body: string;
    }
  | { readonly called: 'in-vain'; readonly fault: CallFault };

/** What a call says of the endpoint: a success ends its bad time, anything else begins or prolongs it. */
export type Health = 'well' | 'failing' | 'gone' | 'untold';

export interface Judgement {
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
export function judgeCall(called: Called, reference: string, snoozes: number, now: Date): Judgement {
  if (called.called === 'in-vain') return judgeFault(called.fault);
  const { status, retryAfter } = called;
  if (status >= 200 && status < 300)
    return { reply: { reply: 'accepted', reference, cost: null }, health: 'well' };
  if (status === GONE)
    return {
      reply: { reply: 'refused', reason: 'endpoint-gone' satisfies AnswerReason, addressIsDead: true },
      health: 'gone',
    };

  const waitMs =
    asksForTime.has(status) && snoozes < SNOOZES_MAX
      ? retryAfterMs(retryAfter, now, SNOOZE_MS_MAX)
      : undefined;
  if (waitMs !== undefined)
    return {
      reply: { reply: 'busy', because: 'provider-busy', retryAfterMs: Math.max(waitMs, SNOOZE_MS_MIN) },
      health: 'failing',
    };
  return { reply: { reply: 'faulted', reason: faultOf(status) }, health: 'failing' };
}

function judgeFault(fault: CallFault): Judgement {
  switch (fault) {
    case 'timeout':
    case 'connection-lost':
    case 'answer-unreadable':
      return { reply: { reply: 'unknown', reason: fault }, health: 'failing' };
    case 'interrupted':
      return { reply: { reply: 'unknown', reason: 'connection-lost' }, health: 'untold' };
    case 'not-connected':
      return { reply: { reply: 'faulted', reason: 'network' satisfies EngineReason }, health: 'failing' };
    case 'tls':
    case 'name-unresolved':
    case 'address-forbidden':
      return { reply: { reply: 'faulted', reason: fault }, health: 'failing' };
  }
}

function faultOf(status: number): AnswerReason {
  if (status < 400) return 'http-3xx';
  return status < 500 ? 'http-4xx' : 'http-5xx';
}
