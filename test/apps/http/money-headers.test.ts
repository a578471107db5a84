import request from 'supertest';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openApiDocument } from '../../../apps/http/openapi.ts';
import { defineRoute } from '../../../apps/http/route.ts';
import { makeProject, openApi, openGround } from '../../support/api.ts';

const shared = { tag: 'Test', summary: 'Says what it heard', scope: 'otp', testKeys: 'apart' } as const;
const pay = defineRoute({
  ...shared,
  method: 'post',
  path: '/pay',
  idempotent: 'required',
  body: z.object({ amount: z.string() }),
  answers: {},
  handle: async ({ idempotencyKey, ifMatch }) => ({ status: 202, body: { idempotencyKey, ifMatch } }),
});
const rehearse = defineRoute({
  ...shared,
  method: 'post',
  path: '/rehearse',
  idempotent: 'required',
  query: z.object({
    dry_run: z
      .enum(['true', 'false'])
      .default('false')
      .transform((text) => text === 'true'),
  }),
  answers: {},
  handle: async ({ idempotencyKey }) => ({ status: 202, body: { idempotencyKey } }),
});
const change = defineRoute({
  ...shared,
  method: 'post',
  path: '/change',
  versioned: true,
  body: z.object({ name: z.string() }),
  answers: {},
  handle: async ({ ifMatch, idempotencyKey }) => ({ status: 200, body: { ifMatch, idempotencyKey } }),
});

const stop = defineRoute({
  ...shared,
  method: 'post',
  path: '/stop',
  versioned: 'never-compared',
  answers: {},
  handle: async ({ ifMatch }) => ({ status: 200, body: { ifMatch } }),
});
const read = defineRoute({
  ...shared,
  method: 'get',
  path: '/read',
  answers: {},
  handle: async ({ ifMatch }) => ({ status: 200, body: { ifMatch } }),
});

const ground = await openGround();
const api = openApi(ground, [pay, rehearse, change, stop, read]);
const { key } = await makeProject(ground, 'demo');
afterAll(async () => {
  await api.close();
  await ground.close();
});
const post = (path: string) => request(api.app).post(path).set('Authorization', `Bearer ${key}`);

describe('a route that moves money', () => {
  test('answers 400 without an Idempotency-Key, before it reads the body', async () => {
    const { body } = await post('/pay').set('Content-Type', 'application/json').send('{').expect(400);
    expect(body).toMatchObject({
      type: 'urn:navbat:problem:idempotency-key-missing',
      errors: [{ pointer: 'Idempotency-Key' }],
      next_step: expect.stringContaining('Idempotency-Key'),
    });
  });

  test('gets the key that was sent, and asks for no version', async () => {
    const { body } = await post('/pay').set('Idempotency-Key', 'k1').send({ amount: '1' }).expect(202);
    expect(body).toEqual({ idempotencyKey: 'k1', ifMatch: null });
  });
});

describe('a route that moves money and can be rehearsed', () => {
  test('takes a dry run without an Idempotency-Key, and with one', async () => {
    expect((await post('/rehearse?dry_run=true').expect(202)).body).toEqual({ idempotencyKey: null });
    const kept = await post('/rehearse?dry_run=true').set('Idempotency-Key', 'k1').expect(202);
    expect(kept.body).toEqual({ idempotencyKey: 'k1' });
  });

  test.each(['', '?dry_run=false'])('asks for one where it is none: %s', async (query) => {
    expect((await post(`/rehearse${query}`).expect(400)).body.type).toMatch(/idempotency-key-missing$/);
    await post(`/rehearse${query}`).set('Idempotency-Key', 'k1').expect(202);
  });
});

describe('a route that changes one version', () => {
  const withTag = (tag: string) => post('/change').set('If-Match', tag).send({ name: 'x' });

  test('answers 428 without If-Match, before it reads the body', async () => {
    const { body } = await post('/change').set('Content-Type', 'application/json').send('{').expect(428);
    expect(body).toMatchObject({
      type: 'urn:navbat:problem:version-required',
      errors: [{ pointer: 'If-Match', detail: expect.stringContaining('"3"') }],
    });
  });

  test.each(['"0"', '"3"', '"999999999"'])('takes the strong tag %s', async (tag) => {
    expect((await withTag(tag).expect(200)).body.ifMatch).toBe(Number(tag.slice(1, -1)));
  });

  test.each(['3', 'W/"3"', '*', '"03"', '"-1"', '"1000000000"', '"3", "4"', '""'])(
    'refuses %s',
    async (tag) => {
      expect((await withTag(tag).expect(400)).body.errors[0].pointer).toBe('If-Match');
    },
  );
});

describe('a route that compares no version', () => {
  test.each(['"3"', '*', 'x'])('and changes something refuses If-Match, here %s', async (tag) => {
    const sent = post('/pay').set('Idempotency-Key', 'k2').set('If-Match', tag).send({ amount: '1' });
    expect((await sent.expect(400)).body.errors).toEqual([
      { pointer: 'If-Match', detail: expect.stringContaining('compares no version') },
    ]);
  });

  test.each(['"3"', '*', 'x'])('and is right in any takes it, and does not look at it: %s', async (tag) => {
    expect((await post('/stop').set('If-Match', tag).expect(200)).body).toEqual({ ifMatch: null });
    await post('/stop').expect(200);
  });

  test('and changes nothing takes no notice', async () => {
    const sent = request(api.app).get('/read').set('Authorization', `Bearer ${key}`).set('If-Match', '"3"');
    expect((await sent.expect(200)).body).toEqual({ ifMatch: null });
  });
});

test('the document asks for both headers, and names the answers that they lead to', () => {
  const { paths } = openApiDocument([pay, rehearse, change, stop, read], '0.0.0');
  const named = (path: string, header: string) => {
    const parameters = paths?.[path]?.post?.parameters ?? [];
    return (parameters as { name: string; required?: boolean }[]).find(({ name }) => name === header);
  };
  expect(named('/pay', 'Idempotency-Key')?.required).toBe(true);
  expect(named('/rehearse', 'Idempotency-Key')).toMatchObject({
    description: expect.stringContaining('dry_run'),
  });
  expect(named('/rehearse', 'Idempotency-Key')?.required).not.toBe(true);
  expect(named('/change', 'If-Match')?.required).toBe(true);
  expect(named('/stop', 'If-Match')).toMatchObject({ description: expect.stringContaining('not compared') });
  expect(named('/stop', 'If-Match')?.required).not.toBe(true);
  expect(Object.keys(paths?.['/stop']?.post?.responses ?? {})).not.toContain('412');
  expect(named('/pay', 'If-Match')).toBeUndefined();
  expect(Object.keys(paths?.['/change']?.post?.responses ?? {})).toEqual(
    expect.arrayContaining(['412', '428']),
  );
  expect(JSON.stringify(paths?.['/change']?.post)).toContain('ETag');
});
