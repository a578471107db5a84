import { createServer, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** A provider waits 15 s for its callback's answer. */
const PATIENCE_MS = 12_000;
const PAUSE_MS = 100;

/**
 * The load balancer that stands at PUBLIC_URL: a callback that an api did not answer, or answered with a 5xx, goes to the
 * next one. Without it, every kill of an api would cost callbacks, and their jobs a minute of waiting for them.
 */
export async function startBalancer(
  port: number,
  urls: readonly string[],
): Promise<{ close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const headers = Object.entries(request.headers).flatMap(([name, value]) =>
        typeof value === 'string' && !hopByHop.has(name) ? [[name, value] as [string, string]] : [],
      );
      const message = { path: request.url ?? '/', headers, body: Buffer.concat(chunks) };
      void pass(urls, message).then((status) => response.writeHead(status).end());
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { close: () => closeServer(server) };
}

const hopByHop = new Set(['connection', 'content-length', 'host', 'transfer-encoding', 'keep-alive']);
let turn = 0;

async function pass(
  urls: readonly string[],
  { path, headers, body }: { path: string; headers: [string, string][]; body: Buffer },
): Promise<number> {
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    const url = `${urls[turn++ % urls.length]}${path}`;
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const status = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body), signal })
      .then(async (response) => {
        await response.arrayBuffer();
        return response.status;
      })
      .catch(() => 502);
    if (status < 500) return status;
    await sleep(PAUSE_MS);
  }
  return 504;
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
