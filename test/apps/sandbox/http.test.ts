import { expect, test } from 'vitest';
import { BODY_BYTES_MAX, type Incoming, readFields } from '../../../apps/sandbox/http.ts';
import { freshSandbox } from './support.ts';

const fieldsOf = (query: string, type = '', body: Buffer | string = '') =>
  readFields({
    query: new URLSearchParams(query),
    headers: { 'content-type': type },
    body: Buffer.from(body),
  } as Incoming);

test('the parameters of a call come from its query, a form, JSON or multipart, and the body wins', async () => {
  expect(await fieldsOf('a=1&b=2')).toEqual({ a: '1', b: '2' });
  const form = 'application/x-www-form-urlencoded; charset=utf-8';
  expect(await fieldsOf('a=1&b=2', form, 'b=%2B998&c=x+y')).toEqual({ a: '1', b: '+998', c: 'x y' });
  expect(await fieldsOf('a=1', 'application/json', '{"a":7,"c":["x"]}')).toEqual({ a: 7, c: ['x'] });
  const parts = new FormData();
  parts.set('a', 'text');
  parts.set('file', new Blob(['bytes']), 'name.png');
  const request = new Request('http://sandbox', { method: 'POST', body: parts });
  const multipart = request.headers.get('content-type') ?? '';
  expect(await fieldsOf('a=1', multipart, Buffer.from(await request.arrayBuffer()))).toEqual({ a: 'text' });
});

test('a body that is none of these is named as such, and not read as empty', async () => {
  for (const [type, body] of [
    ['application/json', '[]'],
    ['application/json', '{'],
    ['multipart/form-data; boundary=a', 'no parts'],
    ['multipart/form-data', 'no boundary'],
  ] as const)
    expect(await fieldsOf('a=1', type, body), body).toBeUndefined();
});

test('a body of more than 1 MiB is a 413, and the connection goes on', async () => {
  const { url } = await freshSandbox();
  const put = async (bytes: number) =>
    (await fetch(`${url}/telegram/pace`, { method: 'PUT', body: 'x'.repeat(bytes) })).status;
  expect([await put(BODY_BYTES_MAX + 1), await put(BODY_BYTES_MAX)]).toEqual([413, 400]);
});
