import type { Request, RequestHandler, Response } from 'express';
import { z } from 'zod';
import type { PersonTokens } from '../../domain/identity/session/session.ts';
import type { KeyDirectory } from '../../domain/project/port.ts';
import type { QuotaCounter } from '../../domain/project/quota.ts';
import type { ProjectId } from '../../domain/shared/ids.ts';
import { asProblem, EVENT_STREAM, sendEvents, sendFile, sendJson, sendProblem } from './answer.ts';
import { readJson, readUpload } from './body.ts';
import { type AnswerLog, callerAddress, header, logAnswer, requestIdOf } from './express.ts';
import { type FieldError, Problem } from './problem.ts';
import { fieldErrors, plainWords } from '../../domain/shared/schema-words.ts';
import { byName, byPointer } from './places.ts';
import { badText } from '../../domain/shared/bad-text.ts';
import {
  authenticate,
  authenticatePerson,
  NoGuess,
  requireMode,
  requireScope,
  requireSession,
} from './authenticate.ts';
import { letPagesRead, requireOrigin } from './cors.ts';
import {
  type CountFurther,
  countFurther,
  limitAddress,
  limitCaller,
  limitFailure,
  limitPerson,
  type LimitHeaders,
} from './rate-limit.ts';
import type { Answer, AnyRoute, KeyRoute, OpenRequest, OpenRoute, PersonRoute } from './route.ts';

/** A list of sessions shows it to its person; no browser's is longer. */
const USER_AGENT_CHARACTERS_MAX = 300;

/** What every app that serves routes has. */
export interface ServingAny extends AnswerLog {
  readonly counter: QuotaCounter;
  readonly clock: () => Date;
  /** `route` is the route's own path, with its parameters' names. Left out by an app without `/metrics`. */
  readonly observe?: (request: { method: string; route: string; status: number; seconds: number }) => void;
  /** Proxies in front of us whose `X-Forwarded-For` counts. */
  readonly proxies: number;
}

export interface Serving extends ServingAny {
  readonly keys: KeyDirectory;
  readonly persons: PersonTokens;
  /** In which people earn; null where nobody does. */
  readonly moneyProject: ProjectId | null;
}

/** A customer's, a person's, or anybody's. */
type PublicRoute = KeyRoute | PersonRoute | OpenRoute;

/** Serves one route: who calls, how often, may they, what do they ask; then the route's own answer. */
export const serveRoute = (route: PublicRoute, serving: Serving): RequestHandler =>
  serve(route.path, serving, (incoming) => answer(route, serving, incoming));

/** Writes what `answer` gives or throws, logs it and counts it. */
export function serve(
  path: string,
  serving: ServingAny,
  answer: (incoming: Incoming) => Promise<Answer>,
): RequestHandler {
  return async (req, res) => {
    const startedMs = performance.now();
    try {
      const ip = callerAddress(req, serving.proxies);
      const { status, body, headers, events, file } = await answer({ req, res, ip, now: serving.clock() });
      logAnswer(serving, req, requestIdOf(res), status);
      if (events) await sendEvents(res, events, headers);
      else if (file) await sendFile(res, file);
      else sendJson(res, status, body, headers);
    } catch (error) {
      const problem = asProblem(error);
      logAnswer(serving, req, requestIdOf(res), problem.status, error);
      sendProblem(res, problem, serving.nextSteps);
    }
    // A stream lasts as long as somebody listens, which says nothing of us.
    if (res.getHeader('content-type') === EVENT_STREAM) return;
    const seconds = (performance.now() - startedMs) / 1_000;
    serving.observe?.({ method: req.method, route: path, status: res.statusCode, seconds });
  };
}

async function answer(route: PublicRoute, serving: Serving, incoming: Incoming): Promise<Answer> {
  letPagesRead(route, incoming.req, incoming.res);
  switch (route.by) {
    case 'key':
      return answerKey(route, serving, incoming);
    case 'person':
      return answerPerson(route, serving, incoming);
    case 'anyone':
      return answerAnyone(route, serving, incoming);
  }
}

export interface Incoming {
  readonly req: Request;
  readonly res: Response;
  readonly ip: string;
  readonly now: Date;
}

/**
 * The order is the same for each: who calls, may they, how often, and only then the body and what it says. What is refused on the
 * way costs no byte of the body.
 */
async function answerAnyone(route: OpenRoute, serving: Serving, incoming: Incoming): Promise<Answer> {
  const standing = await limitAddress(serving.counter, incoming.ip, incoming.res);
  const further = countFurther(serving.counter, incoming.res, standing);
  return route.handle(await readRequest(route, incoming, further));
}

async function answerKey(route: KeyRoute, serving: Serving, incoming: Incoming): Promise<Answer> {
  const { req, res, ip, now } = incoming;
  const caller = await identify(serving, incoming, () => authenticate(serving.keys, req, now));
  requireOrigin(caller, route, req, res);
  requireScope(caller, route.scope);
  requireMode(caller, route.testKeys);
  const standing = await limitCaller(serving.counter, caller, ip, res);
  const further = countFurther(serving.counter, res, standing);
  return route.handle({ ...(await readRequest(route, incoming, further)), caller });
}

async function answerPerson(route: PersonRoute, serving: Serving, incoming: Incoming): Promise<Answer> {
  const { req, res, ip, now } = incoming;
  const person = await identify(serving, incoming, () => authenticatePerson(serving.persons, req, now));
  requireSession(person, route, serving.moneyProject, now);
  const standing = await limitPerson(serving.counter, person, ip, res);
  const further = countFurther(serving.counter, res, standing);
  return route.handle({ ...(await readRequest(route, incoming, further)), person });
}

