import { expect, test } from 'vitest';
import { webhookSettle } from '../../../../infra/postgres/webhook/settle.ts';
import { only, webhookBench } from '../../../workers/webhook/bench.ts';

const DAY_MS = 86_400_000;
const EVENT_LIFE_DAYS = 7;

test('a call may be tried again while its endpoint is there and enabled', async () => {
  const bench = await webhookBench();
  const project = await bench.addProject();
  const { id } = await bench.addEndpoint(project, 'https://example.com/');
  await bench.emit(project, 1);
  const job = only(await bench.jobRows(project));
  const now = bench.clock.now;
  const waitsUntil = async () =>
    (
      await bench.pool.query<{ until: Date | null }>(
        `select ${webhookSettle.waitsUntil?.('$2')} until from job where id = $1`,
        [job.id, now],
      )
    ).rows[0]?.until;
  expect(await waitsUntil()).toEqual(new Date(now.getTime() + EVENT_LIFE_DAYS * DAY_MS));
  await bench.webhooks.change(project, id, { enabled: false }, now);
  expect(await waitsUntil()).toBeNull();
  await bench.webhooks.change(project, id, { enabled: true }, now);
  await bench.webhooks.remove(project, id, now);
  expect(await waitsUntil()).toBeNull();
});
