import { z } from 'zod';
import type {
  KeyRule,
  OpenRule,
  PersonRule,
  SessionRule,
  StaffRule,
} from '../../domain/staff/access/route-rules.ts';
import type { PersonCaller } from '../../domain/identity/session/session.ts';
import type { Caller } from '../../domain/project/caller.ts';
import { sessionVias, type ShownSession, type StaffCaller } from '../../domain/staff/session.ts';
import type { BodyLimits } from './body.ts';
import { Problem } from './problem.ts';
import type { Quota } from '../../domain/project/quota.ts';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of a body: server-sent events, until they end or the client is gone. */
  readonly events?: (signal: AbortSignal) => AsyncIterable<string>;
  /** In place of a body: a file that is made while it is sent. */
  readonly file?: StreamedFile;
}

/** A file of any length. Where it fails or takes too long, the connection ends early, and the client sees that. */
export interface StreamedFile {
  readonly name: string;
  readonly mediaType: string;
  readonly secondsMax: number;
  readonly chunks: (signal: AbortSignal) => AsyncIterable<string | Uint8Array>;
}

/** What anybody may send. */
export interface OpenRequest<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Of a route with `upload`: what was sent, unread; else empty. */
  readonly bytes: Buffer;
  /** Follows the job into the worker and onto its attempts. */
  readonly requestId: string;
  readonly idempotencyKey: string | null;
  /** `If-Match`: the version of what is changed, as the caller read it; null where the route asks for none. */
  readonly ifMatch: number | null;
  /** When it came, on the clock that all processes share. */
  readonly now: Date;
  readonly ip: string;
  readonly userAgent: string | null;
  /** `X-Telegram-Auth`: what Telegram signed for an app's own user, unread. */
  readonly telegramAuth: string | null;
  /** `Accept` asks for text/csv rather than JSON, of a route that has it. */
  readonly wantsCsv: boolean;
  /** `Last-Event-ID`: what a client of server-sent events has heard already. */
  readonly lastEventId: string | null;
  /** Counts it against a limit of the handler's own, and throws a `Problem` 429 above it. */
  readonly countFurther: (...quotas: readonly [Quota, ...Quota[]]) => Promise<void>;
}

/** From a service or an app, with a project's key. */
export interface RouteRequest<Params, Query, Body> extends OpenRequest<Params, Query, Body> {
  readonly caller: Caller;
}

/** From a person, with the access token of their session. */
export interface PersonRequest<Params, Query, Body> extends OpenRequest<Params, Query, Body> {
  readonly person: PersonCaller;
}

/** From a member of staff, with their session. */
export interface StaffRequest<Params, Query, Body> extends OpenRequest<Params, Query, Body> {
  readonly staff: StaffCaller;
}

/** From a member of staff, about the session that they call with. */
export interface StaffSessionRequest<Params, Query, Body> extends StaffRequest<Params, Query, Body> {
  readonly session: ShownSession;
}

/** A body that is a file. */
export interface Upload {
  /** Without parameters, in lower case. What a browser's form may send by itself is none of them. */
  readonly mediaTypes: readonly [string, ...string[]];
  readonly bytesMax: number;
}

/** What every route is, whoever may call it. */
interface RouteShape<Params extends z.ZodType, Query extends z.ZodObject, Body extends z.ZodType> {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** OpenAPI form, such as `/otp/{id}`. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: Params;
  /**
   * An object of its parameters; any other is 400. What providers call is no such route but a router of its own (`callbackRouter` and others), which
   * leaves their parameters alone: they may add one on any day, and a report that is refused is lost.
   */
  readonly query?: Query;
  readonly body?: Body;
  /** Where an honest body is larger than most. */
  readonly bodyLimits?: BodyLimits;
  /** Takes the bytes of a file in place of a JSON body. */
  readonly upload?: Upload;
  /** Takes an Idempotency-Key; `required`: it moves money, and is 400 without one, but where `dry_run` of its query is true. */
  readonly idempotent?: boolean | 'required';
  /**
   * Changes what others may change too: asks for `If-Match` with the version that was read, and answers the next as `ETag`. `never-compared`: it is right in
   * any version, and an `If-Match` is taken and not looked at. Of any other route that changes something it is 400: who sends it relies on it.
   */
  readonly versioned?: true | 'never-compared';
  /** Answers its version as `ETag`, and compares none. What is versioned does so too. */
  readonly tagged?: true;
  /** Success answers by status; every error is a problem. */
  readonly answers: Readonly<Record<number, { description: string; schema: z.ZodType; mediaType?: string }>>;
  /** Answers 200 as text/csv too, where `Accept` asks for that: what its file says. */
  readonly csv?: string;
  /** Answers with server-sent events, which a client takes up again with `Last-Event-ID`. */
  readonly follows?: boolean;
  /** Takes data that Telegram signed, in `X-Telegram-Auth`. */
  readonly telegramAuth?: boolean;
  /** Statuses of the problems it may answer with, beside 400, 401, 403, 429 and 500. */
  readonly problems?: readonly number[];
}

