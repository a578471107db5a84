import type { FinalState } from '../../domain/job/job.ts';
import type { ClosingAttempt } from '../../domain/job/store.ts';
import type { Logger } from './log.ts';
import { attemptsTotal, jobsFinished } from './metrics.ts';

type ToldAttempt = ClosingAttempt & {
  readonly channel: string;
  readonly provider: string;
  readonly requestId: string | null;
};

/** Counts and logs what the worker of a kind did. */
export function tellJobs(log: Pick<Logger, 'info'>, kind: string) {
  return {
    onAttempt: ({ jobId, n, channel, provider, outcome, reason, latencyMs, requestId }: ToldAttempt) => {
      attemptsTotal.inc({ kind, channel, provider, outcome });
      const ids = { kind, job_id: jobId, attempt: n, request_id: requestId };
      log.info({ ...ids, channel, provider, outcome, reason, latency_ms: latencyMs }, 'attempt');
    },
    onFinished: (state: FinalState) => jobsFinished.inc({ kind, state }),
  };
}
