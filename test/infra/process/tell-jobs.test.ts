import { expect, test } from 'vitest';
import { openLog } from '../../../infra/process/log.ts';
import { attemptsTotal, jobsFinished } from '../../../infra/process/metrics.ts';
import { tellJobs } from '../../../infra/process/tell-jobs.ts';

test('each attempt is a log line and a count, and each end of a job a count of its kind', async () => {
  const lines: Record<string, unknown>[] = [];
  const log = openLog('worker', 'info', {
    write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  });
  const { onAttempt, onFinished } = tellJobs(log, 'kind-of-this-test');
  const attempt = { channel: 'sms', provider: 'twilio', outcome: 'rejected', reason: 'landline' } as const;
  onAttempt({ ...attempt, jobId: 'job-1', n: 2, latencyMs: 270, requestId: 'req-1' } as never);
  onFinished('rejected');
  onFinished('rejected');

  expect(lines).toMatchObject([
    {
      kind: 'kind-of-this-test',
      job_id: 'job-1',
      attempt: 2,
      request_id: 'req-1',
      latency_ms: 270,
      ...attempt,
    },
  ]);
  const countsOf = async (metric: typeof jobsFinished | typeof attemptsTotal) =>
    (await metric.get()).values.filter(({ labels }) => labels.kind === 'kind-of-this-test');
  expect(await countsOf(jobsFinished)).toMatchObject([{ labels: { state: 'rejected' }, value: 2 }]);
  const { reason: _reason, ...labels } = attempt;
  // The reason is no label: providers word too many of them.
  expect(await countsOf(attemptsTotal)).toEqual([
    { labels: { kind: 'kind-of-this-test', ...labels }, value: 1 },
  ]);
});
