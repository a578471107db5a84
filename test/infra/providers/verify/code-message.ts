import { JobId } from '../../../../domain/shared/ids.ts';
import type { CodeMessage } from '../../../../domain/verify/port.ts';

export const JOB_ID = JobId.parse('0198f3c2-6d5e-7a10-9b3c-2f1e4d5c6b7a');
export const CODE = '74772301';

export function messageTo(to: Partial<CodeMessage['to']>, changes: Partial<CodeMessage> = {}): CodeMessage {
  return {
    jobId: JOB_ID,
    attempt: 1,
    to: { phone: null, chatId: null, pushToken: null, ...to },
    code: CODE,
    text: `Navbat: your code is ${CODE}.`,
    title: 'Your code',
    locale: 'en',
    ttlSeconds: 120,
    ...changes,
  };
}
