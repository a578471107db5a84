import type { IncomingMessage, ServerResponse } from 'node:http';

/** A rest of this length is mostly there already: Node throws it away, and the connection lives on. */
const REST_BYTES_FREE = 65_536;
/** What is thrown away of a longer one, so that a client that writes first and reads afterwards finds its answer. */
const DISCARDED_BYTES_MAX = 2_097_152;
const DISCARDING_MS_MAX = 2_000;
/** After each piece of 64 kB or less, times the connections that send: together they cost some 500 pieces a second at most. */
const PAUSE_MS = 2;

let discarding = 0;

/**
 * Lets a request be answered before its body was read. The answer goes out at once and says that the connection closes, so that
 * most clients stop; what still comes is thrown away unparsed, slowly and not without end, because a connection that is cut while
 * it sends loses the answer (RFC 9112 §9.6).
 */
export function answerBeforeBody(req: IncomingMessage, res: ServerResponse): void {
  const length = Number(req.headers['content-length'] ?? 0);
  if (req.headers['transfer-encoding'] === undefined && length <= REST_BYTES_FREE) return;
  const end = res.end.bind(res) as (...given: readonly unknown[]) => ServerResponse;
  res.end = ((...given: readonly unknown[]) => {
    res.end = end as ServerResponse['end'];
    if (req.complete || req.destroyed) return end(...given);
    if (!res.headersSent) res.setHeader('Connection', 'close');
    // A client that waits for 100 Continue has sent nothing, and will not.
    if (isWaiting(req)) return end(...given);
    const [text] = given;
    if (typeof text === 'string' || text instanceof Uint8Array) res.write(text);
    else res.flushHeaders();
    discard(req, () => end());
    return res;
  }) as ServerResponse['end'];
}

function discard(req: IncomingMessage, done: () => void): void {
  let bytes = 0;
  discarding += 1;
  const stop = () => {
    clearTimeout(deadline);
    req.off('end', stop).off('close', stop);
    discarding -= 1;
    done();
  };
  const deadline = setTimeout(() => req.destroy(), DISCARDING_MS_MAX);
  req.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > DISCARDED_BYTES_MAX) return void req.destroy();
    req.pause();
    setTimeout(() => req.resume(), PAUSE_MS * discarding);
  });
  req.once('end', stop).once('close', stop).resume();
}

const waiting = new WeakMap<IncomingMessage, ServerResponse>();

/** Its client has sent `Expect: 100-continue`, and sends the body when it is told to. */
export function holdBody(req: IncomingMessage, res: ServerResponse): void {
  waiting.set(req, res);
}

const isWaiting = (req: IncomingMessage) => waiting.has(req);

/** Has such a client send its body. */
export function askForBody(req: IncomingMessage): void {
  waiting.get(req)?.writeContinue();
  waiting.delete(req);
}
