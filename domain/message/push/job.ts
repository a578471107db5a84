import { z } from 'zod';
import { defineJob } from '../../job/define-job.ts';

/** One push to one device or topic. Its content stands on the broadcast that it belongs to; a token stands sealed. */
export const push = defineJob({
  kind: 'push',
  payload: z.object({
    broadcast_id: z.uuid(),
    to: z.discriminatedUnion('by', [
      z.object({ by: z.literal('recipient'), recipient_id: z.uuid() }),
      z.object({ by: z.literal('token'), token_sealed: z.string() }),
      z.object({ by: z.literal('topic'), topic: z.string() }),
    ]),
  }),
  attemptsMax: 5,
  // FCM asks for at least ten seconds: 10 s, 20 s, 40 s, 80 s.
  backoffFirstMs: 10_000,
  attemptTimeoutMs: 10_000,
  concurrency: 200,
});
