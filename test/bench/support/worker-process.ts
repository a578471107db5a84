import { z } from 'zod';
import { stopwatch } from './stopwatch.ts';

/** The environment of a worker process of the bench, beside what the platform's own workers are given. */
const Given = z.object({
  BENCH_WARMUP: z.coerce.number().int().min(1),
  BENCH_JOBS: z.coerce.number().int().min(1),
  BENCH_CONCURRENCY: z.coerce.number().int().min(1),
});

export const WorkerReport = z.object({ bench: z.literal('worker'), jobs: z.int(), seconds: z.number() });

/** Says `ready`, works off all that waits, reports how fast, and ends when it is told to. */
export async function workOff(
  start: (order: { done: () => void; concurrency: number; total: number }) => Promise<() => Promise<unknown>>,
): Promise<void> {
  const { BENCH_WARMUP: warmup, BENCH_JOBS: jobs, BENCH_CONCURRENCY: concurrency } = Given.parse(process.env);
  const watch = stopwatch(warmup, warmup + jobs);
  const stop = await start({ done: () => watch.done(), concurrency, total: warmup + jobs });
  process.once('SIGTERM', () => void stop().finally(() => process.exit(0)));
  console.log('ready');
  const report = { bench: 'worker', ...(await watch.finished) } satisfies z.infer<typeof WorkerReport>;
  console.log(JSON.stringify(report));
}
