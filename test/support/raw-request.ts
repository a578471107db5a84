import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The first bytes of a request: its line and headers, and nothing of its body. */
export function headOf(method: string, path: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n');
}

/**
 * Reads one answer off a socket: to the last byte that its Content-Length names, or to the end of its headers.
 *
 * @throws Error where the connection ends before.
 */
export function readAnswer(socket: Socket): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const answer = answerIn(text);
      if (answer) resolve(answer);
    });
    const cut = () => reject(new Error(`the connection ended after ${JSON.stringify(text)}`));
    socket.once('error', cut).once('close', cut);
  });
}

function answerIn(text: string): RawAnswer | null {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const [line = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((one) => [
      one.slice(0, one.indexOf(':')).toLowerCase(),
      one.slice(one.indexOf(':') + 1).trim(),
    ]),
  );
  const body = text.slice(end + 4);
  if (body.length < Number(headers['content-length'] ?? 0)) return null;
  return { status: Number(line.split(' ')[1]), headers, body };
}

/** Sends a request whose body never comes, and reads the answer to its headers alone. */
export async function askWithoutBody(
  url: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(headOf(method, path, { Host: `${hostname}:${port}`, ...headers }));
  try {
    return await readAnswer(socket);
  } finally {
    socket.destroy();
  }
}
