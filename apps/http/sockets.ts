import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { asProblem, UNREAD_BYTES_MAX } from './answer.ts';
import { personOf, requireSession } from './authenticate.ts';
import { ClientGone } from './client-gone.ts';
import { isForeignPage } from './cors.ts';
import { callerAddress, limitOf } from './express.ts';
import { noteLimited } from './limited.ts';
import { Problem } from './problem.ts';
import { limitPerson } from './rate-limit.ts';
import { endWithProblem } from './raw-problem.ts';
import type { PersonRoute, Route, SocketOpen } from './route.ts';
import { identify, type Serving } from './serve-route.ts';
import type { Upgrades } from './server.ts';
import {
  closeCode,
  closeReason,
  firstMessage,
  SocketFault,
  shownByProtocol,
  TOKEN_PROTOCOL,
} from './socket-words.ts';

/** From the upgrade to the token: a phone on a bad network sends it in one. */
const TOKEN_WITHIN_MS = 5_000;
/** Proxies close what is silent for a minute; a client that is gone is missed at the second ping. */
const PING_EVERY_MS = 25_000;
/** So long a client may take to answer a close, before it is cut off. */
const CLOSE_WITHIN_MS = 2_000;
/** Beyond this a message is not even read to its end; one above the 4 kB of `socket-words.ts` is told why. */
const MESSAGE_BYTES_READ_MAX = 16_384;

export interface Sockets extends Upgrades {
  /** Closes all of them, and takes no more: the process stops. */
  readonly close: () => void;
}

type SocketRoute = PersonRoute & { readonly socket: SocketOpen };
type SocketServing = Pick<
  Serving,
  'persons' | 'moneyProject' | 'counter' | 'clock' | 'log' | 'proxies' | 'countLimited'
>;

/** Serves the WebSockets among these routes. */
export function serveSockets(routes: readonly Route[], serving: SocketServing): Sockets {
  const byPath = new Map(routes.filter(isSocket).map((route) => [route.path, route]));
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MESSAGE_BYTES_READ_MAX,
    // What is sent is small: compressing it would hold some 300 kB for each.
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(TOKEN_PROTOCOL) ? TOKEN_PROTOCOL : false),
  });
  const peers = openPeers();
  let isClosed = false;
  return {
    takes: (req) => /^websocket$/i.test(req.headers.upgrade ?? '') && byPath.has(pathOf(req)),
    serve: (req, socket, head) => {
      const route = byPath.get(pathOf(req));
      const problem = isClosed ? stopping() : refusalOf(route, req);
      if (!route || problem) return refuseUpgrade(socket, problem ?? noSocket());
      server.handleUpgrade(req, socket, head, (ws) => void talk(peers.join(ws), route, serving, req));
    },
    close: () => {
      isClosed = true;
      peers.close();
    },
  };
}

const isSocket = (route: Route): route is SocketRoute => route.by === 'person' && route.socket !== undefined;
const pathOf = ({ url = '' }: IncomingMessage): string => url.split('?', 1)[0] ?? '';

function refusalOf(route: SocketRoute | undefined, req: IncomingMessage): Problem | null {
  if (!route) return noSocket();
  if (isForeignPage(req))
    return new Problem(403, 'origin-not-allowed', 'Pages of other sites may not open this.');
  if (!req.url?.includes('?')) return null;
  // It would stand in the logs of every proxy on the way.
  return new Problem(400, 'invalid-request', 'It takes no parameters. The token comes in the first message.');
}

const noSocket = () => new Problem(404, 'not-found', 'There is no such WebSocket.');
const stopping = () =>
  new Problem(503, 'unavailable', 'This process stops. Come back in a moment.', {
    headers: { 'Retry-After': '1' },
  });

function refuseUpgrade(socket: Duplex, problem: Problem): void {
  socket.on('error', () => socket.destroy());
  endWithProblem(socket, problem);
}

