import type { AttemptOutcome } from '../job/job.ts';
import type { JobId, ProjectId } from '../shared/ids.ts';
import type { SingleJob } from '../job/single.ts';
import type { KeyMode } from '../project/key.ts';
import type { Called, Health } from './classify-response.ts';

/** One event for one place, with all that a call needs. */
export interface WebhookWork {
  readonly jobId: JobId;
  readonly projectId: ProjectId;
  readonly mode: KeyMode;
  readonly eventId: string;
  readonly eventType: string;
  /** Null: it goes to the event's own `callback_url`. */
  readonly endpointId: string | null;
  readonly url: string;
  readonly body: string;
  /** `whsec_…`, the current one first; each signs. */
  readonly secrets: readonly string[];
  /** The attempt's number, from 1. */
  readonly attempt: number;
  /** Attempts at which the endpoint asked for time. */
  readonly snoozes: number;
}

export interface Delivery {
  readonly work: WebhookWork;
  readonly called: Called;
  readonly health: Health;
  readonly outcome: AttemptOutcome;
  readonly reason: string | null;
  readonly latencyMs: number;
  readonly at: Date;
}

export interface WebhookJobs {
  /** Null when there is no such job. */
  readonly read: (id: JobId) => Promise<SingleJob<WebhookWork> | null>;
  /** Writes the delivery and what it says of its endpoint, which may be disabled by it, in one commit. Safe to repeat. */
  readonly record: (delivery: Delivery) => Promise<void>;
}

export interface WebhookCall {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** POSTs once to a customer's server, and to nothing inside our own network. Every fault is an answer; only a bug throws. */
export type CallWebhook = (call: WebhookCall, signal: AbortSignal) => Promise<Called>;

/** The `webhook-signature` of Standard Webhooks: `v1,…` by each secret, separated by spaces. */
export type SignWebhook = (
  secrets: readonly string[],
  message: { readonly id: string; readonly timestampSeconds: number; readonly body: string },
) => string;
