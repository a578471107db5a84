import type { z } from 'zod';

/** One kind of job. Its row, queue, worker, metrics and OpenAPI entry all derive from this value. */
export interface JobDefinition<Kind extends string, Payload extends z.ZodType> {
  /** Queue name and `job.kind` column; BullMQ forbids ":" in it. */
  readonly kind: Kind;
  /** What the row carries: ids, never texts or codes. A payload that no longer parses is recorded as rejected. */
  readonly payload: Payload;
  /** Attempts over the whole life of the job; Postgres counts them. */
  readonly attemptsMax: number;
  /** First back-off; it doubles with each failed attempt and is jittered by up to a quarter. */
  readonly backoffFirstMs: number;
  /** Longest one attempt may run before its signal aborts. */
  readonly attemptTimeoutMs: number;
  /** Tickets in hand at once, in one worker process. */
  readonly concurrency: number;
}

export function defineJob<const Kind extends string, Payload extends z.ZodType>(
  definition: JobDefinition<Kind, Payload>,
): JobDefinition<Kind, Payload> {
  return Object.freeze(definition);
}
