import { expect, test } from 'vitest';
import { openApiDocument } from '../../../../apps/http/openapi.ts';
import { apiRoutes } from '../../../support/api-routes.ts';

/** The descriptions of a field, wherever an object has it that the field `of` holds. */
function wordsOf(node: unknown, of: string, field: string): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const held = Object.entries(node).flatMap(([name, value]) => (name === of ? fieldsIn(value, field) : []));
  return [...held, ...Object.values(node).flatMap((value) => wordsOf(value, of, field))];
}

function fieldsIn(node: unknown, field: string): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const {
    properties,
    items,
    anyOf = [],
  } = node as {
    properties?: Record<string, { description?: string }>;
    items?: unknown;
    anyOf?: unknown[];
  };
  const own = properties?.[field]?.description ?? [];
  return [...[own].flat(), ...[items, ...anyOf].flatMap((one) => fieldsIn(one, field))];
}

const document: unknown = JSON.parse(JSON.stringify(openApiDocument(apiRoutes, '0.0.0')));

test('the hours of quiet are told as times of day', () => {
  const words = wordsOf(document, 'quiet_hours', 'to');
  expect(words.length).toBeGreaterThan(1);
  expect(words.filter((one) => !/time of day|clock/i.test(one))).toEqual([]);
});

test('the name of a category is told as its key: people read its titles', () => {
  const words = wordsOf(document, 'message_categories', 'name');
  expect(words.length).toBeGreaterThan(0);
  expect(words.filter((one) => !one.includes('`titles`'))).toEqual([]);
});
