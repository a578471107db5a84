import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { ClientGone } from './client-gone.ts';
import { JSON_PARTS_MAX, shapeFault } from './json-shape.ts';
import { Problem } from './problem.ts';
import { askForBody } from './unread-body.ts';
import { findBadText } from './text.ts';

/** Many times the largest honest request, and small enough to parse in well under a millisecond. */
export const BODY_BYTES_MAX = 65_536;

/** What a route takes at most. */
export interface BodyLimits {
  readonly bytes: number;
  /** Members and items of the JSON document. */
  readonly parts: number;
}

const defaultBodyLimits: BodyLimits = { bytes: BODY_BYTES_MAX, parts: JSON_PARTS_MAX };

/**
 * The body as it was sent, for what must check a signature over it. Called last of all: whoever may not ask, or asks too often,
 * is answered before any of it is read.
 *
 * @throws Problem 413 where it is longer than `bytesMax`, 415 where it is compressed; ClientGone where it ends early.
 */
export function readBody(req: IncomingMessage, bytesMax = BODY_BYTES_MAX): Promise<Buffer> {
  const encoding = req.headers['content-encoding'];
  if (encoding && encoding.toLowerCase() !== 'identity')
    return Promise.reject(unsupported('Send the body uncompressed, without Content-Encoding.'));
  if (Number(req.headers['content-length'] ?? 0) > bytesMax) return Promise.reject(tooLarge(bytesMax));
  // It left while its key and limits were looked at: no event will come any more.
  if (req.destroyed) return Promise.reject(new ClientGone());
  askForBody(req);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const take = (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes <= bytesMax) return;
      req.off('data', take);
      reject(tooLarge(bytesMax));
    };
    req.on('data', take);
    req.once('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    // Of a request, both mean that the client went away; after its end they change nothing.
    req.once('error', () => reject(new ClientGone()));
    req.once('close', () => reject(new ClientGone()));
  });
}

/**
 * The JSON document in the body; undefined where there is none.
 *
 * @throws Problem 400, 413 or 415; ClientGone.
 */
export async function readJson(
  req: IncomingMessage,
  limits: BodyLimits = defaultBodyLimits,
): Promise<unknown> {
  const body = await readBody(req, limits.bytes);
  if (body.length === 0) return undefined;
  if (!isJson(req.headers['content-type'])) throw unsupported('Send the body as application/json, in UTF-8.');
  if (!isUtf8(body)) throw malformed('The body is not UTF-8.');
  return parseJson(body, limits.parts);
}

/**
 * The file in the body, of whatever length up to the bound.
 *
 * @throws Problem 413 or 415; ClientGone.
 */
export function readUpload(req: IncomingMessage, { mediaTypes, bytesMax }: UploadLimits): Promise<Buffer> {
  const type = (req.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (mediaTypes.includes(type)) return readBody(req, bytesMax);
  return Promise.reject(
    unsupported(
      `Send the bytes of the file as the body, as ${mediaTypes.join(' or ')}.`,
      mediaTypes.join(', '),
    ),
  );
}

interface UploadLimits {
  readonly mediaTypes: readonly string[];
  readonly bytesMax: number;
}

function parseJson(body: Buffer, partsMax: number): unknown {
  const fault = shapeFault(body, partsMax);
  if (fault) throw misfit({ pointer: '', detail: `the body ${fault}` });
  const text = body.toString();
  const value = tryJson(text);
  // Valid UTF-8 and JSON hold neither character as it is, so that without an escape there is nothing to look for.
  const bad = text.includes('\\u') ? findBadText(value) : null;
  if (bad) throw misfit(bad);
  return value;
}

function tryJson(text: string): unknown {
  try {
    // RFC 8259 §8.1: a byte order mark may be ignored, and editors on Windows write one.
    return JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text);
  } catch {
    // The parser's own message repeats the body.
    throw malformed('The body is not JSON.');
  }
}

/** `application/json` and `application/…+json`, in UTF-8; other parameters mean nothing (RFC 8259 §11). */
function isJson(contentType: string | undefined): boolean {
  if (contentType === 'application/json') return true;
  const [type = '', ...parameters] = (contentType ?? '').split(';').map((part) => part.trim().toLowerCase());
  if (!/^application\/([\w.-]+\+)?json$/.test(type)) return false;
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  return charset === undefined || /^charset="?utf-?8"?$/.test(charset);
}

const misfit = (error: { pointer: string; detail: string }) =>
  new Problem(400, 'invalid-request', 'The request does not fit the schema.', { errors: [error] });
const malformed = (detail: string) => new Problem(400, 'malformed-body', detail);
const unsupported = (detail: string, accept = 'application/json') =>
  new Problem(415, 'unsupported-media-type', detail, { headers: { Accept: accept } });
const tooLarge = (bytesMax: number) =>
  new Problem(413, 'body-too-large', `The body may hold ${bytesMax} bytes at most.`);
