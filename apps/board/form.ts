import { isUtf8 } from 'node:buffer';
import type { Request, RequestHandler } from 'express';
import { type BodyLimits, readBody, readJson } from '../http/body.ts';
import { Problem } from '../http/problem.ts';

/** A search, a filter or a login. */
const formLimits: BodyLimits = { bytes: 8_192, parts: 200 };

/**
 * Reads the form, or the JSON that a program sends in its place. It stands after whatever can refuse without it: session, role,
 * origin, limits.
 */
export const readForm: RequestHandler = async (req, _res, next) => {
  // Pages are asked for without a body; one that comes along is not read.
  if (req.method !== 'GET' && req.method !== 'HEAD') req.body = await formOf(req);
  next();
};

async function formOf(req: Request): Promise<unknown> {
  const type = (req.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') return readJson(req, formLimits);
  const body = await readBody(req, formLimits.bytes);
  if (!isUtf8(body)) throw new Problem(400, 'malformed-body', 'The form is not UTF-8.');
  return Object.fromEntries(new URLSearchParams(body.toString()));
}
