import { z } from 'zod';
import type { KeyMode } from '../project/key.ts';

/** Everything that a project can be told of. Order of arrival is not promised: `timestamp` says when it happened. */
export const eventTypes = [
  'verification.approved',
  'verification.denied',
  'verification.expired',
  'verification.cancelled',
  'verification.spent',
  'verification.delivered',
  'verification.failed',
  'message.sent',
  'message.failed',
  'broadcast.finished',
  /** Somebody pressed a button under a message: what they pressed, where, and who. */
  'telegram.callback',
  /** A group that the project sends to became a supergroup: its old and its new id. */
  'telegram.chat_migrated',
  /** Half of a day's budget for paid messages is spent. */
  'budget.half_spent',
  'endpoint.disabled',
  'test',
] as const;
export const EventType = z.enum(eventTypes);
export type EventType = z.infer<typeof EventType>;

/** When each is sent, in words for who chooses among them. */
export const eventMeanings: Readonly<Record<EventType, string>> = {
  'verification.approved': 'The right code came, or the person approved on their device.',
  'verification.denied': 'The person said no on their device.',
  'verification.expired': 'Its time was over before a right code came.',
  'verification.cancelled': 'You cancelled it, or a newer one took its place.',
  'verification.spent': 'It used up its checks.',
  'verification.delivered': 'A code was sent, as far as its provider says.',
  'verification.failed': 'A code could not be sent; `reason` says why.',
  'message.sent': 'A message or a push reached its provider.',
  'message.failed': 'A message or a push could not be sent; `reason` says why.',
  'broadcast.finished': 'Nothing of a message to one or to many waits any more.',
  'telegram.callback':
    'Somebody pressed a button under your message: data (as their client sent it), chat_id, message_id, user_id, recipient_id, job_id and broadcast_id say what, where and who.',
  'telegram.chat_migrated':
    'A group that you send to became a supergroup: from_chat_id is its old id, to_chat_id the new one, which your recipient (recipient_id) has now.',
  'budget.half_spent':
    'Half of your budget for paid messages of a day (UTC) is spent; once a day. day, budget_micros, spent_micros and, of it, publishable_spent_micros for requests with publishable keys.',
  'endpoint.disabled': 'An endpoint was disabled, by a 410 or after days without a success.',
  test: 'You asked for it (`POST /webhooks/endpoints/{id}/test`).',
};

export interface WebhookEvent {
  /** The `webhook-id`: the same at each try, at each endpoint and in each replay. */
  readonly id: string;
  readonly type: string;
  /** Of the key that asked for what it tells of. */
  readonly mode: KeyMode;
  readonly happenedAt: Date;
  /** The id of what it tells of and how that stood then; never a code, and recipients masked. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** The body, byte for byte the same at each try. */
export const eventBody = ({ type, mode, happenedAt, data }: Omit<WebhookEvent, 'id'>): string =>
  JSON.stringify({ type, timestamp: happenedAt.toISOString(), mode, data });
