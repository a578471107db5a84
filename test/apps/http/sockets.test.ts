import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { Problem } from '../../../apps/http/problem.ts';
import {
  definePersonSocket,
  type OpenSocket,
  type SocketOpen,
  type SocketRequest,
} from '../../../apps/http/route.ts';
import { createHttpServer, drain, listen } from '../../../apps/http/server.ts';
import { serveSockets } from '../../../apps/http/sockets.ts';
import type { PersonCaller, PersonTokens } from '../../../domain/identity/session/session.ts';
import { FAILED_AUTHENTICATIONS_PER_MINUTE, type QuotaCounter } from '../../../domain/project/quota.ts';
import { ProjectId } from '../../../domain/shared/ids.ts';
import { openLog } from '../../../infra/process/log.ts';
import { openApi, openGround, type TestApi } from '../../support/api.ts';

const moneyProject = ProjectId.parse(randomUUID());
const earner = {
  personId: randomUUID(),
  sessionId: randomUUID(),
  recipientId: randomUUID(),
  projectId: moneyProject,
  mode: 'live',
  deviceId: null,
  authenticatedAt: new Date(),
  tokenEndsAt: new Date(),
} as unknown as PersonCaller;

/** What stands for tokens here. */
const callers: Readonly<Record<string, PersonCaller>> = {
  good: earner,
  elsewhere: { ...earner, projectId: ProjectId.parse(randomUUID()) },
  test: { ...earner, mode: 'test' },
};
const persons: PersonTokens = {
  read: async (token) => {
    const person = callers[token];
    if (person) return { kind: 'valid', person };
    return { kind: token === 'ended' ? 'ended' : 'forged' };
  },
};

/** In this process alone. */
function countingHere(): QuotaCounter {
  const counts = new Map<string, number>();
  const take = (subject: string) => {
    const taken = (counts.get(subject) ?? 0) + 1;
    counts.set(subject, taken);
    return { taken, resetMs: 60_000 };
  };
  return {
    take: async ([first, ...others]) => [
      take(first.name + first.subject),
      ...others.map(({ name, subject }) => take(name + subject)),
    ],
  };
}

let ground: Awaited<ReturnType<typeof openGround>>;
beforeAll(async () => {
  ground = await openGround();
});
afterAll(() => ground?.close());

/** A server with one WebSocket, and what its route is told. */
async function open(onOpen: (socket: OpenSocket, request: SocketRequest) => void = () => undefined) {
  const opened: SocketRequest[] = [];
  const left = vi.fn<() => void>();
  const opens: SocketOpen = (request, socket) => {
    opened.push(request);
    onOpen(socket, request);
    return left;
  };
  const route = definePersonSocket({
    path: '/ws',
    tag: 'Test',
    summary: 'Talks',
    description: 'Talks.',
    session: 'earner',
    open: opens,
  });
  const logged: Record<string, unknown>[] = [];
  const log = openLog('api', 'info', { write: (line: string) => void logged.push(JSON.parse(line)) });
  const api: TestApi = openApi(ground, [route], [], persons, { moneyProject });
  const limited: unknown[] = [];
  const sockets = serveSockets([route], {
    persons,
    moneyProject,
    counter: countingHere(),
    clock: () => new Date(),
    log,
    proxies: 0,
    countLimited: (one) => limited.push(one),
  });
  const server = createHttpServer(api.app, {}, sockets);
  await listen(server, '127.0.0.1', 0);
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    sockets.close();
    await drain(server, 5_000);
    await api.close();
  };
  onTestFinished(stop);
  return { sockets, server, port, url: `127.0.0.1:${port}`, opened, left, logged, limited };
}

interface Dialled {
  readonly ws: WebSocket;
  readonly messages: string[];
  readonly closed: Promise<{ code: number; reason: string }>;
}

function dial(
  url: string,
  options: { headers?: Record<string, string>; protocols?: string[] } = {},
): Dialled {
  const ws = new WebSocket(`ws://${url}/ws`, options.protocols ?? [], { headers: options.headers ?? {} });
  const messages: string[] = [];
  ws.on('message', (data) => messages.push(String(data as Buffer)));
  const closed = new Promise<{ code: number; reason: string }>((resolve, reject) => {
    ws.once('close', (code, reason) => resolve({ code, reason: String(reason) }));
    ws.once('error', reject);
  });
  closed.catch(() => undefined);
  onTestFinished(() => ws.terminate());
  return { ws, messages, closed };
}

