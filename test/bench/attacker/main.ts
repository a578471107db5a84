import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { z } from 'zod';

/** Posts bodies of nested JSON over several connections, each again as soon as it is answered, until it is told to stop. */
const Order = z.object({ port: z.int(), path: z.string(), key: z.string(), connections: z.int() });
const BODY = Buffer.alloc(1_000_000, '[');
/** A server that limits how often one connects is still attacked. */
const AGAIN_MS = 1;

let stopped = false;
const answers: Record<string, number> = {};

function attack(order: z.infer<typeof Order>): void {
  if (stopped) return;
  const socket = connect(order.port, '127.0.0.1');
  let head = '';
  socket.on('data', (chunk: Buffer) => {
    if (head.length < 12) head += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.once('close', () => {
    const status = head.slice(9, 12) || 'none';
    answers[status] = (answers[status] ?? 0) + 1;
    setTimeout(() => attack(order), AGAIN_MS);
  });
  socket.write(
    `POST ${order.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${order.key}\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n`,
  );
  socket.write(BODY);
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const message: unknown = JSON.parse(line);
  if (message === 'stop') {
    stopped = true;
    console.log(JSON.stringify({ bench: 'attacker', answers }));
    return;
  }
  const order = Order.parse(message);
  for (let at = 0; at < order.connections; at += 1) attack(order);
});
console.log('attacker ready');
