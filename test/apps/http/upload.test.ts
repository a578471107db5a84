import request from 'supertest';
import { afterAll, describe, expect, test } from 'vitest';
import { openApiDocument } from '../../../apps/http/openapi.ts';
import { defineRoute } from '../../../apps/http/route.ts';
import { makeProject, openApi, openGround } from '../../support/api.ts';

const upload = defineRoute({
  tag: 'Test',
  summary: 'Says what it got',
  scope: 'otp',
  testKeys: 'apart',
  method: 'post',
  path: '/file',
  upload: { mediaTypes: ['text/csv', 'application/octet-stream'], bytesMax: 100_000 },
  answers: {},
  handle: async ({ bytes, body }) => ({
    status: 200,
    body: { hex: bytes.toString('hex').slice(0, 8), length: bytes.length, body },
  }),
});

const ground = await openGround();
const api = openApi(ground, [upload]);
const { key } = await makeProject(ground, 'demo');
afterAll(async () => {
  await api.close();
  await ground.close();
});
const send = (type: string, bytes: Buffer) =>
  request(api.app).post('/file').set('Authorization', `Bearer ${key}`).set('Content-Type', type).send(bytes);

describe('a route that takes a file', () => {
  test('gets the bytes as they were sent, whatever they are', async () => {
    const { body } = await send('application/octet-stream', Buffer.from([0, 0xff, 0x7b, 0x22])).expect(200);
    expect(body).toEqual({ hex: '00ff7b22', length: 4 });
  });

  test('by the media type without its parameters', async () => {
    await send('Text/CSV; charset=windows-1251', Buffer.from('a;b')).expect(200);
  });

  test.each([
    'application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/plain',
  ])('not as %s, which a form of another site could send', async (type) => {
    const { body, headers } = await send(type, Buffer.from('{}')).expect(415);
    expect(body).toMatchObject({
      detail: 'Send the bytes of the file as the body, as text/csv or application/octet-stream.',
    });
    expect(headers).toMatchObject({ accept: 'text/csv, application/octet-stream' });
  });

  test('up to its bound', async () => {
    await send('text/csv', Buffer.alloc(100_000)).expect(200);
    await send('text/csv', Buffer.alloc(100_001)).expect(413);
  });

  test('is described with its media types', () => {
    const { paths } = openApiDocument([upload], '1.0.0');
    expect(paths?.['/file']?.post?.requestBody).toMatchObject({
      required: true,
      content: { 'text/csv': {}, 'application/octet-stream': {} },
    });
    expect(paths?.['/file']?.post?.responses).toMatchObject({ 413: {}, 415: {} });
  });
});
