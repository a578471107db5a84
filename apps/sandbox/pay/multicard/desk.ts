import { type Answer, json, type Reply } from '../../http.ts';
import type { Timers } from '../../timers.ts';
import type { CardNames, Stage, Struck } from './faults.ts';
import { LIMIT_DETAILS, type RefusalCode, refused } from './models.ts';
import type { Rail } from './rail.ts';
import type { WebhookDoor } from './webhooks.ts';

/** What every call of the API stands on. */
export interface Desk {
  readonly rail: Rail;
  readonly timers: Timers;
  readonly clock: () => Date;
  readonly webhooks: WebhookDoor;
  readonly account: Account;
  /** Where people's browsers find the card form. */
  readonly origin: () => string;
}

export interface Account {
  readonly applicationId: string;
  readonly secret: string;
  readonly storeId: string;
}

/** A reply, and by which order of faults it came. */
export interface Outcome {
  readonly reply: Reply;
  readonly fault?: number;
}

/** The answer to `act`, or what an order makes of the call. @param act does it; called at most once. */
export async function underFault(
  { rail, timers }: Desk,
  stage: Stage,
  card: CardNames,
  act: (fault: Struck | undefined) => Answer | Promise<Answer>,
): Promise<Outcome> {
  const fault = rail.faults.take(stage, card);
  if (fault && fault.delay_ms > 0) await timers.sleep(divided(rail, fault.delay_ms));
  if (!fault) return { reply: await act(undefined) };
  return { reply: await replyTo(rail, fault, () => act(fault)), fault: fault.index };
}

export const divided = (rail: Rail, ms: number): number => ms / rail.settings.wait_divisor;

const declines = {
  card: () => refused('ERROR_CARD_NOT_FOUND'),
  fields: () => refused('ERROR_FIELDS'),
  limit: () => refused('ERROR_FIELDS', LIMIT_DETAILS),
} as const;

const page = (body: string): Answer => ({ status: 200, headers: { 'content-type': 'text/html' }, body });
const plain = (code: RefusalCode, status: number): Answer => ({ ...refused(code), status });

/** What is not done by the call itself: `act` is called where the order lets it happen, or is about how it happens. */
async function replyTo(rail: Rail, fault: Struck, act: () => Answer | Promise<Answer>): Promise<Reply> {
  switch (fault.effect) {
    case 'decline':
      return declines[fault.because]();
    case 'hang-before':
      return { hangMs: divided(rail, fault.hang_ms) };
    case 'hang-after':
      await act();
      return { hangMs: divided(rail, fault.hang_ms) };
    case 'error-before':
      return plain('ERROR_UNKNOWN', fault.status);
    case 'error-after':
      await act();
      return plain('ERROR_UNKNOWN', fault.status);
    case 'garbage-before':
      return page(fault.body);
    case 'garbage-after':
      await act();
      return page(fault.body);
    case 'wallet-empty':
      return refused('ERROR_INSUFFICIENT_FUNDS');
    case 'not-ready':
      return refused('ERROR_TRANS_NOT_READY');
    case 'rate-limit':
      return json(429, { success: false }, { 'retry-after': String(fault.retry_after_seconds) });
    case 'denied':
      return refused('ERROR_ACCESS_DENIED');
    case 'expired-token':
      return plain('ERROR_ACCESS_DENIED', 401);
    case 'slow':
    case 'unknown':
    case 'progress':
    case 'fails':
    case 'revert':
    case 'pays-at-once':
    case 'webhooks':
      return act();
  }
}
