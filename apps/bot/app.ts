import express, { type Express, type Request, type RequestHandler } from 'express';
import type { Logger } from 'pino';
import { sendJson } from '../http/answer.ts';
import { readBody } from '../http/body.ts';
import { begin, header, problems, unknownPath, wrongMethod } from '../http/express.ts';
import { shapeFault } from '../http/json-shape.ts';
import { Problem } from '../http/problem.ts';
import type { Handled } from './handle.ts';

/** Behind PUBLIC_URL; a proxy sends this path to BOT_PORT. */
export const WEBHOOK_PATH = '/telegram/webhook';
/** A message of 4 096 characters, escaped, that answers another one of its kind, and an entity for every word of both. */
const UPDATE_BYTES_MAX = 262_144;
const UPDATE_PARTS_MAX = 20_000;

export interface BotAppParts {
  readonly log: Logger;
  /** Null while updates are fetched: then nobody may post any. */
  readonly webhook: {
    /** Compares in constant time. */
    readonly isSecret: (text: string) => boolean;
    readonly handle: (update: unknown) => Promise<Handled>;
  } | null;
}

/** What the bot answers over HTTP: whether it runs, and Telegram's posts. */
export function createBotApp({ log, webhook }: BotAppParts): Express {
  const app = express().disable('x-powered-by').disable('etag').use(begin);
  app
    .route('/health')
    .get((_req, res) => sendJson(res, 200, { status: 'ok' }))
    .all(wrongMethod(['GET']));
  if (webhook)
    app
      .route(WEBHOOK_PATH)
      .post(webhookHandler(webhook))
      .all(wrongMethod(['POST']));
  return app.use(unknownPath).use(problems({ log })) as Express;
}

/** 2xx confirms an update; anything else has Telegram post it again. */
function webhookHandler({ isSecret, handle }: NonNullable<BotAppParts['webhook']>): RequestHandler {
  return async (req, res) => {
    // Before the body is read: updates are not signed, so that this header is all that tells Telegram from anybody.
    if (!isSecret(header(req, 'x-telegram-bot-api-secret-token') ?? ''))
      throw new Problem(401, 'unauthenticated', 'The secret token is missing or wrong.');
    const handled = await handle(await readUpdateBody(req));
    if (handled === 'busy')
      throw new Problem(503, 'busy', 'This update is being worked on.', { headers: { 'Retry-After': '1' } });
    if (handled === 'unreadable') throw malformed();
    sendJson(res, 200, {});
  };
}

async function readUpdateBody(req: Request): Promise<unknown> {
  const body = await readBody(req, UPDATE_BYTES_MAX);
  if (shapeFault(body, UPDATE_PARTS_MAX)) throw malformed();
  try {
    return JSON.parse(body.toString());
  } catch {
    throw malformed();
  }
}

const malformed = () => new Problem(400, 'malformed-body', 'The body is no update of the Bot API.');
