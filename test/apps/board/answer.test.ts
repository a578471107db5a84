import { expect, test } from 'vitest';
import { z } from 'zod';
import { optional, read, Text, wire } from '../../../apps/board/answer.ts';

test('members are written in snake_case at every depth, and values are left alone', () => {
  const at = new Date(0);
  expect(wire({ jobId: 'aB', list: [{ runAt: at, noJob: null }] })).toEqual({
    job_id: 'aB',
    list: [{ run_at: at, no_job: null }],
  });
});

test('a form that does not fit is a 400 that names each field, and not what was in it', () => {
  const schema = z.object({ kind: z.enum(['push']), hours: z.coerce.number() });
  expect(() => read(schema, { kind: 'hunter2', hours: 'x' })).toThrow(
    expect.objectContaining({ status: 400 }),
  );
  expect(() => read(schema, { kind: 'hunter2', hours: 1 })).toThrow(/kind: expected "push"/);
  expect(() => read(schema, undefined)).toThrow(/kind/);
  expect(read(schema, { kind: 'push', hours: '6' })).toEqual({ kind: 'push', hours: 6 });
});

test('a field that was left empty was left out', () => {
  const schema = z.object({ since: optional(z.coerce.date()) });
  expect(read(schema, { since: '' })).toEqual({});
});

test('a text of staff’s has 200 characters at most, and none that Postgres refuses', () => {
  expect(Text.parse(` ${'a'.repeat(200)} `)).toHaveLength(200);
  for (const text of ['a'.repeat(201), 'a\0b', '\ud800']) expect(Text.safeParse(text).success).toBe(false);
});