/** A connection, from its upgrade until it is closed. */
interface Peer {
  readonly ws: WebSocket;
  /** It has answered the last ping. */
  isAlive: boolean;
}

/** All that are open, those that have shown no token yet among them. */
function openPeers() {
  const all = new Set<Peer>();
  let pinging: NodeJS.Timeout | undefined;
  const ping = () => {
    for (const peer of all) {
      if (!peer.isAlive) peer.ws.terminate();
      else {
        peer.isAlive = false;
        peer.ws.ping();
      }
    }
  };
  return {
    join: (ws: WebSocket): Peer => {
      const peer: Peer = { ws, isAlive: true };
      all.add(peer);
      pinging ??= setInterval(ping, PING_EVERY_MS);
      ws.on('pong', () => {
        peer.isAlive = true;
      });
      // What breaks the protocol is closed by the library, with a code of RFC 6455.
      ws.on('error', () => undefined);
      ws.once('close', () => {
        all.delete(peer);
        if (all.size > 0) return;
        clearInterval(pinging);
        pinging = undefined;
      });
      return peer;
    },
    close: () => {
      for (const { ws } of all) closeSurely(ws, GOING_AWAY, 'the process stops: come back in a moment');
    },
  };
}

const GOING_AWAY = 1001;

/** Once: the library goes on reading what comes after a close, and each call would keep a timer for it. */
function closeSurely(ws: WebSocket, code: number, reason: string): void {
  if (ws.readyState !== ws.OPEN) return;
  ws.close(code, reason);
  const cut = setTimeout(() => ws.terminate(), CLOSE_WITHIN_MS);
  ws.once('close', () => clearTimeout(cut));
}

async function talk(
  { ws }: Peer,
  route: SocketRoute,
  serving: SocketServing,
  req: IncomingMessage,
): Promise<void> {
  try {
    const { token, lastId } = shownByProtocol(req) ?? (await firstMessage(ws, TOKEN_WITHIN_MS));
    ws.once('message', () => refuse(ws, new SocketFault(1008, 'only the first message is read')));
    const now = serving.clock();
    const ip = callerAddress(req, serving.proxies);
    // Nobody reads these headers: they are where limits say how they stand.
    const res = new ServerResponse(req);
    const person = await identify(serving, { res, ip }, () => personOf(serving.persons, token, now));
    requireSession(person, route, serving.moneyProject, now);
    await limitPerson(serving.counter, person, ip, res);
    if (ws.readyState !== ws.OPEN) return;
    const leave = route.socket({ person, lastId }, handleOf(ws));
    ws.once('close', leave);
  } catch (error) {
    if (error instanceof ClientGone) return;
    if (!(error instanceof SocketFault)) tellLog(serving, route, asProblem(error), error);
    refuse(ws, error);
  }
}

const handleOf = (ws: WebSocket) => ({
  send: (text: string) => {
    if (ws.bufferedAmount > UNREAD_BYTES_MAX) ws.terminate();
    else ws.send(text);
  },
  refuse: (problem: Problem) => refuse(ws, problem),
  goAway: () => closeSurely(ws, GOING_AWAY, 'the process stops: come back as the last message says'),
});

const refuse = (ws: WebSocket, error: unknown): void =>
  error instanceof SocketFault
    ? closeSurely(ws, error.code, closeReason(error.message))
    : closeSurely(
        ws,
        closeCode(asProblem(error)),
        closeReason(`${asProblem(error).type}: ${asProblem(error).message}`),
      );

function tellLog(
  { log, countLimited }: SocketServing,
  { path }: SocketRoute,
  problem: Problem,
  err: unknown,
): void {
  if (problem.status >= 500) log.error({ path, status: problem.status, err }, 'a WebSocket was not opened');
  if (problem.status !== 429) return;
  const limited = { method: 'GET', route: path, reason: limitOf(err) };
  countLimited?.(limited);
  noteLimited(log, { request_id: 'none', ...limited });
}
