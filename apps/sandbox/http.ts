import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Channel, SmsProvider } from './message.ts';
import { parseJson } from '../../domain/shared/json.ts';
import { byPath, fieldErrors } from '../../domain/shared/schema-words.ts';

/** 1 MiB: the largest text here is 4096 characters; a caller who sends more has gone wrong. */
export const BODY_BYTES_MAX = 1024 * 1024;

/** What is known of a call once it was answered: a line of `calls.jsonl`. Never a text. */
export interface Trace {
  channel?: Channel;
  provider?: SmsProvider;
  method?: string;
  to?: string;
  fault?: string;
  message_id?: string;
  idempotency_key?: string;
}

/** A request, read whole. */
export interface Incoming {
  method: string;
  /** Decoded no further than Node does; without the query. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: Buffer;
  trace: Trace;
  /** Calls back when the caller has gone away. */
  onGone(listener: () => void): void;
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}
/** Nothing is answered; the connection is cut after `hangMs`. */
export interface Hang {
  hangMs: number;
}
export type Reply = Answer | Hang;

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(body),
  };
}

/** How the sandbox itself, not one of its providers, says what is wrong. */
export function problem(detail: string, status = 400): Answer {
  return json(status, { error: detail });
}

/** The same of what was sent to it: a line for each field, with its place. */
export function unfit({ issues }: z.ZodError): Answer {
  const lines = fieldErrors(issues, byPath).map(({ pointer, detail }) =>
    pointer === '' ? detail : `${pointer.replace(/^\./, '')}: ${detail}`,
  );
  return problem(lines.join('\n'));
}

/** The body, or undefined when it is larger than `BODY_BYTES_MAX`. */
export function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
    });
    request.on('end', () => {
      if (bytes > BODY_BYTES_MAX) resolve(undefined);
      else resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
    });
    request.on('error', reject);
  });
}

export function writeReply(response: ServerResponse, reply: Reply): void {
  if ('hangMs' in reply) {
    const timer = setTimeout(() => response.destroy(), reply.hangMs);
    response.once('close', () => clearTimeout(timer));
    return;
  }
  const body = Buffer.from(reply.body);
  response.writeHead(reply.status, { ...reply.headers, 'content-length': body.length });
  response.end(body);
}

export type Fields = Record<string, unknown>;
const JsonObject = z.record(z.string(), z.unknown());

/**
 * The parameters of a call, as providers take them: from the query and from a JSON, form or multipart body; the body wins.
 * Undefined when the body is none of these.
 */
export async function readFields(incoming: Incoming): Promise<Fields | undefined> {
  const fields: Fields = Object.fromEntries(incoming.query);
  if (incoming.body.length === 0) return fields;
  const type = incoming.headers['content-type'] ?? '';
  if (type.startsWith('application/x-www-form-urlencoded')) {
    return Object.assign(fields, Object.fromEntries(new URLSearchParams(incoming.body.toString())));
  }
  if (type.startsWith('multipart/form-data')) {
    const form = await readMultipart(incoming.body, type);
    return form && Object.assign(fields, form);
  }
  const body = JsonObject.safeParse(parseJson(incoming.body.toString()));
  return body.success ? Object.assign(fields, body.data) : undefined;
}

/** Files are read and forgotten: only what is text becomes a field. */
async function readMultipart(body: Buffer, type: string): Promise<Fields | undefined> {
  try {
    const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
    return Object.fromEntries([...form].filter(([, value]) => typeof value === 'string'));
  } catch {
    return undefined;
  }
}