/** Counts a wrong key or token against its address. */
export async function identify<Who>(
  { counter }: Pick<ServingAny, 'counter'>,
  { res, ip }: { readonly res: LimitHeaders; readonly ip: string },
  whoCalls: () => Who | Promise<Who>,
): Promise<Who> {
  try {
    return await whoCalls();
  } catch (error) {
    if (error instanceof Problem && !(error instanceof NoGuess)) await limitFailure(counter, ip, res);
    throw error;
  }
}

const NO_BYTES = Buffer.alloc(0);

/** What its line and headers say is looked at before its body is read. */
export async function readRequest(
  route: AnyRoute,
  { req, res, ip, now }: Incoming,
  further: CountFurther,
): Promise<OpenRequest<unknown, Record<string, unknown>, unknown>> {
  const query = readQuery(route, req);
  const beforeBody = {
    params: route.params ? parse(route.params, wellFormed(req.params), byName) : {},
    query,
    requestId: requestIdOf(res),
    now,
    idempotencyKey: route.idempotent ? idempotencyKeyOf(req, needsKey(route.idempotent, query)) : null,
    ifMatch: versionOf(route, req),
    userAgent: header(req, 'user-agent')?.slice(0, USER_AGENT_CHARACTERS_MAX) ?? null,
    wantsCsv: route.csv !== undefined && req.accepts(['application/json', 'text/csv']) === 'text/csv',
    lastEventId: route.follows ? (header(req, 'last-event-id') ?? null) : null,
    telegramAuth: route.telegramAuth ? (header(req, 'x-telegram-auth') ?? null) : null,
    ip,
    countFurther: further,
    bytes: NO_BYTES,
  };
  if (route.upload) return { ...beforeBody, bytes: await readUpload(req, route.upload), body: undefined };
  if (!route.body) return { ...beforeBody, body: undefined };
  return { ...beforeBody, body: parse(route.body, await readJson(req, route.bodyLimits), byPointer) };
}

/** Only what the caller sent is parsed here: any other `ZodError` is a fault of ours, and stays a 500. */
function parse(schema: z.ZodType, value: unknown, name: (path: readonly PropertyKey[]) => string): unknown {
  const parsed = schema.safeParse(value, { error: plainWords });
  if (parsed.success) return parsed.data;
  throw invalid(fieldErrors(parsed.error.issues, name));
}

const invalid = (errors: FieldError[]) =>
  new Problem(400, 'invalid-request', 'The request does not fit the schema.', { errors });

const NO_PARAMETERS = z.object({});

/** A filter with a slip in its name would answer what nobody asked for: each name has to be one of the route's. */
function readQuery(
  { query = NO_PARAMETERS }: Pick<AnyRoute, 'query'>,
  req: Request,
): Record<string, unknown> {
  const given = wellFormed(queryOf(req));
  const names = Object.keys(query.shape);
  const keys = Object.keys(given).filter((name) => !names.includes(name));
  const parsed = query.safeParse(given, { error: plainWords });
  if (parsed.success && keys.length === 0) return parsed.data;
  const unknown = { code: 'unrecognized_keys' as const, keys, path: [], message: noSuchParameter(names) };
  throw invalid(fieldErrors([unknown, ...(parsed.error?.issues ?? [])], byName));
}

const noSuchParameter = (names: readonly string[]) =>
  names.length > 0
    ? `There is no such parameter: expected ${names.length > 1 ? 'one of ' : ''}${names.join(', ')}.`
    : 'There is no such parameter: this route takes none.';

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

/** A dry run moves nothing that a repeat could move again. */
const needsKey = (asked: true | 'required', { dry_run: isDryRun }: Readonly<Record<string, unknown>>) =>
  asked === 'required' && isDryRun !== true;

function idempotencyKeyOf(req: Request, isNeeded: boolean): string | null {
  const key = header(req, 'idempotency-key');
  if (key === undefined && isNeeded)
    throw new Problem(400, 'idempotency-key-missing', 'This moves money: send an Idempotency-Key with it.', {
      errors: [{ pointer: 'Idempotency-Key', detail: 'expected 1 to 255 visible ASCII characters' }],
    });
  if (key === undefined) return null;
  if (!idempotencyKey.test(key))
    throw invalid([{ pointer: 'Idempotency-Key', detail: 'expected 1 to 255 visible ASCII characters' }]);
  return key;
}

const noVersions = {
  pointer: 'If-Match',
  detail: 'This route compares no version: send it without, if it is to be done whatever was changed since.',
};

/** A strong entity tag (RFC 9110 §8.8.3) of a version, which is an int of Postgres. */
const entityTag = /^"(0|[1-9]\d{0,8})"$/;

function versionOf({ versioned, method }: AnyRoute, req: Request): number | null {
  const tag = header(req, 'if-match');
  if (versioned !== true) {
    if (versioned === undefined && tag !== undefined && method !== 'get') throw invalid([noVersions]);
    return null;
  }
  if (tag === undefined)
    throw new Problem(428, 'version-required', 'Send the ETag of what you have read, as If-Match.', {
      errors: [{ pointer: 'If-Match', detail: 'expected the ETag of an earlier answer, such as "3"' }],
    });
  const version = entityTag.exec(tag)?.[1];
  if (version === undefined)
    throw invalid([{ pointer: 'If-Match', detail: 'expected the ETag of an earlier answer, such as "3"' }]);
  return Number(version);
}
