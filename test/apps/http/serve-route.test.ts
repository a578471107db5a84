import { Pool } from 'pg';
import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { openApi } from '../../support/api.ts';
import { echo, openEcho } from './open-echo.ts';

const { api, ground, key, post, postJson } = await openEcho();

describe('a request that does not fit its schema', () => {
  test('is told every bad field by a JSON pointer', async () => {
    const { body } = await postJson('{"text":1,"a/b":["x"],"more":true}').expect(400);
    expect(body.type).toMatch(/invalid-request$/);
    expect(body.errors.map((error: { pointer: string }) => error.pointer)).toEqual([
      '/text',
      '/a~1b/0',
      '/more',
    ]);
  });

  test('is told a bad parameter by its name, a repeated one too', async () => {
    expect((await post('/echo/1?q=1&q=2').send({ text: 'x' }).expect(400)).body.errors[0].pointer).toBe('q');
  });

  test('is told a parameter that the route does not have, and those that it has', async () => {
    const unknown = (pointer: string) => ({ pointer, detail: 'There is no such parameter: expected q.' });
    const refused = async (query: string) =>
      (await post(`/echo/1?${query}`).send({ text: 'x' }).expect(400)).body.errors;
    expect(await refused('nope=1')).toEqual([unknown('nope')]);
    expect(await refused('Q=1&q=1&__proto__=2&cursor')).toEqual(['Q', '__proto__', 'cursor'].map(unknown));
    expect(await refused('nope=1&q=1&q=2')).toMatchObject([unknown('nope'), { pointer: 'q' }]);
    expect((await refused(`${'n'.repeat(500)}=1`))[0].pointer).toHaveLength(200);
  });

  test('of a route without parameters is told that it takes none, and nothing is done', async () => {
    const { body } = await request(api.app).get('/broken?limit=5').set('X-Api-Key', key).expect(400);
    expect(body.errors).toEqual([
      { pointer: 'limit', detail: 'There is no such parameter: this route takes none.' },
    ]);
  });

  test('a fault of ours is a 500 that says nothing, and a log line that says all', async () => {
    const { body, headers } = await request(api.app).get('/broken').set('X-Api-Key', key).expect(500);
    expect(JSON.stringify(body)).not.toContain('secret_field');
    const line = api.logged.find((logged) => logged['request_id'] === headers['x-request-id']);
    expect(line).toMatchObject({ level: 'error', status: 500 });
    expect(JSON.stringify(line)).toContain('secret_field');
  });
});

describe('an idempotency key', () => {
  const withKey = (text: string) => post().set('Idempotency-Key', text).send({ text: 'x' });

  test('of 1 or of 255 visible characters is taken', async () => {
    expect((await withKey('k').expect(202)).body.idempotencyKey).toBe('k');
    await withKey('k'.repeat(255)).expect(202);
  });

  test.each(['k'.repeat(256), 'a b', 'é'])('of another shape is refused (%#)', async (text) => {
    const refused = await withKey(text).expect(400);
    expect(refused.body.errors[0].pointer).toBe('Idempotency-Key');
  });
});

describe('a request id', () => {
  test('that is safe to log comes back; any other is replaced', async () => {
    const mine = await post().set('X-Request-Id', 'order-4711').send({ text: 'x' });
    expect(mine.headers['x-request-id']).toBe('order-4711');
    expect(mine.body.requestId).toBe('order-4711');
    for (const bad of ['a b', 'x'.repeat(65), '"; drop']) {
      const theirs = await post().set('X-Request-Id', bad).send({ text: 'x' });
      expect(theirs.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    }
  });
});

test('requests are observed by their route, not by their path', async () => {
  api.observed.length = 0;
  await post('/echo/4711').send({ text: 'x' }).expect(202);
  expect(api.observed).toMatchObject([{ method: 'POST', route: '/echo/{id}', status: 202 }]);
});

test('without a database the answer is 503 and when to come back', async () => {
  const pool = new Pool({ connectionString: 'postgres://nobody@127.0.0.1:9/none' });
  const lone = openApi({ ...ground, pool }, [echo]);
  const { headers } = await request(lone.app)
    .post('/echo/1')
    .set('X-Api-Key', key)
    .send({ text: 'x' })
    .expect(503);
  expect(headers['retry-after']).toBe('1');
  await lone.close();
  await pool.end();
});
