import type { JobKind } from '../../../domain/jobs.ts';
import type { Queues } from '../../../infra/queue/queues.ts';
import type { Navbat } from '../../support/navbat.ts';

/** The wait for a confirmation passes: the attempts are as old as that, the row is due, and a queue entry that sleeps until then is taken. */
export async function passWait(
  { navbat, queues }: { readonly navbat: Navbat; readonly queues: Queues<JobKind> },
  jobId: string,
  seconds: number,
): Promise<void> {
  await navbat.db.query(
    `update attempt set opened_at = opened_at - make_interval(secs => $2), closed_at = closed_at - make_interval(secs => $2)
     where job_id = $1`,
    [jobId, seconds],
  );
  await navbat.db.query('update job set run_at = now() where id = $1 and finished_at is null', [jobId]);
  const queue = queues.of['otp-send'];
  const entry = await queue.getJob(jobId);
  if (await entry?.isDelayed()) await entry?.promote();
}
