import { exposeDepth, type KindDepth, metrics } from '../../infra/process/metrics.ts';

const names = [
  'navbat_queue_unfinished_jobs',
  'navbat_queue_waiting_jobs',
  'navbat_queue_oldest_waiting_seconds',
];

/** `exposeDepth` until the function that it returns is called: the next test file of this process has gauges of its own. */
export function exposeDepthForNow(read: () => Promise<readonly KindDepth[]>): () => void {
  exposeDepth(read);
  return () => {
    for (const name of names) metrics.removeSingleMetric(name);
  };
}
