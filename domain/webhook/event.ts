import type { KeyMode } from '../project/key.ts';

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
