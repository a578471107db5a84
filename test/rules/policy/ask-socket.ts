import { WebSocket } from 'ws';
import type { Answer } from './ask.ts';

const HTTP_OF_CLOSES = 4_000;

/**
 * Opens a WebSocket and shows the bearer token in its first message, as a browser does, which can send no such header. What it is told first is
 * the answer, and where it is closed before that, the status in the code.
 */
export function askSocket(
  url: string,
  { Authorization: authorization = '', ...headers }: Readonly<Record<string, string>>,
): Promise<Answer> {
  const token = authorization.replace(/^bearer +/i, '') || 'none';
  const ws = new WebSocket(url.replace(/^http/, 'ws'), { headers });
  return new Promise((resolve, reject) => {
    ws.once('open', () => ws.send(JSON.stringify({ token })));
    ws.once('message', (data) => {
      resolve({ status: 200, headers: [], text: String(data as Buffer) });
      ws.close();
    });
    ws.once('close', (code, reason) =>
      resolve({ status: code - HTTP_OF_CLOSES, headers: [], text: String(reason) }),
    );
    ws.once('error', reject);
  });
}
