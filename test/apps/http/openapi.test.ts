import request from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import packageJson from '../../../package.json' with { type: 'json' };
import { openApiDocument } from '../../../apps/http/openapi.ts';
import { apiRoutes as routes } from '../../support/api-routes.ts';
import { providerChoices } from '../../../domain/job/job.ts';
import { eventTypes } from '../../../domain/events.ts';
import { docsRouter } from '../../../apps/http/docs.routes.ts';
import { healthPaths } from '../../../apps/http/health-paths.ts';
import { type Ground, openApi, openGround, type TestApi } from '../../support/api.ts';

/** What OpenAPI 3.1 asks of a document, as far as ours uses it. */
const Schema = z.record(z.string(), z.unknown());
const Content = z.record(z.string(), z.object({ schema: Schema }));
const Operation = z.strictObject({
  operationId: z.string().regex(/^[a-z][A-Za-z0-9]+$/),
  tags: z.array(z.string()).length(1),
  summary: z.string().min(1).max(100),
  description: z.string().optional(),
  security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
  parameters: z
    .array(
      z.object({
        in: z.enum(['path', 'query', 'header']),
        name: z.string(),
        schema: Schema,
        required: z.boolean().optional(),
      }),
    )
    .optional(),
  requestBody: z.strictObject({ required: z.boolean(), content: Content }).optional(),
  responses: z.record(
    z.string().regex(/^[1-5](\d\d|XX)$/),
    z.strictObject({
      description: z.string().min(1),
      headers: z.record(z.string(), z.unknown()).optional(),
      content: Content.optional(),
    }),
  ),
});
const Document = z.strictObject({
  openapi: z.literal('3.1.0'),
  info: z.object({ title: z.string(), version: z.literal(packageJson.version), description: z.string() }),
  servers: z.array(z.object({ url: z.string() })),
  tags: z.array(z.object({ name: z.string() })),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  paths: z.record(
    z.string().startsWith('/'),
    z.partialRecord(z.enum(['get', 'post', 'put', 'patch', 'delete']), Operation),
  ),
  webhooks: z.record(z.enum(eventTypes), z.strictObject({ post: Operation })),
  components: z.object({
    schemas: z.record(z.string(), Schema),
    securitySchemes: z.record(z.string(), Schema),
  }),
});

let ground: Ground;
let api: TestApi;
let document: z.infer<typeof Document>;

beforeAll(async () => {
  ground = await openGround();
  api = openApi(ground, routes, [docsRouter(openApiDocument(routes, packageJson.version))]);
  document = Document.parse((await request(api.app).get('/openapi.json').expect(200)).body);
});
afterAll(async () => {
  await api.close();
  await ground.close();
});

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

describe('/openapi.json', () => {
  test('names every route that the app serves, and the app serves every route that it names', async () => {
    const served = routes.map(({ method, path }) => `${method} ${path}`);
    const health = Object.keys(healthPaths).map((path) => `get ${path}`);
    const named = operations().map(({ method, path }) => `${method} ${path}`);
    expect(named.toSorted()).toEqual([...served, ...health].toSorted());
    for (const { method, path, by } of routes) {
      const { status } = await request(api.app)[method](path.replaceAll(/\{\w+\}/g, 'x'));
      // No key was sent; after thirty of those this address is told to wait. Who needs none is told what is missing, or it
      // fails for want of ports. What is not served would be a 404.
      expect(by === 'anyone' ? [200, 400, 500] : [401, 429], `${method} ${path}`).toContain(status);
    }
  });

  test('gives each operation an id of its own, its path parameters and its problems', () => {
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, operation } of operations()) {
      const inPath =
        operation.parameters?.filter((parameter) => parameter.in === 'path').map(({ name }) => name) ?? [];
      expect(inPath).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      if (path.startsWith('/health/')) continue;
      for (const status of ['400', '401', '403', '429', '500', '503']) {
        const schema = operation.responses[status]?.content?.['application/problem+json']?.schema;
        expect(schema).toEqual({ $ref: '#/components/schemas/Problem' });
      }
      // Of a WebSocket 101.
      expect(Object.keys(operation.responses).some((status) => /^(2|101)/.test(status))).toBe(true);
    }
  });

  test('tells everywhere in the same words why an attempt went by its provider', () => {
    const said = [...JSON.stringify(document).matchAll(/"chosen":(\{[^{}]*\}|\{"anyOf":\[.*?\]\})/g)];
    expect(said.length).toBeGreaterThan(1);
    for (const [, schema] of said)
      for (const choice of providerChoices) expect(schema).toContain(`"${choice}"`);
    expect(new Set(said.map(([, schema]) => schema)).size).toBe(1);
  });

  test('resolves every reference that it makes', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)];
    expect(references.length).toBeGreaterThan(0);
    for (const [, name] of references) expect(document.components.schemas).toHaveProperty([name ?? '']);
  });

  test('says how long idempotency keys are kept, on every route that takes one', () => {
    expect(document.info.description).toContain('24 hours');
    const idempotent = routes.filter((route) => route.idempotent);
    expect(idempotent.length).toBeGreaterThan(0);
    for (const { method, path } of idempotent) {
      const parameters = document.paths[path]?.[method]?.parameters ?? [];
      expect(parameters.find(({ name }) => name === 'Idempotency-Key')).toMatchObject({
        schema: { maxLength: 255 },
      });
    }
  });

  test('has the body and the three headers of every type of event', () => {
    for (const [type, { post }] of Object.entries(document.webhooks)) {
      const names = post.parameters?.map(({ name, required }) => [name, required]);
      expect(names).toEqual(
        ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => [name, true]),
      );
      expect(post.requestBody?.content['application/json']?.schema).toMatchObject({
        properties: {
          type: { const: type },
          timestamp: { format: 'date-time' },
          data: { properties: expect.any(Object) },
        },
        required: ['type', 'timestamp', 'mode', 'data'],
      });
    }
  });

  test('has both ways to send a key', () => {
    expect(document.components.securitySchemes).toMatchObject({
      bearer: { type: 'http', scheme: 'bearer' },
      header: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
    });
  });
});
