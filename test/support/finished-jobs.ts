import { jobsFinished } from '../../infra/process/metrics.ts';

/** What `navbat_jobs_finished_total` gained meanwhile. */
export async function countFinishedBy(work: () => Promise<unknown>): Promise<Record<string, number>> {
  const read = async () =>
    new Map(
      (await jobsFinished.get()).values.map(({ labels, value }) => [`${labels.kind} ${labels.state}`, value]),
    );
  const before = await read();
  await work();
  const gained = [...(await read())].map(([key, value]) => [key, value - (before.get(key) ?? 0)] as const);
  return Object.fromEntries(gained.filter(([, value]) => value > 0));
}
