import { once } from 'node:events';
import { STATUS_CODES, type ServerResponse } from 'node:http';
import { CeilingReached, type CeilingHit, WHO_RAISES } from '../../domain/project/ceilings.ts';
import { CountUnavailable } from '../../domain/project/quota.ts';
import { explainReason, type ProblemType } from '../../domain/reasons.ts';
import { CLIENT_GONE_STATUS, ClientGone } from './client-gone.ts';
import { Problem } from './problem.ts';
import type { StreamedFile } from './route.ts';

/**
 * Says what kind of problem it is, the same at every installation (RFC 9457 §3.1.1). `/docs/problems/{type}` resolves it, with
 * this prefix or without, and the member `docs` links to the same place.
 */
export const PROBLEM_TYPE_PREFIX = 'urn:navbat:problem:';

export type Headers = Readonly<Record<string, string>>;

/** Writes a JSON answer in one go. Whatever `setHeader` set before is sent with it. */
export function sendJson(res: ServerResponse, status: number, body: unknown, headers?: Headers): void {
  send(res, status, 'application/json; charset=utf-8', body, headers);
}

/** Node tells no length by itself where HEAD is asked. */
export function sendText(res: ServerResponse, contentType: string, text: string): void {
  const bytes = Buffer.from(text);
  res.setHeader('Content-Type', contentType);
  res.setHeader('Content-Length', bytes.length);
  res.end(bytes);
}

export const EVENT_STREAM = 'text/event-stream; charset=utf-8';
/** Events are a few hundred bytes: a client that leaves so much unread is gone, or never meant to read. */
export const UNREAD_BYTES_MAX = 65_536;

/** Writes server-sent events until they end or the client is gone, whichever comes first. */
export async function sendEvents(
  res: ServerResponse,
  events: (signal: AbortSignal) => AsyncIterable<string>,
  headers?: Headers,
): Promise<void> {
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  // A proxy that gathers answers would hold each event back until the next.
  begin(res, 200, { ...headers, 'Content-Type': EVENT_STREAM, 'X-Accel-Buffering': 'no' });
  res.flushHeaders();
  if (res.req.method === 'HEAD' || res.destroyed) gone.abort();
  for await (const text of events(gone.signal)) {
    if (res.writableLength > UNREAD_BYTES_MAX) res.destroy();
    else res.write(text);
  }
  res.end();
}

/** Writes no faster than the client reads. A client that reads too slowly is cut off: it has no last line, and knows that. */
export async function sendFile(
  res: ServerResponse,
  { name, mediaType, secondsMax, chunks }: StreamedFile,
): Promise<void> {
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  begin(res, 200, { 'Content-Type': mediaType, 'Content-Disposition': `attachment; filename="${name}"` });
  if (res.req.method === 'HEAD') {
    res.end();
    return;
  }
  // Whoever left before has closed already, and no event comes any more.
  if (res.destroyed) gone.abort();
  const late = setTimeout(() => {
    gone.abort();
    res.destroy();
  }, secondsMax * 1_000);
  try {
    for await (const chunk of chunks(gone.signal)) {
      if (gone.signal.aborted) return;
      if (!res.write(chunk)) await once(res, 'drain', { signal: gone.signal });
    }
    res.end();
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  } finally {
    clearTimeout(late);
  }
}

/** RFC 9457. Nothing is written where the answer has begun: the connection then ends early, and the client sees that. */
export function sendProblem(res: ServerResponse, problem: Problem, nextSteps?: NextSteps): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const body = problemBody(problem, nextSteps);
  send(res, problem.status, 'application/problem+json; charset=utf-8', body, problem.headers);
}

/** More of them help nobody, and an answer may not grow with what was sent. */
export const ERRORS_SHOWN_MAX = 20;

/** Next steps of one process, where those of the catalogue are for another one's callers. */
export type NextSteps = Readonly<Partial<Record<ProblemType, string>>>;

export function problemBody(problem: Problem, nextSteps: NextSteps = {}): Record<string, unknown> {
  const { status, type, message, errors, extra } = problem;
  const { retry, nextStep, setting, docs } = explainReason(type);
  return {
    type: PROBLEM_TYPE_PREFIX + type,
    title: titleOf(type, status),
    status,
    detail: message,
    ...(errors ? { errors: errors.slice(0, ERRORS_SHOWN_MAX) } : {}),
    ...(errors && errors.length > ERRORS_SHOWN_MAX ? { errors_total: errors.length } : {}),
    retry,
    next_step: problem.nextStep ?? nextSteps[type] ?? nextStep,
    ...(setting === null ? {} : { setting }),
    docs,
    ...extra,
  };
}

