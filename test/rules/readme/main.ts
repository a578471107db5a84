import type { Redis } from 'ioredis';
import { z } from 'zod';
import { defineJob, doublingMs, everyCommand } from '../../../domain/job/define-job.ts';
import type { Guarded } from '../../../domain/job/guard.ts';
import { startQueueWorker } from '../../../infra/queue/queue-worker.ts';
import { type SingleDeps, singleWake } from '../../../workers/engine/single.ts';

interface Greeting {
  readonly text: string;
}

interface Given {
  /** Clock, randomness, store, log and metrics, as `workers/main.ts` has them. */
  readonly platform: Omit<SingleDeps<Greeting>, 'definition' | 'read' | 'providerOf'>;
  /** The job's row and what it is about. */
  readonly read: SingleDeps<Greeting>['read'];
  readonly greeter: Guarded<Greeting>;
  readonly connection: Redis;
  readonly onError: (error: Error) => void;
  readonly onSurprise: (error: Error) => void;
}

/** README's first code, compiled: `docs.test.ts` holds the two together. */
export function runGreetings({ platform, read, greeter, connection, onError, onSurprise }: Given): void {
  const greeting = defineJob({
    kind: 'greeting',
    payload: z.object({ greeting_id: z.uuid() }), // stays in Postgres
    labels: z.object({ to: z.string() }), // the only part stored in Redis and shown on Bull Board
    attemptsMax: 4,
    delaysMs: doublingMs(1_000, 3), // 1, 2 and 4 s; Postgres counts the attempts
    unknownMax: 2, // a greeting may arrive twice
    attemptTimeoutMs: 10_000,
    concurrency: 20,
    scheduler: { inFlightMax: 40 },
    deadline: 'expires',
    staff: everyCommand,
  });
  const wake = singleWake({ ...platform, definition: greeting, read, providerOf: () => greeter });
  startQueueWorker({ ...greeting, wake, connection, onError, onSurprise });
}
