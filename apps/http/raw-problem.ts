import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { problemBody } from './answer.ts';
import type { Problem } from './problem.ts';

/** Answers with a problem where Node has no response to write to, and closes. */
export function endWithProblem(socket: Duplex, problem: Problem): void {
  const body = JSON.stringify(problemBody(problem));
  const headers = Object.entries(problem.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n` +
      'Connection: close\r\nContent-Type: application/problem+json; charset=utf-8\r\n' +
      `${headers.join('')}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
