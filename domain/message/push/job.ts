import { z } from 'zod';
import { defineJob, doublingMs, everyCommand } from '../../job/define-job.ts';

const CONCURRENCY = 200;

/** One push to one device or topic. Its content stands on the broadcast that it belongs to; a token stands encrypted. */
export const push = defineJob({
  kind: 'push',
  payload: z.object({
    broadcast_id: z.uuid(),
    to: z.discriminatedUnion('by', [
      z.object({ by: z.literal('recipient'), recipient_id: z.uuid() }),
      z.object({
        by: z.literal('token'),
        token_encrypted: z.string(),
        /** Keyed, in base64: by it an opt-out is found that outlived its recipient. */
        token_hash: z.string().optional(),
        /** Whose device it is, where the project has said so: by their preferences it is held back. */
        recipient_id: z.uuid().optional(),
      }),
      z.object({ by: z.literal('topic'), topic: z.string() }),
    ]),
  }),
  labels: z.object({
    channels: z.string(),
    /** A recipient's handle, or what is left of a token or a topic. */
    to: z.string(),
  }),
  attemptsMax: 5,
  // FCM asks for at least ten seconds: 10 s, 20 s, 40 s, 80 s.
  delaysMs: doublingMs(10_000, 4),
  // A message may repeat once where nobody knows whether it left.
  unknownMax: 2,
  attemptTimeoutMs: 10_000,
  concurrency: CONCURRENCY,
  // Twice what is worked on at once, so that workers never wait for the scheduler.
  scheduler: { inFlightMax: 2 * CONCURRENCY },
  deadline: 'expires',
  staff: everyCommand,
});
