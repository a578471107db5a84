import type { z } from 'zod';
import type { Caller } from '../../domain/project/caller.ts';
import type { KeyMode, KeyScope } from '../../domain/project/key.ts';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RouteRequest<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly caller: Caller;
  /** Follows the job into the worker and onto its attempts. */
  readonly requestId: string;
  readonly idempotencyKey: string | null;
  readonly ip: string;
  /** `X-Telegram-Auth`: what Telegram signed for an app's own user, unread. */
  readonly telegramAuth: string | null;
}

/**
 * A route is a schema and a handler: the express route, its checks and its OpenAPI entry derive from this value.
 * `handle` answers, or throws a `Problem`.
 */
export interface Route<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
> {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** OpenAPI form, such as `/otp/{id}`. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** What the API key must hold. */
  readonly scope: KeyScope;
  /**
   * A test key's holder sees codes and need not be trusted with what is live: `apart`, it reaches only what test keys made
   * (and may read its own project); `refused`, it is told 403.
   */
  readonly testKeys: 'apart' | 'refused';
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** Where an honest body is larger than most. */
  readonly bodyBytesMax?: number;
  /** Takes an Idempotency-Key. */
  readonly idempotent?: boolean;
  /** Success answers by status; every error is a problem. */
  readonly answers: Readonly<Record<number, { description: string; schema: z.ZodType }>>;
  /** Takes data that Telegram signed, in `X-Telegram-Auth`. */
  readonly telegramAuth?: boolean;
  /** Statuses of the problems it may answer with, beside 400, 401, 403, 429 and 500. */
  readonly problems?: readonly number[];
  handle(request: RouteRequest<z.infer<Params>, z.infer<Query>, z.infer<Body>>): Promise<Answer>;
}

/** No caller's key holds a space, so that test keys use up none of the live ones'. */
export const requestKey = (idempotencyKey: string, mode: KeyMode): string =>
  mode === 'test' ? `test ${idempotencyKey}` : idempotencyKey;

/** Keeps each route's own types while lists of routes forget them. */
export function defineRoute<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType>(
  route: Route<Params, Query, Body>,
): Route {
  return route as unknown as Route;
}
