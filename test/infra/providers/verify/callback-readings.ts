import type { CallbackReader, CallbackRequest } from '../../../../domain/verify/callback.ts';
import type { Received } from '../../../apps/sandbox/support.ts';
import { JOB_ID } from './code-message.ts';

/** As the api would hand a request over. */
const requestOf = (origin: string, received: Received, attempt = 1): CallbackRequest => ({
  url: `${origin}${received.url}`,
  headers: received.headers,
  body: Buffer.from(received.body),
  jobId: JOB_ID,
  attempt,
});

/** What reading all that came says, in the order of arrival. */
export const readAll = (
  reader: CallbackReader,
  { url, received }: { url: string; received: readonly Received[] },
) => received.map((one) => reader.read(requestOf(url, one), new Date()));

export const statusesOf = (readings: ReturnType<typeof readAll>) =>
  readings.flatMap((reading) => (reading.kind === 'report' ? [reading.report.status] : []));
