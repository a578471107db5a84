import { setTimeout as sleep } from 'node:timers/promises';
import { parseJson } from '../../../../domain/shared/json.ts';

/** Whom a phone or a gateway asks, and as whom. */
export interface Api {
  /** Of the api's processes: a try that fails goes to the next one. */
  readonly urls: readonly string[];
  /** A person's access token, or a gateway's key. */
  readonly token: string;
  /** So long it asks again; default 15 s. */
  readonly patienceMs?: number;
  /** The address that it calls from, where a proxy in front of the api is believed: another one where a phone roams. */
  readonly from?: () => string;
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

const PATIENCE_MS = 15_000;
const TRY_MS_MAX = 10_000;
/** 0.25, 0.5, 1 s and then every 2 s: whoever knocks faster uses up the requests that a person has in a minute. */
const PAUSE_MS = 250;
const PAUSE_MS_MAX = 2_000;

/**
 * Asks until somebody knows: a lost connection, a 5xx and a 429 are asked again. What is asked here may be asked twice.
 *
 * @throws where nobody has answered in time.
 */
export async function ask(api: Api, path: string, body: object | null): Promise<Reply> {
  const untilMs = performance.now() + (api.patienceMs ?? PATIENCE_MS);
  for (let tries = 0; ; tries += 1) {
    const reply = await tryOnce(api, tries, path, body).catch((error: unknown) => String(error));
    if (typeof reply !== 'string' && reply.status !== 429 && reply.status < 500) return reply;
    const waitMs =
      typeof reply === 'string' || reply.retryAfterMs === null
        ? Math.min(PAUSE_MS * 2 ** tries, PAUSE_MS_MAX)
        : reply.retryAfterMs;
    if (performance.now() + waitMs > untilMs)
      throw new Error(`POST ${path} has no answer: ${typeof reply === 'string' ? reply : reply.status}`);
    await sleep(waitMs);
  }
}

interface Tried extends Reply {
  readonly retryAfterMs: number | null;
}

async function tryOnce(
  { urls, token, from }: Api,
  tries: number,
  path: string,
  body: object | null,
): Promise<Tried> {
  const answer = await fetch(new URL(path, urls[tries % urls.length]), {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${token}`,
      ...(body && { 'Content-Type': 'application/json' }),
      ...(from && { 'X-Forwarded-For': from() }),
    },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(TRY_MS_MAX),
  });
  const after = answer.headers.get('retry-after');
  return {
    status: answer.status,
    body: parseJson(await answer.text()),
    retryAfterMs: after === null ? null : Number(after) * 1_000,
  };
}
