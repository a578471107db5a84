import { expect, test } from 'vitest';
import { staffOpenApiDocument } from '../../../apps/http/openapi.ts';
import { boardRoutes } from '../../support/board-routes.ts';

interface Operation {
  readonly operationId: string;
  readonly security?: readonly Record<string, unknown>[];
  readonly description: string;
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

const document = staffOpenApiDocument(boardRoutes, '1.2.3') as unknown as {
  readonly openapi: string;
  readonly info: { readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: object; readonly securitySchemes: object };
  readonly security: readonly Record<string, unknown>[];
};
const operationOf = (method: string, path: string) => document.paths[path]?.[method] as Operation;

test('names each route of the door once, with its problems', () => {
  const named = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  expect(named.toSorted()).toEqual(boardRoutes.map(({ method, path }) => `${method} ${path}`).toSorted());
  const operations = boardRoutes.map(({ method, path }) => operationOf(method, path));
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(boardRoutes.length);
  for (const { responses } of operations)
    for (const status of ['400', '401', '403', '429', '500', '503'])
      expect(responses[status]?.content).toHaveProperty(['application/problem+json']);
});

test('resolves every reference, and every security scheme that it asks for', () => {
  for (const [, name] of JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g))
    expect(document.components.schemas).toHaveProperty([name ?? '']);
  const asked = [
    ...document.security,
    ...boardRoutes.flatMap(({ method, path }) => operationOf(method, path).security ?? []),
  ].flatMap((one) => Object.keys(one));
  expect(new Set(asked)).toEqual(new Set(Object.keys(document.components.securitySchemes)));
});

test('says who may: nobody before the login, a bearer token alone at the second factor, else either', () => {
  expect(operationOf('post', '/staff/sessions').security).toEqual([]);
  expect(operationOf('post', '/staff/sessions/second-factor').security).toEqual([{ session: [] }]);
  expect(operationOf('get', '/staff/sessions').security).toBeUndefined();
  expect(document.security).toEqual([{ session: [] }, { cookie: [] }]);
});

test('names the fields of a second factor, with words for each', () => {
  const { schema } = operationOf('post', '/staff/sessions/second-factor').requestBody?.content[
    'application/json'
  ] ?? { schema: {} };
  expect(schema).toMatchObject({
    type: 'object',
    properties: {
      code: { type: 'string', description: expect.stringMatching(/recovery code; or `passkey`/) },
      passkey: expect.objectContaining({ description: expect.stringMatching(/in place of `code`/) }),
    },
  });
});

test('is of OpenAPI 3.1 and of this version', () => {
  expect([document.openapi, document.info.version]).toEqual(['3.1.0', '1.2.3']);
  expect(document.info.description).not.toContain('undefined');
});

test('names the ETag of whatever answers one', () => {
  const answering = [
    ['get', '/finance/batches/{id}', '200'],
    ['get', '/finance/batches/{id}/risk', '200'],
    ['get', '/finance/corrections/{id}', '200'],
    ['post', '/finance/batches', '201'],
    ['post', '/finance/batches/{id}/submit', '200'],
  ] as const;
  for (const [method, path, status] of answering)
    expect(JSON.stringify(operationOf(method, path).responses[status]), path).toContain('"ETag"');
});
