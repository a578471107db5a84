import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Caller } from '../../domain/project/caller.ts';
import type { KeyDirectory } from '../../domain/project/port.ts';
import type { QuotaCounter } from '../../domain/project/quota.ts';
import { asProblem, sendJson, sendProblem } from '../http/answer.ts';
import { readJson } from '../http/body.ts';
import { callerAddress, header, logAnswer, requestIdOf } from '../http/express.ts';
import { type FieldError, Problem } from '../http/problem.ts';
import { badText, escapePointer } from '../http/text.ts';
import { authenticate, requireMode, requireScope } from './authenticate.ts';
import { limitCaller, limitFailure } from './rate-limit.ts';
import type { Route, RouteRequest } from './route.ts';

export interface Serving {
  readonly keys: KeyDirectory;
  readonly counter: QuotaCounter;
  readonly log: Logger;
  /** `route` is the route's own path, with its parameters' names. */
  readonly observe: (request: { method: string; route: string; status: number; seconds: number }) => void;
  /** Proxies in front of us whose `X-Forwarded-For` counts. */
  readonly proxies: number;
}

/** Serves one route: who calls, how often, may they, what do they ask; then the route's own answer. */
export function serveRoute(route: Route, serving: Serving): RequestHandler {
  return async (req, res) => {
    const startedMs = performance.now();
    try {
      const { status, body, headers } = await answer(route, serving, req, res);
      logAnswer(serving.log, req, requestIdOf(res), status);
      sendJson(res, status, body, headers);
    } catch (error) {
      const problem = asProblem(error);
      logAnswer(serving.log, req, requestIdOf(res), problem.status, error);
      sendProblem(res, problem);
    }
    const seconds = (performance.now() - startedMs) / 1_000;
    serving.observe({ method: req.method, route: route.path, status: res.statusCode, seconds });
  };
}

async function answer(route: Route, serving: Serving, req: Request, res: Response) {
  const ip = callerAddress(req, serving.proxies);
  const caller = await identify(serving, req, res, ip);
  // Read while the limits are counted; what goes wrong with it is told after them.
  const reading = route.body ? readJson(req, route.bodyBytesMax) : undefined;
  reading?.catch(() => undefined);
  await limitCaller(serving.counter, caller, ip, res);
  requireScope(caller, route.scope);
  requireMode(caller, route.testKeys);
  return route.handle(readRequest(route, req, caller, ip, requestIdOf(res), await reading));
}

async function identify(
  { keys, counter }: Serving,
  req: Request,
  res: Response,
  ip: string,
): Promise<Caller> {
  try {
    return await authenticate(keys, req, new Date());
  } catch (error) {
    if (error instanceof Problem) await limitFailure(counter, ip, res);
    throw error;
  }
}

function readRequest(
  route: Route,
  req: Request,
  caller: Caller,
  ip: string,
  requestId: string,
  body: unknown,
): RouteRequest<unknown, unknown, unknown> {
  return {
    params: route.params ? parse(route.params, wellFormed(req.params), byName) : {},
    query: route.query ? parse(route.query, wellFormed(queryOf(req)), byName) : {},
    body: route.body ? parse(route.body, body, byPointer) : undefined,
    caller,
    requestId,
    idempotencyKey: route.idempotent ? idempotencyKeyOf(req) : null,
    telegramAuth: route.telegramAuth ? (header(req, 'x-telegram-auth') ?? null) : null,
    ip,
  };
}

/** Only what the caller sent is parsed here: any other `ZodError` is a fault of ours, and stays a 500. */
function parse(schema: z.ZodType, value: unknown, name: (path: readonly PropertyKey[]) => string): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error.issues.flatMap((issue) => fieldErrors(issue, name)));
}

function fieldErrors(issue: z.core.$ZodIssue, name: (path: readonly PropertyKey[]) => string): FieldError[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      pointer: name([...issue.path, key]),
      detail: 'There is no such field.',
    }));
  return [{ pointer: name(issue.path), detail: issue.message }];
}

const byPointer = (path: readonly PropertyKey[]) =>
  path.map((part) => `/${escapePointer(String(part))}`).join('');
const byName = (path: readonly PropertyKey[]) => path.join('.');

const invalid = (errors: FieldError[]) =>
  new Problem(400, 'invalid-request', 'The request does not fit the schema.', { errors });

/** A parameter given twice becomes an array, which its schema refuses. */
function queryOf(req: Request): Record<string, unknown> {
  const at = req.url.indexOf('?');
  const given: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  if (at === -1) return given;
  const parameters = new URLSearchParams(req.url.slice(at + 1));
  for (const name of new Set(parameters.keys())) {
    const all = parameters.getAll(name);
    given[name] = all.length === 1 ? all[0] : all;
  }
  return given;
}

/** The decoder of queries replaces halves of surrogate pairs, but lets U+0000 through. */
function wellFormed(fields: Record<string, unknown>): Record<string, unknown> {
  for (const name in fields) {
    const values = [fields[name]].flat();
    for (const value of values) {
      const bad = typeof value === 'string' ? badText(value) : null;
      if (bad) throw invalid([{ pointer: name, detail: bad }]);
    }
  }
  return { ...fields };
}

/** 1 to 255 visible characters (contracts §2). */
const idempotencyKey = /^[\x21-\x7e]{1,255}$/;

function idempotencyKeyOf(req: Request): string | null {
  const key = header(req, 'idempotency-key');
  if (key === undefined) return null;
  if (!idempotencyKey.test(key))
    throw invalid([{ pointer: 'Idempotency-Key', detail: 'expected 1 to 255 visible ASCII characters' }]);
  return key;
}
