import { expect, test } from 'vitest';
import { undocumented } from './undocumented.ts';

const line = (method: string, route: string, status: number) =>
  `navbat_http_request_seconds_count{method="${method}",route="${route}",status="${status}"} 3`;
const document = { paths: { '/otp/{id}': { get: { responses: { 200: {}, 404: {} } } } } };

test('an answer that the document does not name is told, by HEAD too', () => {
  const page = [
    '# TYPE navbat_http_request_seconds histogram',
    line('GET', '/otp/{id}', 200),
    line('HEAD', '/otp/{id}', 404),
    line('HEAD', '/otp/{id}', 410),
    line('GET', '/otp/{id}', 499),
    line('DELETE', '/otp/{id}', 204),
    line('GET', '/nowhere', 200),
  ].join('\n');
  expect(undocumented(page, document)).toEqual([
    'HEAD /otp/{id} answered 410, which OpenAPI does not name',
    'DELETE /otp/{id} answered 204, which OpenAPI does not name',
    'GET /nowhere answered 200, which OpenAPI does not name',
  ]);
});
