import { expect, test } from 'vitest';
import { z } from 'zod';
import { byName, byPointer } from '../../../apps/http/places.ts';
import { fieldErrors, plainWords } from '../../../domain/shared/schema-words.ts';

const errors = (schema: z.ZodType, input: unknown, name = byPointer) =>
  fieldErrors(schema.safeParse(input, { error: plainWords }).error?.issues ?? [], name);
const words = (schema: z.ZodType, input: unknown) => errors(schema, input)[0]?.detail;

test('a field that does not fit is told in words: what was expected, and what came', () => {
  expect(words(z.object({ a: z.string() }), {})).toBe('is required: expected a text');
  expect(words(z.string(), 1)).toBe('expected a text, and not an integer');
  expect(words(z.int(), 1.5)).toBe('expected an integer, and not a number');
  expect(words(z.object({}), null)).toBe('expected an object, and not null');
  expect(words(z.string().max(1), 'ab')).toBe('expected at most 1 character');
  expect(words(z.array(z.int()).min(2), [1])).toBe('expected at least 2 items');
  expect(words(z.enum(['a', 'b']), 'c')).toBe('expected one of "a", "b"');
  expect(words(z.uuid(), 'x')).toMatch(/^expected a UUID/);
  expect(words(z.string().regex(/^a$/), 'b')).toBe('expected another form: the reference describes it');
});

test('a schema’s own words come first', () => {
  expect(words(z.string().regex(/^a$/, 'expected an a'), 'b')).toBe('expected an a');
});

test('each unknown field is told by its own place', () => {
  const schema = z.strictObject({ a: z.strictObject({}) });
  expect(errors(schema, { a: { x: 1, 'y/z': 2 } })).toEqual([
    { pointer: '/a/x', detail: 'There is no such field.' },
    { pointer: '/a/y~1z', detail: 'There is no such field.' },
  ]);
});

test('where the names of an object are a list, the list is told', () => {
  const Language = z.enum(['uz', 'uz-Cyrl']);
  for (const schema of [z.record(Language, z.string()), z.partialRecord(Language, z.string())])
    expect(errors(z.object({ texts: schema }), { texts: { uz: '', 'uz-Cyrl': '', kz: '' } })).toEqual([
      { pointer: '/texts/kz', detail: 'There is no such field: expected one of "uz", "uz-Cyrl"' },
    ]);
});

test('of a list of which one item is wrong, the item is told and not the list', () => {
  const schema = z.union([z.string(), z.array(z.int())]);
  expect(errors(schema, [1, 'x']).map(({ pointer }) => pointer)).toEqual(['/1']);
});

test('a long enum, and a long name, are cut', () => {
  const many = Array.from({ length: 30 }, (_, n) => `v${n}`);
  expect(words(z.enum(many as [string, ...string[]]), 'x')).toMatch(/"v19", …$/);
  expect(errors(z.strictObject({}), { ['n'.repeat(500)]: 1 })[0]?.pointer).toHaveLength(200);
});

test('no message repeats what was sent', () => {
  for (const schema of [z.int(), z.uuid(), z.enum(['a']), z.email(), z.strictObject({})])
    expect(words(schema, 'hunter2')).not.toContain('hunter2');
});

test('a place in a body is a pointer, and one in a query a name', () => {
  expect(byPointer(['a', 0, 'b/c'])).toBe('/a/0/b~1c');
  expect(byName(['a', 0])).toBe('a.0');
});
