import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Logger, pino } from 'pino';
import { parseJson } from '../../../../domain/shared/json.ts';
import { type Answer, BODY_BYTES_MAX, json, problem, readBody, writeReply } from '../../http.ts';
import { TrafficDesk } from './desk.ts';

/** Clients keep connections open for a minute; a server that closes first makes them fail. */
const KEEP_ALIVE_MS = 65_000;
const HEADERS_TIMEOUT_MS = 5_000;
/** A phone that stops asks the api three times. */
const REQUEST_TIMEOUT_MS = 60_000;

export interface TrafficOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly host?: string;
  /** Where phones and gateways report, where they are not told. */
  readonly apiUrl: string;
  readonly clock?: () => Date;
  readonly random?: () => number;
  readonly log?: Logger;
}

export interface TrafficSandbox {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string;
  close(): Promise<void>;
}

/** Phones that share traffic, and gateways that carry it, to try product earn with. Rejects when NODE_ENV is production. */
export async function startTraffic(options: TrafficOptions): Promise<TrafficSandbox> {
  if (process.env['NODE_ENV'] === 'production')
    throw new Error(
      'The phones of the sandbox share no traffic, and never start when NODE_ENV is production.',
    );
  const { port, host = '127.0.0.1', apiUrl, clock = () => new Date(), random = Math.random } = options;
  const log = options.log ?? pino({ level: 'silent' });
  const desk = new TrafficDesk({ apiUrl, now: clock, random, log });
  const server = createServer({
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
  });
  server.on('request', (request, response) => void serve(desk, log, request, response));
  await listen(server, port, host);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      desk.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function serve(
  desk: TrafficDesk,
  log: Logger,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const body = await readBody(request);
    if (!body) return writeReply(response, problem(`A body has at most ${BODY_BYTES_MAX} bytes.`, 413));
    writeReply(response, await answer(desk, request, parseJson(body.toString('utf8')) ?? {}));
  } catch (error) {
    log.error({ err: error }, "the sandbox's traffic could not answer");
    if (!response.headersSent) writeReply(response, problem(`The api did not answer: ${String(error)}`, 502));
  }
}

async function answer(
  desk: TrafficDesk,
  { method, url = '/' }: IncomingMessage,
  body: unknown,
): Promise<Answer> {
  const [path = '/'] = url.split('?');
  const [, what, id = ''] = /^\/(phones|gateways)(?:\/([^/]+))?$/.exec(path) ?? [];
  switch (`${method} ${what}${id === '' ? '' : '/{id}'}`) {
    case 'POST gateways':
      return desk.makeGateway(body);
    case 'PUT gateways/{id}':
      return desk.changeGateway(id, body);
    case 'POST phones':
      return desk.startPhone(body);
    case 'GET phones':
      return desk.list();
    case 'DELETE phones/{id}':
      return desk.stopPhone(id);
    default:
      if (path === '/health') return json(200, { status: 'ok' });
      return problem(
        'POST /gateways, PUT /gateways/{id}, POST /phones, GET /phones and DELETE /phones/{id} are all there is.',
        404,
      );
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
