import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { faultsOfEvent } from './event-body.ts';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly at: number;
}

export interface Receiver {
  readonly url: string;
  readonly port: number;
  readonly received: readonly Received[];
  /** From now on. */
  answer(answer: Answerer): void;
}

export type Answerer = (request: Received, res: ServerResponse) => void;

const ok: Answerer = (_request, res) => res.writeHead(204).end();

/** Answers with a status, and with headers and a body where they are given. */
export const status =
  (code: number, headers: Record<string, string> = {}, body = ''): Answerer =>
  (_request, res) =>
    res.writeHead(code, headers).end(body);

/** Takes the request and says nothing. */
export const silence: Answerer = () => undefined;

export interface ReceiverOptions {
  readonly host?: string;
  readonly port?: number;
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** A customer's server: real sockets, and every request that came. An event that is not as `/docs` says fails the test. */
export async function startReceiver({
  host = '127.0.0.1',
  port = 0,
  tls,
}: ReceiverOptions = {}): Promise<Receiver> {
  const received: Received[] = [];
  let answering = ok;
  const listener: RequestListener = (req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const request = {
        path: req.url ?? '',
        headers: req.headers,
        body: Buffer.concat(chunks).toString(),
        at: performance.now(),
      };
      received.push(request);
      answering(request, res);
    });
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onTestFinished(async () => {
    await stop();
    const events = received.filter(({ headers }) => headers['webhook-id'] !== undefined);
    expect(events.flatMap(({ body }) => faultsOfEvent(body))).toEqual([]);
  });
  const taken = (server.address() as AddressInfo).port;
  return {
    url: `${tls ? 'https' : 'http'}://${host}:${taken}`,
    port: taken,
    received,
    answer: (answer) => {
      answering = answer;
    },
  };
}
