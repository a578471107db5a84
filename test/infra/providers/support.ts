import { connect, createServer, type AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** An attempt's deadline in tests: long enough for an answer, short enough to wait for. */
const DEADLINE_MS = 60_000;

export const deadline = (ms = DEADLINE_MS): AbortSignal => AbortSignal.timeout(ms);

/** A port on which nobody listens. */
export async function closedPort(): Promise<number> {
  const { port, close } = await listen(createServer());
  await close();
  return port;
}

/** A wire in front of a server, which counts the connections that were opened through it, and those still open. */
export async function tap(serverPort: number) {
  let opened = 0;
  let open = 0;
  const wire = createServer((caller) => {
    opened += 1;
    open += 1;
    const server = connect(serverPort, '127.0.0.1');
    caller.on('error', () => server.destroy()).pipe(server);
    caller.on('close', () => {
      open -= 1;
      server.destroy();
    });
    server.on('error', () => caller.destroy()).pipe(caller);
  });
  const { port, close } = await listen(wire);
  onTestFinished(close);
  return { url: `http://127.0.0.1:${port}`, connections: () => opened, connectionsOpen: () => open };
}

/** A server that answers every request with these bytes: what no well-behaved sandbox says. */
export async function answering(bytes: string): Promise<string> {
  const server = createServer((caller) => {
    caller.on('error', () => caller.destroy()).once('data', () => caller.end(bytes));
  });
  const { port, close } = await listen(server);
  onTestFinished(close);
  return `http://127.0.0.1:${port}`;
}

export const http = (status: string, body: string, headers = ''): string =>
  `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`;

/** Gives each row of a table of faults a title: what is ordered, and what must come of it. */
export function titled<Row extends { fault: object; reply: object }>(rows: readonly Row[]) {
  const words = (values: object) => Object.values(values).join(' ');
  return rows.map((row) => ({ ...row, what: `${words(row.fault)} is ${words(row.reply)}` }));
}

async function listen(server: ReturnType<typeof createServer>) {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => sockets.add(socket));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return { port, close };
}
