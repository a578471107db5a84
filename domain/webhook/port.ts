import type { AttemptOutcome, JobState } from '../job/job.ts';
import type { Page, PageOrder } from '../shared/page.ts';
import type { Caller } from '../project/caller.ts';
import type { EndpointChange, EndpointView, NewEndpoint } from './endpoint.ts';
import type { WebhookEvent } from './event.ts';

/** Calls that one replay makes at most: some minutes of a healthy endpoint's time. */
export const REPLAY_CALLS_MAX = 10_000;

/** A secret as it is shown: `whsec_…`, and until when the ones before it go on signing. */
export interface SecretView {
  readonly secret: string;
  readonly createdAt: Date;
  readonly earlierUntil: Date | null;
}

export interface DeliveryView {
  readonly id: string;
  readonly event: WebhookEvent;
  /** Null: to the event's own `callback_url`. */
  readonly endpointId: string | null;
  readonly jobId: string;
  readonly attempt: number;
  /** Without its query. */
  readonly url: string;
  readonly outcome: AttemptOutcome;
  readonly reason: string | null;
  readonly statusCode: number | null;
  readonly latencyMs: number;
  readonly response: string | null;
  readonly at: Date;
}

export interface DeliveryFilter {
  readonly endpoint?: string | undefined;
  readonly event?: string | undefined;
  readonly status?: AttemptOutcome | undefined;
  /** At or after. */
  readonly from?: Date | undefined;
  /** Before. */
  readonly to?: Date | undefined;
}

export interface EventFilter {
  readonly type?: string | undefined;
  /** Written down at or after. */
  readonly from?: Date | undefined;
  /** Before. */
  readonly to?: Date | undefined;
}

/** One event's way to one place; a replay is a way of its own. */
export interface EventWay {
  readonly jobId: string;
  readonly endpointId: string | null;
  readonly state: JobState;
  readonly reason: string | null;
  readonly attemptCount: number;
  /** Null once it has ended. */
  readonly nextAt: Date | null;
  readonly acceptedAt: Date;
}

export interface EventTimeline {
  readonly event: WebhookEvent;
  readonly subjectId: string;
  readonly ways: readonly EventWay[];
}

export interface ReplayRange {
  /** Happened at or after. */
  readonly from: Date;
  /** Happened before. */
  readonly to: Date;
  /** Null: every endpoint that is enabled and takes the event's type, and the event's `callback_url`. */
  readonly endpointId: string | null;
  /** Leave out what a place has taken already. */
  readonly undeliveredOnly: boolean;
}

/** `calls`: so many jobs were made, or would be. What is still on its way to a place is not sent there twice. */
export type Replayed =
  | { readonly kind: 'done' | 'counted'; readonly events: number; readonly calls: number }
  | { readonly kind: 'too-many'; readonly events: number; readonly calls: number }
  | { readonly kind: 'no-event' | 'no-endpoint' | 'endpoint-disabled' };

/** A test key has endpoints, events and a secret of its own, and never sees those of the live keys. */
export type WebhookOwner = Pick<Caller, 'projectId' | 'mode'>;

/** Callbacks as their project sees and orders them. */
export interface Webhooks {
  endpoints(of: WebhookOwner): Promise<readonly EndpointView[]>;
  endpoint(of: WebhookOwner, id: string): Promise<EndpointView | null>;
  /** Null where the project has as many as it may. The secret is shown this once. */
  create(
    of: WebhookOwner,
    order: NewEndpoint,
    now: Date,
  ): Promise<{ readonly endpoint: EndpointView; readonly secret: string } | null>;
  change(of: WebhookOwner, id: string, change: EndpointChange, now: Date): Promise<EndpointView | null>;
  /** False where there is none. What is on its way to it is not sent any more. */
  remove(of: WebhookOwner, id: string, now: Date): Promise<boolean>;

  /** The project's own secret, made when it is first asked for or needed. */
  secret(of: WebhookOwner, now: Date): Promise<SecretView>;
  /** A new secret for an endpoint, or for the project where `endpointId` is null; the old ones sign on for a day. */
  rotate(of: WebhookOwner, endpointId: string | null, now: Date): Promise<SecretView | null>;

  deliveries(of: WebhookOwner, filter: DeliveryFilter, order: PageOrder): Promise<Page<DeliveryView>>;
  /** Newest first. */
  events(of: WebhookOwner, filter: EventFilter, order: PageOrder): Promise<Page<WebhookEvent>>;
  event(of: WebhookOwner, id: string): Promise<EventTimeline | null>;
  replay(of: WebhookOwner, eventId: string, endpointId: string | null, now: Date): Promise<Replayed>;
  replayRange(of: WebhookOwner, range: ReplayRange, how: 'count' | 'replay', now: Date): Promise<Replayed>;
  /** Sends a `test` event to one endpoint, whatever types it takes. */
  test(
    of: WebhookOwner,
    endpointId: string,
    requestId: string,
    now: Date,
  ): Promise<{ readonly eventId: string } | 'no-endpoint' | 'endpoint-disabled'>;
}

export { type DisabledReason, disabledReasons } from './endpoint.ts';