/** Says one thing once it is open, and how the server closes. */
async function say(url: string, first: string | Buffer): Promise<{ code: number; reason: string }> {
  const { ws, closed } = dial(url);
  await once(ws, 'open');
  ws.send(first);
  return closed;
}

const shown = (token: string, more: object = {}) => JSON.stringify({ token, ...more });

describe('a token', () => {
  test('comes in the first message, with the last id', async () => {
    const { url, opened } = await open(({ send }) => send('hello'));
    const { ws, messages } = dial(url);
    await once(ws, 'open');
    ws.send(shown('good', { last_id: 'a.b.c.d' }));
    await once(ws, 'message');
    expect(messages).toEqual(['hello']);
    expect(opened).toEqual([{ person: earner, lastId: 'a.b.c.d' }]);
  });

  test('or as a subprotocol', async () => {
    const { url, opened } = await open(({ send }) => send('hello'));
    const { ws } = dial(url, { protocols: ['navbat-token', 'good', 'a.-.c.d'] });
    await once(ws, 'message');
    expect(ws.protocol).toBe('navbat-token');
    const other = dial(url, { protocols: ['navbat-token', 'good'] });
    await once(other.ws, 'message');
    expect(opened.map(({ lastId }) => lastId)).toEqual(['a.-.c.d', null]);
  });

  test('never in the URL', async () => {
    const { url, opened } = await open();
    const [refused] = (await once(new WebSocket(`ws://${url}/ws?token=good`), 'error')) as [Error];
    expect(refused.message).toContain('400');
    const answered = await fetch(`http://${url}/ws?token=good`, {
      headers: { Authorization: 'Bearer good' },
    });
    expect(answered.status).toBe(400);
    expect(opened).toEqual([]);
  });

  test.each<[string, number, string]>([
    ['forged', 4401, 'unauthenticated: '],
    ['ended', 4401, 'unauthenticated: '],
    ['elsewhere', 4403, 'earner-session-required: '],
    ['test', 4403, 'earner-session-required: '],
  ])('that is %s closes with %i', async (token, code, reason) => {
    const { url, opened } = await open();
    const closed = await say(url, shown(token));
    expect([closed.code, closed.reason]).toEqual([code, expect.stringContaining(reason)]);
    expect(Buffer.byteLength(closed.reason)).toBeLessThanOrEqual(123);
    expect(opened).toEqual([]);
  });

  test('that is guessed is counted against its address', async () => {
    const { url, limited } = await open();
    for (let n = 0; n < FAILED_AUTHENTICATIONS_PER_MINUTE; n++)
      expect((await say(url, shown('forged'))).code).toBe(4401);
    expect(await say(url, shown('forged'))).toEqual({
      code: 4429,
      reason: expect.stringContaining('quota-exceeded'),
    });
    expect(limited).toEqual([{ method: 'GET', route: '/ws', reason: 'failed-authentication' }]);
    // Whoever has a good one is not kept out.
    const { ws } = dial(url);
    await once(ws, 'open');
    ws.send(shown('good'));
    await vi.waitFor(() => expect(ws.readyState).toBe(WebSocket.OPEN));
  });

  test('that does not come in time closes it', { timeout: 20_000 }, async () => {
    const { url } = await open();
    const { closed } = dial(url);
    expect(await closed).toEqual({ code: 4408, reason: 'no token came within 5 s' });
  });
});

