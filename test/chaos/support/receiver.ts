import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One call of a callback, as the customer's server saw it. */
export interface Received {
  /** The `webhook-id`. */
  readonly eventId: string;
  readonly atMs: number;
}

export interface Receiver {
  readonly url: string;
  readonly received: readonly Received[];
  close(): Promise<void>;
}

/** A customer's server that is never away: whatever is missing from its list was not sent. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      received.push({ eventId: String(request.headers['webhook-id']), atMs: Date.now() });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`,
    received,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