/** What an error means to the caller: anything but a `Problem` is a fault of ours, and its text stays here. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const hit = ceilingOf(error);
  if (hit) return ceilingProblem(hit);
  if (error instanceof ClientGone) return new Problem(CLIENT_GONE_STATUS, 'client-gone', error.message);
  if (error instanceof CountUnavailable)
    return new Problem(
      503,
      'limit-uncounted',
      'A limit that protects codes and passwords could not be counted, so that nothing was done. Send the request again.',
      { headers: { 'Retry-After': '1' } },
    );
  if (isAway(error))
    return new Problem(
      503,
      'unavailable',
      'The database does not answer. Send the request again, with its key.',
      {
        headers: { 'Retry-After': '1' },
      },
    );
  if (isHeldUp(error)) return isOfAKey(error) ? keyInUse() : heldUp();
  return new Problem(
    500,
    'internal',
    'Something went wrong on our side. The request id finds it in the log.',
  );
}

/** The IETF's draft of `Idempotency-Key`: the first request with this key is still at work. */
const keyInUse = () =>
  new Problem(
    409,
    'in-progress',
    'A request with the same Idempotency-Key is still at work. Send it again in a moment: it gets the answer of the first.',
    { headers: { 'Retry-After': '1' } },
  );

/** Somebody else has what this needs. Nobody's state is in the way of it, so that it is no 409: the same request works a moment later. */
export const heldUp = () =>
  new Problem(
    503,
    'in-progress',
    'Another request holds what this one needs, and nothing was done. Send it again, with its key.',
    { headers: { 'Retry-After': '1' } },
  );

/** A minute: rows leave as jobs end, or as retention takes them. */
const CEILING_RETRY_SECONDS = 60;

const ceilingWords: Readonly<Record<string, string>> = {
  rows_queued: 'unfinished jobs; it has room again as they end',
  rows_kept: 'jobs; the oldest leave after the time for which jobs are kept',
  test_rows: 'jobs of test keys; the oldest leave a day after they ended',
  people: 'recipients; it has room again as some are erased',
};

function ceilingProblem({ ceiling, limit, used }: CeilingHit): Problem {
  return new Problem(
    429,
    'ceiling-reached',
    `The project has ${used} of its ${limit} ${ceilingWords[ceiling] ?? ceiling}. ${WHO_RAISES}`,
    { headers: { 'Retry-After': String(CEILING_RETRY_SECONDS) }, extra: { ceiling, limit, used } },
  );
}

/** SQLSTATE of the trigger that counts people, and of nothing else: the ledger has NB001 and on. */
const PEOPLE_CEILING = 'NB101';

/** People are counted where they are written, since only there it is known who is new. Null for any other error. */
export function ceilingOf(error: unknown): CeilingHit | null {
  if (error instanceof CeilingReached) return error.hit;
  if (!(error instanceof Error && 'code' in error && error.code === PEOPLE_CEILING && 'detail' in error))
    return null;
  const { limit, used } = JSON.parse(String(error.detail)) as { limit: number; used: number };
  return { ceiling: 'people', limit, used };
}

/** Postgres can't be reached, is starting or stopping (classes 08 and 57P), or has no connection left (53300). 08P01, a broken protocol, is our own fault. */
const awayCodes =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|08(?!P01)\w{3}|57P0\d|53300)$/;
/** The driver says these two in words only. */
const awayTexts = /^(Connection terminated|timeout exceeded when trying to connect)/;

function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('code' in error && awayCodes.test(String(error.code))) || awayTexts.test(error.message);
}

/** A row was held for longer than Postgres was told to wait (55P03, or 57014: the whole statement), or two waited for each other (40P01, 40001). */
const isHeldUp = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && /^(55P03|57014|40P01|40001)$/.test(String(error.code));

/** What was waited for is a row of keys that another transaction is inserting, as the context of Postgres's error says. */
const isOfAKey = (error: Error) =>
  'where' in error && /in relation "(money_)?request(_pkey)?"/.test(String(error.where));

function begin(res: ServerResponse, status: number, headers?: Headers): void {
  if (headers) for (const name in headers) res.setHeader(name, headers[name] as string);
  res.statusCode = status;
}

function send(
  res: ServerResponse,
  status: number,
  contentType: string,
  body: unknown,
  headers?: Headers,
): void {
  begin(res, status, headers);
  // 204 and 304 have no body by definition.
  if (body === undefined || status === 204) {
    res.end();
    return;
  }
  sendText(res, contentType, JSON.stringify(body));
}

/** `quota-exceeded` reads "Quota exceeded". */
function titleOf(type: string, status: number): string {
  if (type === 'internal') return STATUS_CODES[status] ?? type;
  return type.charAt(0).toUpperCase() + type.slice(1).replaceAll('-', ' ');
}