describe('a first message', () => {
  test.each<[string, string | Buffer, number, string]>([
    ['that is no JSON', 'hello', 4400, 'expected {"token"'],
    ['without a token', '{}', 4400, 'expected {"token"'],
    ['with a number for a token', '{"token":7}', 4400, 'expected {"token"'],
    ['with more than is asked', shown('good', { more: 1 }), 4400, 'expected {"token"'],
    ['with a long last id', shown('good', { last_id: 'x'.repeat(201) }), 4400, 'expected {"token"'],
    ['that is binary', Buffer.from(shown('good')), 1003, 'is text'],
    ['above 4 kB', shown('x'.repeat(4_090)), 1009, 'at most 4096 bytes'],
    ['far above it', shown('x'.repeat(100_000)), 1009, ''],
  ])('%s closes with its code', async (_which, first, code, words) => {
    const { url, opened } = await open();
    expect(await say(url, first)).toEqual({ code, reason: expect.stringContaining(words) });
    expect(opened).toEqual([]);
  });

  test('is the only one', async () => {
    const { url, left } = await open(({ send }) => send('hello'));
    const { ws, closed } = dial(url);
    await once(ws, 'open');
    ws.send(shown('good'));
    await once(ws, 'message');
    ws.send('and another');
    expect(await closed).toEqual({ code: 1008, reason: 'only the first message is read' });
    await vi.waitFor(() => expect(left).toHaveBeenCalledOnce());
  });
});

test('a client that goes on after it was refused costs one timer, however much it sends', async () => {
  const { url, left } = await open(({ send }) => send('hello'));
  const { ws, closed } = dial(url);
  await once(ws, 'open');
  ws.send(shown('good'));
  await once(ws, 'message');
  const timers = vi.spyOn(globalThis, 'setTimeout');
  onTestFinished(() => timers.mockRestore());
  for (let n = 0; n < 200; n++) ws.send('and another');
  expect((await closed).code).toBe(1008);
  await vi.waitFor(() => expect(left).toHaveBeenCalledOnce());
  // What cuts off who does not answer the close.
  expect(timers.mock.calls.filter(([, ms]) => ms === 2_000)).toHaveLength(1);
});

describe('an upgrade', () => {
  const ask = (port: number, lines: readonly string[]) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () =>
        socket.write([...lines, 'Host: 127.0.0.1', '', ''].join('\r\n')),
      );
      let text = '';
      socket.on('data', (data) => (text += String(data as Buffer)));
      socket.once('close', () => resolve(text));
      socket.once('error', reject);
      setTimeout(() => socket.end(), 1_000).unref();
    });
  const upgrade = (path: string, ...more: string[]) => [
    `GET ${path} HTTP/1.1`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...more,
  ];

  test('of a page of another site is refused, of our own and of an app it is not', async () => {
    const { port } = await open();
    const foreign = await ask(port, upgrade('/ws', 'Origin: https://elsewhere.example'));
    expect(foreign).toMatch(/^HTTP\/1\.1 403 [^]*problem\+json[^]*origin-not-allowed/);
    expect(await ask(port, upgrade('/ws', 'Origin: null'))).toMatch(/^HTTP\/1\.1 403 /);
    expect(await ask(port, upgrade('/ws', 'Origin: http://127.0.0.1'))).toMatch(/^HTTP\/1\.1 101 /);
    expect(await ask(port, upgrade('/ws'))).toMatch(/^HTTP\/1\.1 101 /);
  });

  test('with parameters is refused: a token would stand in logs', async () => {
    const { port } = await open();
    expect(await ask(port, upgrade('/ws?token=good'))).toMatch(/^HTTP\/1\.1 400 [^]*no parameters/);
  });

  test('where there is no WebSocket, or to something else, is a request like any other', async () => {
    const { port } = await open();
    expect(await ask(port, upgrade('/nowhere'))).toMatch(/^HTTP\/1\.1 404 [^]*No such route/);
    const h2c = ['GET /nowhere HTTP/1.1', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c'];
    expect(await ask(port, h2c)).toMatch(/^HTTP\/1\.1 404 [^]*No such route/);
    const post = [
      'POST /nowhere HTTP/1.1',
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'Content-Length: 0',
    ];
    expect(await ask(port, post)).toMatch(/^HTTP\/1\.1 404 /);
  });

  test('that is none is told that it is one, once it is known who asks', async () => {
    const { url } = await open();
    const get = (token: string) =>
      fetch(`http://${url}/ws`, { headers: { Authorization: `Bearer ${token}` } });
    const answer = await get('good');
    expect([answer.status, answer.headers.get('upgrade')]).toEqual([426, 'websocket']);
    expect(await answer.text()).toContain('upgrade-required');
    expect((await get('elsewhere')).status).toBe(403);
    expect((await get('forged')).status).toBe(401);
  });

  test('of an older version of the protocol is refused by what there is', async () => {
    const { port } = await open();
    const old = upgrade('/ws').map((line) => line.replace('Version: 13', 'Version: 7'));
    expect(await ask(port, old)).toMatch(/^HTTP\/1\.1 4\d\d /);
  });
});

