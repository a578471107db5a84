import { expect, test } from 'vitest';
import { webhookEvents } from '../../../domain/webhook/events.ts';

const at = '2026-01-15T10:00:00.000Z';
const body = {
  id: '01990000-0000-7000-8000-000000000001',
  host: 'example.com',
  failing_since: null,
  disabled_at: at,
};

test('an endpoint that its owner disabled is no news to its owner', () => {
  const { data } = webhookEvents['endpoint.disabled'];
  for (const reason of ['gone', 'failing']) expect(data.safeParse({ ...body, reason }).success).toBe(true);
  expect(data.safeParse({ ...body, reason: 'owner' }).success).toBe(false);
});

test('it names the host alone: an address may hold a token', () => {
  expect(Object.keys(webhookEvents['endpoint.disabled'].data.shape)).not.toContain('url');
});
