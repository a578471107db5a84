import { z } from 'zod';
import { VerificationId } from '../shared/ids.ts';
import { OWN_APP_PROVIDER } from './channel.ts';
import { defineJob, doublingMs, everyCommand } from '../job/define-job.ts';

/** One send of a verification's code along its chain of channels. A resend is a new job of the same verification. */
export const otpSend = defineJob({
  kind: 'otp-send',
  payload: z.object({ verification_id: VerificationId }),
  labels: z.object({
    /** In order, comma separated. */
    channels: z.string(),
    /** Masked, such as `+998•••••••67`. */
    to: z.string(),
  }),
  // Three channels and three SMS providers: two tries each, and three of the last one.
  attemptsMax: 13,
  // 1 s, 2 s: a person asks for a new code within a minute.
  delaysMs: doublingMs(1_000, 2),
  // Of each channel: a message may repeat once where nobody knows whether it left.
  unknownMax: 2,
  attemptTimeoutMs: 10_000,
  // Four times what one provider may hold (a quarter each), so that a hung provider leaves three quarters free.
  concurrency: 400,
  // A person waits for it.
  scheduler: null,
  // A code that a provider took and nothing confirmed was sent, as far as anybody knows.
  deadline: 'confirms',
  staff: everyCommand,
  // How long it took us to write a challenge down.
  untimed: [OWN_APP_PROVIDER],
});
