import { expect, test } from 'vitest';
import { countFinished, exposeDepth, type KindDepth, metrics } from '../../../infra/process/metrics.ts';

const linesOf = async (name: string) =>
  (await metrics.metrics()).split('\n').filter((line) => line.startsWith(name) && !line.startsWith('#'));

test('jobs that ended together are counted together, and none makes no series', async () => {
  countFinished('a', 'completed', 3);
  countFinished('a', 'completed', 2);
  countFinished('b', 'completed', 0);
  expect(await linesOf('navbat_jobs_finished_total')).toEqual([
    'navbat_jobs_finished_total{kind="a",state="completed"} 5',
  ]);
});

test('a kind that is named no more leaves the page', async () => {
  const depth = (kind: string): KindDepth => ({ kind, unfinished: 2, waiting: 1, oldestWaitingSeconds: 7 });
  let kinds = [depth('a'), depth('b')];
  exposeDepth(async () => kinds);
  expect(await linesOf('navbat_queue_waiting_jobs')).toHaveLength(2);
  kinds = [depth('b')];
  expect(await linesOf('navbat_queue_unfinished_jobs')).toEqual(['navbat_queue_unfinished_jobs{kind="b"} 2']);
  expect(await linesOf('navbat_queue_oldest_waiting_seconds')).toEqual([
    'navbat_queue_oldest_waiting_seconds{kind="b"} 7',
  ]);
});