describe('a client', () => {
  test('that leaves more than 64 kB unread is cut off, and its route told', async () => {
    const handles: OpenSocket[] = [];
    const { url, left } = await open((socket) => void handles.push(socket));
    const slow = dial(url);
    const quick = dial(url);
    await Promise.all(
      [slow, quick].map(async ({ ws }) => {
        await once(ws, 'open');
        ws.send(shown('good'));
      }),
    );
    await vi.waitFor(() => expect(handles).toHaveLength(2));
    slow.ws.pause();
    const text = 'x'.repeat(60_000);
    // The kernel's buffers take some megabytes before ours begins to fill.
    await vi.waitFor(
      () => {
        for (const { send } of handles) send(text);
        expect(left).toHaveBeenCalledOnce();
      },
      { timeout: 20_000, interval: 5 },
    );
    expect(quick.ws.readyState).toBe(WebSocket.OPEN);
    slow.ws.resume();
    expect((await slow.closed).code).toBe(1006);
  });

  test('that does not answer pings is cut off at the second', { timeout: 20_000 }, async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const { url, left } = await open(({ send }) => send('hello'));
    const deaf = new WebSocket(`ws://${url}/ws`, { autoPong: false });
    onTestFinished(() => deaf.terminate());
    const alive = dial(url).ws;
    await Promise.all(
      [deaf, alive].map(async (ws) => {
        await once(ws, 'open');
        const hello = once(ws, 'message');
        ws.send(shown('good'));
        await hello;
      }),
    );
    const pinged = Promise.all([once(deaf, 'ping'), once(alive, 'ping')]);
    await vi.advanceTimersByTimeAsync(25_000);
    await pinged;
    // Until the pong has been read.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(left).not.toHaveBeenCalled();
    const closed = once(deaf, 'close');
    await vi.advanceTimersByTimeAsync(25_000);
    await closed;
    expect(left).toHaveBeenCalledOnce();
    expect(alive.readyState).toBe(WebSocket.OPEN);
  });

  test('for whom the route has no room is told so', async () => {
    const { url } = await open(() => {
      throw new Problem(429, 'quota-exceeded', 'There are enough.');
    });
    expect(await say(url, shown('good'))).toEqual({
      code: 4429,
      reason: 'quota-exceeded: There are enough.',
    });
  });

  test('that meets a fault of ours is told nothing of it', async () => {
    const { url, logged } = await open(() => {
      throw new Error('secret');
    });
    const { code, reason } = await say(url, shown('good'));
    expect([code, reason]).toEqual([1011, expect.stringContaining('internal: ')]);
    expect(reason).not.toContain('secret');
    expect(logged).toMatchObject([{ msg: 'a WebSocket was not opened', path: '/ws', status: 500 }]);
  });
});

test('a process that stops closes all of them, also those without a token or an answer, and takes no more', async () => {
  const { url, sockets, server, port } = await open(({ send }) => send('hello'));
  const [good, silent] = [dial(url), dial(url)];
  await Promise.all([once(good.ws, 'open'), once(silent.ws, 'open')]);
  good.ws.send(shown('good'));
  await once(good.ws, 'message');
  // One that speaks TCP and nothing else: it never answers the close.
  const mute = connect(port, '127.0.0.1', () =>
    mute.write(
      'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    ),
  );
  await once(mute, 'data');
  const muted = once(mute, 'close');
  mute.on('error', () => undefined).resume();
  const startedMs = performance.now();
  sockets.close();
  const refused = dial(url);
  await expect(refused.closed).rejects.toThrow('503');
  await drain(server, 10_000);
  expect(performance.now() - startedMs).toBeLessThan(9_000);
  const going = { code: 1001, reason: expect.stringContaining('the process stops') };
  expect([await good.closed, await silent.closed]).toEqual([going, going]);
  await muted;
});
