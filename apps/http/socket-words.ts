import type { IncomingMessage } from 'node:http';
import type { RawData, WebSocket } from 'ws';
import { z } from 'zod';
import { ClientGone } from './client-gone.ts';
import { header } from './express.ts';
import type { Problem } from './problem.ts';

/** What a client offers that shows its token while it opens: this, the token, and if it likes the last id. */
export const TOKEN_PROTOCOL = 'navbat-token';
/** A token has some 500 bytes. */
const FIRST_MESSAGE_BYTES_MAX = 4_096;
/** RFC 6455 §5.5: with its code the body of a close has 125 bytes. */
const REASON_BYTES_MAX = 123;
/** Ours have fifty. What is longer is none of ours, and names no state. */
const LAST_ID_CHARACTERS_MAX = 200;

/** A fault of the connection itself, for which RFC 6455 §7.4 has a code, or HTTP a status. */
export class SocketFault extends Error {
  override readonly name = 'SocketFault';
  readonly code: number;

  constructor(code: number, words: string) {
    super(words);
    this.code = code;
  }
}

/** 4401 is what 401 is; of faults of ours, those that RFC 6455 has. */
export function closeCode({ status }: Problem): number {
  if (status < 500) return 4_000 + status;
  return status === 503 ? 1013 : 1011;
}

/** As much of it as a close may say. */
export function closeReason(words: string): string {
  const bytes = Buffer.from(words);
  // A character that is cut in two is left out: the rest would be no UTF-8.
  return bytes
    .subarray(0, REASON_BYTES_MAX)
    .toString()
    .replace(/\uFFFD$/, '');
}

interface Shown {
  readonly token: string;
  readonly lastId: string | null;
}

/** Null where it is to come in the first message. */
export function shownByProtocol(req: IncomingMessage): Shown | null {
  const [protocol, token, lastId = null] = (header(req, 'sec-websocket-protocol') ?? '')
    .split(',')
    .map((one) => one.trim());
  return protocol === TOKEN_PROTOCOL && token !== undefined ? { token, lastId } : null;
}

const First = z.strictObject({
  token: z.string().min(1),
  last_id: z.string().max(LAST_ID_CHARACTERS_MAX).nullish(),
});

/** @throws SocketFault where it does not come in time or is none, ClientGone where the client has left. */
export function firstMessage(ws: WebSocket, withinMs: number): Promise<Shown> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new SocketFault(4_408, `no token came within ${withinMs / 1_000} s`)),
      withinMs,
    );
    ws.once('message', (data, isBinary) => {
      clearTimeout(late);
      try {
        resolve(readFirst(data, isBinary));
      } catch (error) {
        reject(error as Error);
      }
    });
    ws.once('close', () => {
      clearTimeout(late);
      reject(new ClientGone());
    });
  });
}

function readFirst(data: RawData, isBinary: boolean): Shown {
  if (isBinary) throw new SocketFault(1003, 'the first message is text: {"token": "…"}');
  // The library hands over one Buffer unless it is told otherwise.
  const bytes = data as Buffer;
  if (bytes.length > FIRST_MESSAGE_BYTES_MAX)
    throw new SocketFault(1009, `the first message has at most ${FIRST_MESSAGE_BYTES_MAX} bytes`);
  const read = First.safeParse(jsonOf(bytes.toString()));
  if (!read.success)
    throw new SocketFault(
      4_400,
      'expected {"token": "…", "last_id": "…"} as the first message, last_id if you have one',
    );
  return { token: read.data.token, lastId: read.data.last_id ?? null };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
