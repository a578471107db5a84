import { expect, test } from 'vitest';
import { eventBody } from '../../../domain/webhook/event.ts';

const event = {
  type: 'test',
  mode: 'live',
  happenedAt: new Date('2026-01-15T10:00:00Z'),
  data: { id: 'x', text: 'Oʻzbekiston' },
} as const;

test('a body is byte for byte the same at each try, and has no id: that is a header', () => {
  const body =
    '{"type":"test","timestamp":"2026-01-15T10:00:00.000Z","mode":"live","data":{"id":"x","text":"Oʻzbekiston"}}';
  expect(eventBody(event)).toBe(body);
  expect(eventBody({ ...event, id: 'evt' } as typeof event)).toBe(body);
});
