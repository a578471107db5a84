import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openApiDocument, staffOpenApiDocument } from '../../apps/http/openapi.ts';
import { PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX } from '../../domain/shared/page.ts';
import { apiRoutes } from '../support/api-routes.ts';
import { boardRoutes } from '../support/board-routes.ts';

/** Every list has a bound: it comes in pages, or it stands here with the constant that bounds it. */
const bounded: Readonly<Record<string, readonly [constant: string, file: string]>> = {
  '/api/profile/destinations': [
    'DESTINATIONS_MAX',
    'infra/postgres/pay/migrations/20261129180100-pay-asking.ts',
  ],
  '/finance/inbox': ['WAITING_MAX', 'infra/postgres/pay/finance/inbox.ts'],
  '/finance/rails': ['SwitchId', 'domain/pay/finance/rails.ts'],
  // The key's own.
  '/projects': ['listProjects', 'apps/api/project/projects.routes.ts'],
  '/projects/{id}/keys': ['KEYS_MADE_MAX', 'domain/project/key.ts'],
  '/projects/{id}/usage': ['USAGE_DAYS_MAX', 'domain/project/usage.ts'],
  '/webhooks/endpoints': ['ENDPOINTS_MAX', 'domain/webhook/endpoint.ts'],
  '/webhooks/event-types': ['eventTypes', 'domain/events.ts'],
};

interface Schema {
  readonly type?: string;
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
}
interface Operation {
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly schema: object }[];
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> }>
  >;
}
interface Document {
  readonly paths: Readonly<Record<string, { readonly get?: Operation }>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}
const documents = [
  openApiDocument(apiRoutes, '0.0.0'),
  staffOpenApiDocument(boardRoutes, '0.0.0'),
] as unknown as Document[];

/** It is an array, or has one as `data` or `items`. */
function isList(schema: Schema | undefined, { components: { schemas } }: Document): boolean {
  const { type, properties = {} } = schemas[schema?.$ref?.split('/').at(-1) ?? ''] ?? schema ?? {};
  return [type, properties['data']?.type, properties['items']?.type].includes('array');
}

const lists = documents.flatMap((document) =>
  Object.entries(document.paths).flatMap(([path, { get }]) =>
    get && isList(get.responses['200']?.content?.['application/json']?.schema, document)
      ? [{ path, parameters: get.parameters?.filter((each) => each.in === 'query') ?? [] }]
      : [],
  ),
);
const paged = lists.filter(({ path }) => !(path in bounded));

describe('a list', () => {
  test.each(paged)('$path comes in pages, of as many rows as anywhere', ({ parameters }) => {
    const names = parameters.map(({ name }) => name);
    expect(names.filter((name) => ['cursor', 'after'].includes(name))).toHaveLength(1);
    expect(parameters.find(({ name }) => name === 'limit')?.schema).toMatchObject({
      minimum: 1,
      maximum: PAGE_ROWS_MAX,
      default: PAGE_ROWS_DEFAULT,
    });
  });

  test('without pages is known, and what bounds it is there', () => {
    const unpaged = lists.filter(({ parameters }) => parameters.every(({ name }) => name !== 'limit'));
    expect(unpaged.map(({ path }) => path).toSorted()).toEqual(Object.keys(bounded).toSorted());
    for (const [constant, file] of Object.values(bounded))
      expect(readFileSync(join(import.meta.dirname, '../..', file), 'utf8'), file).toMatch(
        new RegExp(`\\bconst ${constant}\\b`),
      );
  });

  test('is found in both documents', () => {
    expect(paged.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['/jobs', '/payouts', '/finance/dispatches/stuck', '/staff/sessions']),
    );
  });
});
