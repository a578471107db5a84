import { otpSend } from './verify/job.ts';
import { push } from './message/push/job.ts';
import { telegramMessage } from './message/telegram/job.ts';
import { webhook } from './webhook/job.ts';

/** The one list of job kinds. A kind added here must also get a lane in `workers/main.ts`, or `npm run typecheck` says so. */
export const jobs = { 'otp-send': otpSend, 'telegram-message': telegramMessage, push, webhook } as const;

export type JobKind = keyof typeof jobs;
export const jobKinds = Object.keys(jobs) as readonly JobKind[];
