import { get, type IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defineOpenRoute, type StreamedFile } from '../../../apps/http/route.ts';
import { createHttpServer, drain, listen } from '../../../apps/http/server.ts';
import { openApi, openGround } from '../../support/api.ts';
import { eventually } from '../../support/eventually.ts';

const CHUNK = `${'x'.repeat(65_535)}\n`;
const CHUNKS = 3_000;
const made = { chunks: 0, ended: 0, endedBefore: false };

/** `/files/{what}`: 200 MB, as fast as the client reads; or something that goes wrong. */
async function* chunksOf(what: string | undefined): AsyncGenerator<string, void> {
  try {
    if (what === 'fails-at-once') throw new Error('no rows');
    for (let n = 0; n < CHUNKS; n++) {
      if (what === 'fails' && n === 10) throw new Error('the database is gone');
      made.chunks += 1;
      yield CHUNK;
    }
  } finally {
    made.ended += 1;
    if (what === 'left-before') made.endedBefore = true;
  }
}

const fileOf = (what: string | undefined): StreamedFile => ({
  name: 'x.txt',
  mediaType: 'text/plain',
  secondsMax: what === 'slow' ? 1 : 60,
  chunks: () => chunksOf(what),
});
const route = defineOpenRoute({
  method: 'get',
  path: '/files',
  tag: 'Test',
  summary: 'A file',
  because: 'a test asks',
  answers: {},
  handle: async ({ lastEventId }) => {
    if (lastEventId === 'left-before') {
      asked.resolve();
      await gone.promise;
    }
    return { status: 200, body: undefined, file: fileOf(lastEventId ?? undefined) };
  },
  follows: true,
});

/** A request that waits until its client is gone. */
const asked = Promise.withResolvers<void>();
const gone = Promise.withResolvers<void>();

let close: () => Promise<void>;
let url: string;
beforeAll(async () => {
  const ground = await openGround();
  const api = openApi(ground, [route]);
  const server = createHttpServer(api.app);
  await listen(server, '127.0.0.1', 0);
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/files`;
  close = async () => {
    await drain(server, 1_000);
    await api.close();
    await ground.close();
  };
});
afterAll(() => close());

const open = (what: string) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { headers: { 'Last-Event-ID': what } }, resolve).on('error', reject);
  });
async function read(answer: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const chunk of answer) bytes += (chunk as Buffer).length;
  return bytes;
}

describe('a file that is made while it is sent', () => {
  test('reaches its client whole', async () => {
    expect(await read(await open('whole'))).toBe(CHUNK.length * CHUNKS);
  });

  test('is made no faster than its client reads', async () => {
    made.chunks = 0;
    const answer = await open('paused');
    await wait(500);
    // What the sockets of this machine hold, and not 200 MB.
    expect(made.chunks).toBeLessThan(CHUNKS / 10);
    answer.destroy();
  });

  test('ends with its client', async () => {
    made.ended = 0;
    (await open('left')).destroy();
    await eventually(async () => expect(made.ended).toBe(1));
  });

  test('ends where its client left before its beginning', async () => {
    const request = get(url, { headers: { 'Last-Event-ID': 'left-before' } }).on('error', () => undefined);
    await asked.promise;
    request.destroy();
    // Until the server has seen it: there is no event of which a test could hear.
    await wait(200);
    gone.resolve();
    await eventually(async () => expect(made.endedBefore).toBe(true));
  });

  test('is cut off where its client reads too slowly', async () => {
    const answer = await open('slow');
    await wait(1_500);
    await expect(read(answer)).rejects.toThrow('aborted');
  });

  test('is cut off where it fails, so that nobody takes it for whole', async () => {
    await expect(read(await open('fails'))).rejects.toThrow('aborted');
  });

  test('that fails before its beginning is a problem', async () => {
    const answer = await open('fails-at-once');
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([
      500,
      'application/problem+json; charset=utf-8',
    ]);
    answer.resume();
  });

  test('is not made for HEAD', async () => {
    made.chunks = 0;
    const { status, headers } = await fetch(url, { method: 'HEAD' });
    expect([status, headers.get('content-disposition'), made.chunks]).toEqual([
      200,
      'attachment; filename="x.txt"',
      0,
    ]);
  });
});
