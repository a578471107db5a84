import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** One kept-alive connection with one request on the way at a time. It parses as much of HTTP as the servers under test send. */
export interface Connection {
  send(head: string, body: string, onAnswer: (status: number) => void): void;
  close(): void;
}

/** Broken connections are told as this status. */
const BROKEN = 0;

export async function openConnection(port: number, localAddress: string): Promise<Connection> {
  const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
  await once(socket, 'connect');
  let answered: ((status: number) => void) | undefined;
  let pending: Buffer | undefined;
  const settle = (status: number) => {
    const tell = answered;
    answered = undefined;
    pending = undefined;
    tell?.(status);
  };
  socket.on('data', (chunk: Buffer) => {
    pending = pending ? Buffer.concat([pending, chunk]) : chunk;
    if (isWhole(pending)) settle(statusOf(pending));
  });
  socket.on('error', () => settle(BROKEN));
  socket.on('close', () => settle(BROKEN));
  return {
    send: (head, body, onAnswer) => {
      answered = onAnswer;
      write(socket, head, body);
    },
    close: () => socket.destroy(),
  };
}

const write = (socket: Socket, head: string, body: string) =>
  socket.write(`${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`, 'latin1');

const LENGTH = 'Content-Length: ';

function isWhole(answer: Buffer): boolean {
  const end = answer.indexOf('\r\n\r\n');
  if (end === -1) return false;
  const head = answer.toString('latin1', 0, end);
  const at = head.indexOf(LENGTH);
  const length = at === -1 ? 0 : Number.parseInt(head.slice(at + LENGTH.length, at + LENGTH.length + 8), 10);
  return answer.length >= end + 4 + length;
}

/** `HTTP/1.1 202 …`: the digits stand at 9 to 11. */
const statusOf = (answer: Buffer): number => Number(answer.toString('latin1', 9, 12));
