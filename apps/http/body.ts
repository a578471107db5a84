import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { Problem } from './problem.ts';
import { findBadText } from './text.ts';

/** Sixteen times the largest honest request, and small enough to parse in well under a millisecond. */
export const BODY_BYTES_MAX = 32_768;

/**
 * The body as it was sent, for what must check a signature over it.
 *
 * @throws Problem 413 where it is longer than `bytesMax`, 415 where it is compressed.
 */
export function readBody(req: IncomingMessage, bytesMax = BODY_BYTES_MAX): Promise<Buffer> {
  const encoding = req.headers['content-encoding'];
  if (encoding && encoding !== 'identity') return Promise.reject(unsupported('Send the body uncompressed.'));
  if (Number(req.headers['content-length'] ?? 0) > bytesMax) return Promise.reject(tooLarge(bytesMax));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes <= bytesMax) return;
      // What else is sent is thrown away unread; the answer closes the connection.
      req.removeAllListeners('data').resume();
      reject(tooLarge(bytesMax));
    });
    req.once('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    req.once('error', reject);
  });
}

/**
 * The JSON document in the body; undefined where there is none.
 *
 * @throws Problem 400, 413 or 415.
 */
export async function readJson(req: IncomingMessage, bytesMax = BODY_BYTES_MAX): Promise<unknown> {
  const body = await readBody(req, bytesMax);
  if (body.length === 0) return undefined;
  if (!isJson(req.headers['content-type'])) throw unsupported('Send the body as application/json.');
  if (!isUtf8(body)) throw malformed('The body is not UTF-8.');
  return parseJson(body.toString());
}

function parseJson(text: string): unknown {
  const value = tryJson(text);
  // Valid UTF-8 and JSON hold neither character as it is, so that without an escape there is nothing to look for.
  const bad = text.includes('\\u') ? findBadText(value) : null;
  if (bad)
    throw new Problem(400, 'invalid-request', 'The request does not fit the schema.', { errors: [bad] });
  return value;
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message repeats the body.
    throw malformed('The body is not JSON.');
  }
}

/** `application/json` and `application/…+json`, with charset UTF-8 or none. */
function isJson(contentType: string | undefined): boolean {
  if (contentType === 'application/json') return true;
  return /^application\/([\w.-]+\+)?json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(contentType ?? '');
}

const malformed = (detail: string) => new Problem(400, 'malformed-body', detail);
const unsupported = (detail: string) =>
  new Problem(415, 'unsupported-media-type', detail, { headers: { Accept: 'application/json' } });
const tooLarge = (bytesMax: number) =>
  new Problem(413, 'body-too-large', `The body may hold ${bytesMax} bytes at most.`, {
    headers: { Connection: 'close' },
  });
