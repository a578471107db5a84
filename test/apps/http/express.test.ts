import type { IncomingMessage } from 'node:http';
import express from 'express';
import request from 'supertest';
import { expect, test } from 'vitest';
import { begin, callerAddress, otherMethods, requestIdOf } from '../../../apps/http/express.ts';

const from = (
  proxies: number,
  forwarded: string | undefined,
  remoteAddress: string | undefined = '192.0.2.9',
) =>
  callerAddress(
    { headers: { 'x-forwarded-for': forwarded }, socket: { remoteAddress } } as unknown as IncomingMessage,
    proxies,
  );

test('what a caller says of itself counts for nothing: only our own proxies are believed', () => {
  expect(from(0, '203.0.113.1')).toBe('192.0.2.9');
  expect(from(1, '203.0.113.1')).toBe('203.0.113.1');
  expect(from(1, '198.51.100.7, 203.0.113.1')).toBe('203.0.113.1');
  expect(from(2, '198.51.100.7, 203.0.113.1, 10.0.0.1')).toBe('203.0.113.1');
});

test('where a proxy wrote no address the next one nearer to us counts', () => {
  expect(from(2, 'unknown, 10.0.0.1')).toBe('10.0.0.1');
  expect(from(1, 'unknown')).toBe('192.0.2.9');
  expect(from(1, undefined)).toBe('192.0.2.9');
  expect(from(0, undefined, '')).toBe('');
});

const app = express()
  .use(begin)
  .get('/a', (_req, res) => void res.send(requestIdOf(res)))
  .use(otherMethods(['GET /a', 'PUT /a']));

test('a request id that is safe to log comes back, and any other is replaced', async () => {
  const idOf = async (given: string) => (await request(app).get('/a').set('X-Request-Id', given)).text;
  expect(await idOf('order-7.1')).toBe('order-7.1');
  for (const given of ['a b', '-a', 'a'.repeat(65), '<b>'])
    expect(await idOf(given), given).toMatch(/^[0-9a-f-]{36}$/);
});

test('each answer has the headers that guard it', async () => {
  const { headers } = await request(app).get('/a');
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  });
});

test('OPTIONS tells the methods that there are', async () => {
  const answer = await request(app).options('/a');
  expect([answer.status, answer.headers['allow']]).toEqual([204, 'GET, PUT, HEAD, OPTIONS']);
});
