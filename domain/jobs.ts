import { otpSend } from './verify/job.ts';
import { payout } from './pay/dispatch/job.ts';
import { payoutLink } from './pay/link/job.ts';
import { push } from './message/push/job.ts';
import { telegramMessage } from './message/telegram/job.ts';
import { trafficReport } from './earn/traffic/job.ts';
import { webhook } from './webhook/job.ts';

/** The registry of kinds: one line a kind. Its worker is wired in `workers/<context>/wire.ts`. */
export const jobs = {
  'otp-send': otpSend,
  'telegram-message': telegramMessage,
  push,
  payout,
  'payout-link': payoutLink,
  'traffic-report': trafficReport,
  webhook,
} as const;

export type JobKind = keyof typeof jobs;
export const jobKinds = Object.keys(jobs) as readonly JobKind[];