export interface KeyRoute<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
>
  extends RouteShape<Params, Query, Body>, KeyRule {
  handle(request: RouteRequest<z.infer<Params>, z.infer<Query>, z.infer<Body>>): Promise<Answer>;
}

export interface PersonRoute<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
>
  extends RouteShape<Params, Query, Body>, PersonRule {
  handle(request: PersonRequest<z.infer<Params>, z.infer<Query>, z.infer<Body>>): Promise<Answer>;
  /** Of a WebSocket, which is asked for by GET and an upgrade: what is done once it is known whose it is. */
  readonly socket?: SocketOpen;
}

/** Who opened a WebSocket. */
export interface SocketRequest {
  readonly person: PersonCaller;
  /** The id of the last event that the client has heard; null where it says none. */
  readonly lastId: string | null;
}

/** A WebSocket that is open. After `refuse` and `goAway` nothing is sent any more. */
export interface OpenSocket {
  /** A client that leaves too much unread is cut off. */
  readonly send: (text: string) => void;
  /** Closes it with the code of the problem: 4000 and its status. */
  readonly refuse: (problem: Problem) => void;
  /** Closes it because this process stops: 1001. */
  readonly goAway: () => void;
}

/**
 * @returns what is called once it is closed.
 * @throws Problem, with whose code it is closed.
 */
export type SocketOpen = (request: SocketRequest, socket: OpenSocket) => () => void;

/** Of the staff's door: a program with a bearer token, or a page of the board with its cookie. */
export interface StaffRoute<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
>
  extends RouteShape<Params, Query, Body>, StaffRule {
  handle(request: StaffRequest<z.infer<Params>, z.infer<Query>, z.infer<Body>>): Promise<Answer>;
}

/** Of the staff's door, about the caller's own sessions: no role is asked for. */
export interface StaffSessionRoute<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
>
  extends RouteShape<Params, Query, Body>, SessionRule {
  handle(request: StaffSessionRequest<z.infer<Params>, z.infer<Query>, z.infer<Body>>): Promise<Answer>;
}

/** Its reason is shown in the API's description. */
export interface OpenRoute<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
>
  extends RouteShape<Params, Query, Body>, OpenRule {
  handle(request: OpenRequest<z.infer<Params>, z.infer<Query>, z.infer<Body>>): Promise<Answer>;
}

/**
 * A route is a schema, a rule of access and a handler: the express route, its checks and its OpenAPI entry derive from this
 * value. `handle` answers, or throws a `Problem`.
 */
export type Route = KeyRoute | PersonRoute | OpenRoute | StaffRoute;

/** What the staff's door serves. */
export type DoorRoute = StaffRoute | StaffSessionRoute | OpenRoute;
export type AnyRoute = Route | DoorRoute;

type Untyped<T> = Omit<T, 'by'>;

/** Keeps each route's own types while lists of routes forget them. */
export function defineRoute<Params extends z.ZodType, Query extends z.ZodObject, Body extends z.ZodType>(
  route: Untyped<KeyRoute<Params, Query, Body>>,
): KeyRoute {
  return { ...route, by: 'key' } as unknown as KeyRoute;
}

