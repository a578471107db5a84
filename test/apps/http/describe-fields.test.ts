import { expect, test } from 'vitest';
import { describeDocument } from '../../../apps/http/describe-fields.ts';

const document = (schema: object) => ({ components: { schemas: { Thing: schema } } });

test('a field that says nothing gets its words, one that does keeps them, and one that nobody knows is named', () => {
  const schema = {
    properties: { id: {} as Record<string, unknown>, state: { description: 'own' }, unheard_of: {} },
  };
  expect(describeDocument(document(schema))).toEqual(['Thing.unheard_of']);
  expect(schema.properties.id['description']).toMatch(/UUID/);
  expect(schema.properties.state.description).toBe('own');
});

test('fields are found wherever they stand: in items, in forms, in answers', () => {
  const mute = { properties: { unheard_of: {} } };
  expect(
    describeDocument(document({ items: mute, anyOf: [mute], oneOf: [mute], allOf: [mute] })),
  ).toHaveLength(4);
  const answer = { responses: { 200: { content: { 'application/json': { schema: mute } } } } };
  expect(describeDocument({ paths: { '/jobs/{id}': { get: answer } } })).toEqual(['jobs.unheard_of']);
});

test('what is referred to is described where it stands', () => {
  expect(describeDocument(document({ properties: { unheard_of: { $ref: '#/x' } } }))).toEqual([]);
});
