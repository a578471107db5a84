import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { BODY_BYTES_MAX } from '../../../apps/http/body.ts';
import { bodyOf, listenWith, openEcho } from './open-echo.ts';

const { api, key, post, postJson } = await openEcho();
const { url } = await listenWith(api);

describe('a body', () => {
  test('of exactly the limit is read, and one byte more is refused', async () => {
    await postJson(bodyOf(BODY_BYTES_MAX)).expect(202);
    const refused = await postJson(bodyOf(BODY_BYTES_MAX + 1)).expect(413);
    expect(refused.headers['content-type']).toContain('application/problem+json');
  });

  test.each(['{', '', 'null', '[]', '"text"'])(
    'that is not a JSON object (%j) is refused with 400',
    async (body) => {
      await postJson(body).expect(400);
    },
  );

  test('that is not UTF-8 is refused', async () => {
    const bytes = Buffer.concat([Buffer.from('{"text":"'), Buffer.of(0xff), Buffer.from('"}')]);
    await post()
      .set('Content-Type', 'application/json')
      .serialize(() => bytes as unknown as string)
      .send({})
      .expect(400);
  });

  test('of another type, or compressed, is refused with 415', async () => {
    await post().set('Content-Type', 'text/plain').send('{"text":"x"}').expect(415);
    await post().set('Content-Type', 'application/json; charset=utf-16').send('{"text":"x"}').expect(415);
    await post()
      .set('Content-Type', 'application/json')
      .set('Content-Encoding', 'gzip')
      .serialize(() => gzipSync('{"text":"x"}') as unknown as string)
      .send({})
      .expect(415);
  });

  test.each([
    'application/json; charset=UTF-8',
    'application/json;charset=utf8',
    'application/json; charset="utf-8"; foo=bar',
    'application/json; foo=bar',
    'Application/JSON',
    'application/vnd.api+json',
    'application/problem+json ; Charset=Utf-8',
  ])('of a JSON type in UTF-8 is read: %s', async (type) => {
    await post().set('Content-Type', type).send('{"text":"x"}').expect(202);
  });

  test('with a byte order mark before it is read', async () => {
    await postJson('\uFEFF{"text":"x"}').expect(202);
  });
});

describe('text that Postgres would refuse is named and refused at the boundary', () => {
  test.each([
    ['a null character', String.raw`{"text":"a\u0000b"}`, '/text'],
    ['half of a pair, high', String.raw`{"text":"\ud83d"}`, '/text'],
    ['half of a pair, low', String.raw`{"text":"\ude00 x"}`, '/text'],
    ['deep inside', String.raw`{"text":"x","deep":[{"a~/":["\u0000"]}]}`, '/deep/0/a~0~1/0'],
    ['in the name of a member', String.raw`{"text":"x","deep":{"\u0000":1}}`, '/deep'],
  ])('%s', async (_what, body, pointer) => {
    const refused = await postJson(body).expect(400);
    expect(refused.body.errors).toHaveLength(1);
    expect(refused.body.errors[0].pointer).toBe(pointer);
  });

  test('in a query and in a path', async () => {
    expect((await post('/echo/1?q=%00').send({ text: 'x' }).expect(400)).body.errors[0].pointer).toBe('q');
    expect((await post('/echo/%00').send({ text: 'x' }).expect(400)).body.errors[0].pointer).toBe('id');
    await post('/echo/%ff').send({ text: 'x' }).expect(400);
  });

  test('a whole pair, escaped, is text like any other', async () => {
    const { body } = await postJson(String.raw`{"text":"\ud83d\ude00 \u0041"}`).expect(202);
    expect(body.body.text).toBe('😀 A');
  });
});

describe('the shape of a body is bounded before anything is built from it', () => {
  /** Containers in one another, the body itself among them. */
  const nested = (depth: number) => `{"text":"x","deep":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
  /** Two members, and items. */
  const wide = (parts: number) =>
    `{"text":"x","deep":[${Array(parts - 2)
      .fill(0)
      .join(',')}]}`;

  test('32 levels are taken, and 33 are not', async () => {
    await postJson(nested(32)).expect(202);
    const { body } = await postJson(nested(33)).expect(400);
    expect(body.errors).toEqual([{ pointer: '', detail: expect.stringContaining('deeper than 32') }]);
  });

  test('2 000 members and items are taken, and 2 001 are not', async () => {
    await postJson(wide(2_000)).expect(202);
    const { body } = await postJson(wide(2_001)).expect(400);
    expect(body.errors).toEqual([{ pointer: '', detail: expect.stringContaining('more than 2000') }]);
  });

  test('brackets, commas and quotes inside of strings count for nothing', async () => {
    const text = String.raw`[{,:\\"`.repeat(1_000);
    const { body } = await post().send({ text, deep: text }).expect(202);
    expect(body.body.text).toBe(text);
  });

  test('of a thousand unknown fields twenty are told, and how many there were', async () => {
    const unknown = Array.from({ length: 900 }, (_, at) => [`field${at}`, 1]);
    const { body } = await post()
      .send({ text: 'x', ...Object.fromEntries(unknown) })
      .expect(400);
    expect(body.errors).toHaveLength(20);
    expect(body.errors_total).toBe(900);
  });
});

test('refuses a body that hides its length at the same limit', async () => {
  const status = async (bytes: number) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const body = new Blob([bodyOf(bytes)]).stream();
    return (await fetch(`${url}/echo/1`, { method: 'POST', headers, body, duplex: 'half' } as RequestInit))
      .status;
  };
  expect(await status(BODY_BYTES_MAX)).toBe(202);
  expect(await status(BODY_BYTES_MAX + 1)).toBe(413);
});
