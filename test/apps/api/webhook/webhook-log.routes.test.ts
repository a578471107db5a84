import { expect, test } from 'vitest';
import { makeProject } from '../../../support/api.ts';
import { openWebhooks } from './open-webhooks.ts';

const { ground, call } = await openWebhooks();

test('a replay is counted before it is ordered, and its range is bounded', async () => {
  const { key } = await makeProject(ground, 'replay');
  const range = { from: '2026-03-01T00:00:00Z', to: '2026-03-02T00:00:00Z' };
  const counted = await call(key, 'post', '/replay')
    .send({ ...range, dry_run: true })
    .expect(200);
  expect(counted.body).toEqual({ dry_run: true, events: 0, calls: 0 });
  await call(key, 'post', '/replay').send(range).expect(202);
  await call(key, 'post', '/replay').send({ from: range.to, to: range.from }).expect(400);
  await call(key, 'post', '/replay')
    .send({ ...range, to: '2026-04-02T00:00:00Z' })
    .expect(400);
  const endpoint_id = '00000000-0000-7000-8000-000000000000';
  await call(key, 'post', '/replay')
    .send({ ...range, endpoint_id })
    .expect(404);
  await call(key, 'post', `/events/${endpoint_id}/replay`).send({}).expect(404);
});
