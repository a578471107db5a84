import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { listenFault } from '../../domain/shared/listen-fault.ts';
import { type ConnectionLimits, limitConnections } from './connections.ts';
import { Problem } from './problem.ts';
import { endWithProblem } from './raw-problem.ts';
import { answerBeforeBody, holdBody } from './unread-body.ts';

/** All headers of a request: a key, an idempotency key and what proxies add come to about one kilobyte. */
export const HEADER_BYTES_MAX = 8_192;
/** From the first byte to the last header: who needs longer is holding a connection, not using it. */
const HEADERS_TIMEOUT_MS = 5_000;
/** From the first byte to the last one of the body: 64 kB over the slowest phone connection. */
const REQUEST_TIMEOUT_MS = 15_000;
/** Longer than the 60 s after which proxies close idle connections, so that they close first and lose no request. */
const KEEP_ALIVE_MS = 65_000;

const IDLE_CLOSED_EVERY_MS = 50;

/** What a drain must know, and Node tells only of connections that have had a request. */
const openSockets = new WeakMap<Server, ReadonlySet<Socket>>();

/** What takes connections over after a request for an upgrade. */
export interface Upgrades {
  /** Whether it takes this one. What it does not take is a request like any other: some clients ask each server for HTTP/2 this way. */
  readonly takes: (req: IncomingMessage) => boolean;
  readonly serve: (req: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** A server with limits on what a client may send, and how slowly. */
export function createHttpServer(
  handler: RequestListener,
  limits: ConnectionLimits = {},
  upgrades: Upgrades | null = null,
): Server {
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Timed-out connections are looked for this often.
      connectionsCheckingInterval: 1_000,
      // From Node 24.9 on. An older one gives every upgrade to the listener below.
      shouldUpgradeCallback: (req) => upgrades?.takes(req) ?? false,
    },
    handler,
  );
  server.prependListener('request', answerBeforeBody);
  // Without a listener Node has the body sent before anybody has looked at the key.
  server.on('checkContinue', (req, res) => {
    holdBody(req, res);
    answerBeforeBody(req, res);
    handler(req, res);
  });
  limitConnections(server, limits);
  if (upgrades) server.on('upgrade', upgrades.serve);
  const sockets = new Set<Socket>();
  openSockets.set(server, sockets);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
    refuseRequest(error, socket as Socket),
  );
}

/**
 * @param variable names the setting in the message.
 * @throws Error with a line: which port is taken, or what else keeps us from it, and what to do next.
 */
export function listen(server: Server, host: string, port: number, variable = 'listening'): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const told = new Error(listenFault(variable, port, host, error.code), { cause: error });
      reject(Object.assign(told, { code: error.code }));
    });
    server.listen(port, host, resolve);
  });
}

/** Stops accepting, lets requests end, and ends what still runs after `limitMs`. */
export async function drain(server: Server, limitMs: number): Promise<void> {
  const closed = new Promise<true>((resolve) => server.close(() => resolve(true)));
  const deadline = performance.now() + limitMs;
  while (performance.now() < deadline) {
    // A kept-alive connection becomes idle only when its request has ended.
    server.closeIdleConnections();
    closeSilent(server);
    if ((await Promise.race([closed, sleep(IDLE_CLOSED_EVERY_MS)])) === true) return;
  }
  server.closeAllConnections();
  // Those that were upgraded are no requests to Node any more.
  for (const socket of openSockets.get(server) ?? []) socket.destroy();
  await closed;
}

/** Connections that never sent a byte: browsers and pools open them in advance. */
function closeSilent(server: Server): void {
  for (const socket of openSockets.get(server) ?? []) if (socket.bytesRead === 0) socket.destroy();
}

/** What Node's parser refuses never reaches Express; it gets the same form of answer. */
function refuseRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  endWithProblem(socket, parserProblem(error.code));
}

function parserProblem(code: string | undefined): Problem {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new Problem(431, 'headers-too-large', `All headers together may hold ${HEADER_BYTES_MAX} bytes.`);
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new Problem(408, 'request-timeout', 'The request took too long to arrive.');
  return new Problem(400, 'malformed-request', 'This is not an HTTP request.');
}
