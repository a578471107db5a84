import { expect, test } from 'vitest';
import { openWebhooks } from '../../../apps/api/webhook/open-webhooks.ts';
import { makeProject } from '../../../support/api.ts';

const { ground, call } = await openWebhooks();

test('a test event has its timeline, and the log pages and filters what was sent', async () => {
  const { project, key } = await makeProject(ground, 'log');
  const made = await call(key, 'post', '/endpoints')
    .send({ url: 'https://example.com/x?token=s' })
    .expect(201);
  const sent = await call(key, 'post', `/endpoints/${made.body.id}/test`).send({}).expect(202);
  const timeline = await call(key, 'get', `/events/${sent.body.event_id}`).expect(200);
  expect(timeline.body).toMatchObject({
    type: 'test',
    deliveries: [{ endpoint_id: made.body.id, state: 'queued', attempt_count: 0 }],
  });
  await seedDeliveries(project.id, sent.body.event_id, made.body.id, timeline.body.deliveries[0].job_id);

  const first = await call(key, 'get', '/deliveries?limit=2').expect(200);
  expect(first.body.data.map(({ attempt }: { attempt: number }) => attempt)).toEqual([3, 2]);
  expect(first.body.data[0]).toMatchObject({
    status: 'completed',
    request: {
      url: 'https://example.com/x?…',
      headers: { 'webhook-id': sent.body.event_id, 'webhook-timestamp': '1772366520' },
      body: expect.stringContaining('"type":"test"'),
    },
    response: { status_code: 200, body: 'ok' },
  });
  const rest = await call(key, 'get', `/deliveries?limit=2&cursor=${first.body.next_cursor}`).expect(200);
  expect(rest.body).toMatchObject({
    data: [{ attempt: 1, response: null, reason: 'timeout' }],
    next_cursor: null,
  });
  const filtered = async (query: string) =>
    (await call(key, 'get', `/deliveries?${query}`).expect(200)).body.data.map(
      ({ attempt }: { attempt: number }) => attempt,
    );
  expect(await filtered('status=failed')).toEqual([2]);
  expect(await filtered(`event=${sent.body.event_id}&endpoint=${made.body.id}`)).toEqual([3, 2, 1]);
  expect(await filtered('endpoint=00000000-0000-7000-8000-000000000000')).toEqual([]);
  expect(await filtered('from=2026-03-01T12:01:00Z&to=2026-03-01T12:02:00Z')).toEqual([2]);
});

/** Three tries of one job: a time-out, a 500 and a success, a minute apart from noon of 2026-03-01. */
const seedDeliveries = (projectId: string, eventId: string, endpointId: string, jobId: string) =>
  ground.pool.query(
    `insert into webhook_delivery (id, project_id, mode, event_id, event_type, endpoint_id, job_id, n, url, outcome, reason, status_code,
       latency_ms, response, at)
     select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008000' || lpad(n::text, 12, '0'))::uuid, $1, 'live', $2,
       'test', $3, $4, n, 'https://example.com/x?…', outcome, reason, status, 12, body, at
     from (select n, timestamptz '2026-03-01T12:00:00Z' + (n - 1) * interval '1 minute' as at, outcome, reason, status, body from (values
       (1, 'unknown', 'timeout', null::int, null), (2, 'failed', 'http-5xx', 500, 'no'), (3, 'completed', null, 200, 'ok'))
       as seed (n, outcome, reason, status, body)) rows`,
    [projectId, eventId, endpointId, jobId],
  );