/** The same, for what a person asks with their session. */
export function definePersonRoute<
  Params extends z.ZodType,
  Query extends z.ZodObject,
  Body extends z.ZodType,
>(route: Untyped<PersonRoute<Params, Query, Body>>): PersonRoute {
  return { ...route, by: 'person' } as unknown as PersonRoute;
}

/** How a client shows its token. Of each WebSocket its description says so. */
const SOCKET_WORDS = `Send \`{"token": "…"}\` as the first text message, within 5 seconds, with \`last_id\` where you have heard events before; or offer the subprotocols \`navbat-token\`, the token and, if you like, the last id. The token never stands in the URL. Nothing else is read. Answer pings: one comes every 25 seconds. Codes: 4400 the first message is none of these, 1003 it is binary, 1009 it is larger than 4 kB, 4408 it did not come, 4401 the token or its session has ended, 4403 it is another sort of session, 4429 too many connections or tries, 1001 the process stops: come back after \`after_ms\` of the message before it, 1008 you said more than was asked, 1011 and 1013 come back later. The reason names the problem. Pages of other sites are 403.`;

/** The same, for a WebSocket. Whoever asks for it without an upgrade is told that it is one. */
export const definePersonSocket = ({
  open,
  description,
  ...route
}: Pick<PersonRoute, 'path' | 'tag' | 'summary' | 'session'> & {
  readonly description: string;
  readonly open: SocketOpen;
}): PersonRoute =>
  definePersonRoute({
    ...route,
    method: 'get',
    description: `${description} ${SOCKET_WORDS}`,
    socket: open,
    answers: { 101: { description: 'It is open: show the token.', schema: z.undefined() } },
    problems: [426],
    handle: () => Promise.reject(upgradeRequired()),
  });

const upgradeRequired = () =>
  new Problem(426, 'upgrade-required', 'This is a WebSocket: ask for it with an upgrade.', {
    headers: { Upgrade: 'websocket', Connection: 'Upgrade' },
  });

/** The same, for what anybody may ask. */
export function defineOpenRoute<Params extends z.ZodType, Query extends z.ZodObject, Body extends z.ZodType>(
  route: Untyped<OpenRoute<Params, Query, Body>>,
): OpenRoute {
  return { ...route, by: 'anyone' } as unknown as OpenRoute;
}

/** The same, for what a member of staff asks. A role reaches it by its action; `proof` demands `proof_id` of the body. */
export function defineStaffRoute<Params extends z.ZodType, Query extends z.ZodObject, Body extends z.ZodType>(
  route: Omit<Untyped<StaffRoute<Params, Query, Body>>, 'credentials'>,
): StaffRoute {
  requireProofId(route);
  return { ...route, by: 'staff', credentials: sessionVias } as unknown as StaffRoute;
}

/**
 * The same, for what a member of staff asks of the api: with a bearer token alone, since a browser sends the board's cookie to every port of
 * its host, and the api answers pages of anybody's.
 */
export function defineAdminRoute<Params extends z.ZodType, Query extends z.ZodObject, Body extends z.ZodType>(
  route: Omit<Untyped<StaffRoute<Params, Query, Body>>, 'credentials'>,
): StaffRoute {
  requireProofId(route);
  return { ...route, by: 'staff', credentials: ['bearer'] } as unknown as StaffRoute;
}

/** @throws Error where a route asks for a proof and its body has no place for one. */
function requireProofId({
  proof,
  body,
  method,
  path,
}: Pick<StaffRoute, 'proof' | 'body' | 'method' | 'path'>): void {
  if (!proof || (body instanceof z.ZodObject && 'proof_id' in body.shape)) return;
  throw new Error(`${method} ${path} asks for a proof, and its body has no proof_id`);
}

/** The same, for what a member of staff asks about their own sessions. */
export function defineStaffSessionRoute<
  Params extends z.ZodType,
  Query extends z.ZodObject,
  Body extends z.ZodType,
>(route: Untyped<StaffSessionRoute<Params, Query, Body>>): StaffSessionRoute {
  requireProofId(route);
  return { ...route, by: 'session' } as unknown as StaffSessionRoute;
}
