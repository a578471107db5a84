import { expect, test } from 'vitest';
import { z } from 'zod';
import { eventPayload, EventType, events, eventTypes } from '../../domain/events.ts';

test('an event that there is not is refused', () => {
  for (const type of eventTypes) expect(EventType.safeParse(type).success).toBe(true);
  for (const type of ['', 'verification', 'verification.approved ', 'toString'])
    expect(EventType.safeParse(type).success).toBe(false);
});

test('no event of any context carries a code, a token or a secret', () => {
  for (const type of eventTypes)
    for (const name of Object.keys(events[type].data.shape))
      expect(name, type).not.toMatch(/^(code|otp|phone|.*(token|secret|password).*)$/);
});

test('each event says in words when it is sent', () => {
  for (const type of eventTypes) expect(events[type].meaning, type).toMatch(/^[A-Z].{20,}\.$/);
});

test('a body is of its own type, with its time in UTC and its mode', () => {
  const data = { id: '01990000-0000-7000-8000-000000000001', text: 'x' };
  const body = { type: 'test', timestamp: '2026-01-15T10:00:00.000Z', mode: 'live', data };
  const schema = eventPayload('test');
  expect(schema.parse(body)).toEqual(body);
  for (const wrong of [
    { type: 'endpoint.disabled' },
    { timestamp: '2026-01-15T10:00:00Z' },
    { mode: 'prod' },
    { data: {} },
  ])
    expect(schema.safeParse({ ...body, ...wrong }).success).toBe(false);
  expect(z.toJSONSchema(schema)).toHaveProperty('properties.data');
});
