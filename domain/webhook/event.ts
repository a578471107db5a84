import { z } from 'zod';

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
  'endpoint.disabled',
  'test',
] as const;
export const EventType = z.enum(eventTypes);
export type EventType = z.infer<typeof EventType>;

export interface WebhookEvent {
  /** The `webhook-id`: the same at each try, at each endpoint and in each replay. */
  readonly id: string;
  readonly type: string;
  readonly happenedAt: Date;
  /** The id of what it tells of and how that stood then; never a code, and recipients masked. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** The body, byte for byte the same at each try. */
export const eventBody = ({ type, happenedAt, data }: Omit<WebhookEvent, 'id'>): string =>
  JSON.stringify({ type, timestamp: happenedAt.toISOString(), data });
