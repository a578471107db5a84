import { z } from 'zod';
import { defineJob, doublingMs, everyCommand } from '../../job/define-job.ts';

/** A bot may send 30 a second, which a handful keeps up; a bot that Telegram grants more needs as many as pushes do. */
const CONCURRENCY = 200;

/** One message to one chat. Its text stands on the broadcast that it belongs to. */
export const telegramMessage = defineJob({
  kind: 'telegram-message',
  payload: z.object({
    broadcast_id: z.uuid(),
    chat_id: z.string().regex(/^-?\d{1,19}$/, 'expected the number of a chat'),
    recipient_id: z.uuid().nullable(),
    /** Keyed, in base64: by it an opt-out is found that outlived its recipient. A bare chat has it as the job's address. */
    chat_hash: z.string().optional(),
  }),
  labels: z.object({
    channels: z.string(),
    /** The masked chat. */
    to: z.string(),
  }),
  attemptsMax: 5,
  // 2 s, 4 s, 8 s, 16 s: a fault of Telegram's passes within a minute or not at all.
  delaysMs: doublingMs(2_000, 4),
  // A message may repeat once where nobody knows whether it left.
  unknownMax: 2,
  attemptTimeoutMs: 10_000,
  concurrency: CONCURRENCY,
  // What the bot may send in a quarter of a second, and a few that are on their way.
  scheduler: { inFlightMax: 2 * CONCURRENCY, ahead: { seconds: 0.25, inFlightMin: 4 } },
  deadline: 'expires',
  staff: everyCommand,
});
