import { z } from 'zod';
import { VerificationId } from '../shared/ids.ts';
import { defineJob } from '../job/define-job.ts';

/** One send of a verification's code along its chain of channels. A resend is a new job of the same verification. */
export const otpSend = defineJob({
  kind: 'otp-send',
  payload: z.object({ verification_id: VerificationId }),
  // Four channels, three tries each: what the longest chain can use.
  attemptsMax: 12,
  // 1 s, 2 s: a person asks for a new code within a minute.
  backoffFirstMs: 1_000,
  attemptTimeoutMs: 10_000,
  // Four times what one provider may hold (a quarter each), so that a hung provider leaves three quarters free.
  concurrency: 400,
});
