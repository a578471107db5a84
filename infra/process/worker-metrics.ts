import { createServer } from 'node:http';
import { once } from 'node:events';
import { listenFault } from '../../domain/shared/listen-fault.ts';
import { isNeighbour } from '../../domain/shared/ip-neighbour.ts';
import type { Config } from './config.ts';
import { metrics } from './metrics.ts';

/** A scraper asks in some milliseconds and comes again in some seconds. */
const SCRAPERS = { headersTimeout: 5_000, requestTimeout: 5_000, keepAliveTimeout: 65_000 } as const;
/** A few scrapers, each with one or two. */
const CONNECTIONS_MAX = 64;

/** A worker answers nobody but a scraper: `GET /metrics` at `WORKER_METRICS_PORT`, where that is set. */
export async function serveMetrics({
  WORKER_METRICS_PORT: port,
  BIND_HOST: host,
}: Pick<Config, 'WORKER_METRICS_PORT' | 'BIND_HOST'>): Promise<() => Promise<void>> {
  if (port === 0) return async () => undefined;
  const server = createServer(SCRAPERS, (req, res) => {
    if (req.url !== '/metrics' || !isNeighbour(req.headers, req.socket.remoteAddress))
      return void res.writeHead(404).end();
    void metrics
      .metrics()
      .then((text) => res.writeHead(200, { 'Content-Type': metrics.contentType }).end(text));
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.listen(port, host);
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    const told = new Error(listenFault('WORKER_METRICS_PORT', port, host, error.code), { cause: error });
    throw Object.assign(told, { code: error.code });
  });
  return async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
}
