import { z } from 'zod';
import { defineJob } from '../../job/define-job.ts';

/** One message to one chat. Its text stands on the broadcast that it belongs to. */
export const telegramMessage = defineJob({
  kind: 'telegram-message',
  payload: z.object({
    broadcast_id: z.uuid(),
    chat_id: z.string().regex(/^-?\d{1,19}$/),
    recipient_id: z.uuid().nullable(),
  }),
  attemptsMax: 5,
  // 2 s, 4 s, 8 s, 16 s: a fault of Telegram's passes within a minute or not at all.
  backoffFirstMs: 2_000,
  attemptTimeoutMs: 10_000,
  // A bot may send 30 a second, which a handful in hand keeps up; a bot that Telegram grants more needs as many as pushes do.
  concurrency: 200,
});
