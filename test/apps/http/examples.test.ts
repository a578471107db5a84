import { describe, expect, test } from 'vitest';
import { describeDocument } from '../../../apps/http/describe-fields.ts';
import { requestExamples, tagWords } from '../../../apps/http/examples.ts';
import { openApiDocument, staffOpenApiDocument } from '../../../apps/http/openapi.ts';
import { apiRoutes } from '../../support/api-routes.ts';
import { boardRoutes } from '../../support/board-routes.ts';

/** What `/docs` offers to try out fits the schemas, and says of every field what it means; `examples.system.test.ts` tries it out. */

const routes = [...apiRoutes, ...boardRoutes];
const withBody = routes.filter(({ body }) => body !== undefined);
const nameOf = ({ method, path }: { method: string; path: string }) => `${method} ${path}`;

describe('the document', () => {
  test('has an example for every operation with a body, and for nothing else', () => {
    expect(Object.keys(requestExamples).toSorted()).toEqual(withBody.map(nameOf).toSorted());
  });

  test.each(withBody.map((route) => [nameOf(route), route] as const))(
    '%s: its example fits its schema',
    (name, route) => {
      const parsed = route.body?.safeParse(requestExamples[name]);
      expect(parsed?.error?.issues ?? []).toEqual([]);
    },
  );

  test('describes every field and every parameter', () => {
    expect([...new Set(describeDocument(openApiDocument(apiRoutes, '0.0.0')))]).toEqual([]);
    expect([...new Set(describeDocument(staffOpenApiDocument(boardRoutes, '0.0.0')))]).toEqual([]);
  });

  test('describes every group', () => {
    const tags = [...new Set(routes.map(({ tag }) => tag)), 'Health'];
    expect(Object.keys(tagWords).toSorted()).toEqual(tags.toSorted());
    const written = [openApiDocument(apiRoutes, '0.0.0'), staffOpenApiDocument(boardRoutes, '0.0.0')].flatMap(
      (document) => document.tags ?? [],
    );
    expect(written.filter(({ description }) => !description)).toEqual([]);
  });
});
