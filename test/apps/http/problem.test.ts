import express from 'express';
import request from 'supertest';
import { expect, test } from 'vitest';
import { begin, problems } from '../../../apps/http/express.ts';
import { Problem } from '../../../apps/http/problem.ts';
import { openLog } from '../../../infra/process/log.ts';

const answerTo = (problem: Problem) =>
  request(
    express()
      .use(begin, () => {
        throw problem;
      })
      .use(problems({ log: openLog('api', 'fatal', { write: () => undefined }) })),
  ).get('/');

test('a problem is answered with its status, its type, its headers and what it says beside', async () => {
  const { status, headers, body } = await answerTo(
    new Problem(429, 'quota-exceeded', 'Too many.', {
      headers: { 'Retry-After': '7' },
      extra: { remaining: 0 },
    }),
  );
  expect([status, headers['retry-after'], headers['content-type']]).toEqual([
    429,
    '7',
    'application/problem+json; charset=utf-8',
  ]);
  expect(body).toMatchObject({
    type: 'urn:navbat:problem:quota-exceeded',
    status: 429,
    detail: 'Too many.',
    remaining: 0,
  });
  expect(body).not.toHaveProperty('errors');
});

test('its bad fields are told, twenty at the most, and how many there were', async () => {
  const errorsOf = (count: number) =>
    Array.from({ length: count }, (_, at) => ({ pointer: `/field${at}`, detail: 'expected a number' }));
  const told = async (count: number) =>
    (await answerTo(new Problem(400, 'invalid-request', 'No.', { errors: errorsOf(count) }))).body;
  expect(await told(20)).toMatchObject({ errors: errorsOf(20) });
  expect(await told(20)).not.toHaveProperty('errors_total');
  expect(await told(21)).toMatchObject({ errors: errorsOf(20), errors_total: 21 });
});
