import { type RequestHandler, type Response, Router } from 'express';
import { isNeighbour } from '../../domain/shared/ip-neighbour.ts';
import { sendJson, sendText } from './answer.ts';
import { unknownPath } from './express.ts';
import { Problem } from './problem.ts';

export interface Readiness {
  readonly postgres: 'up' | 'down';
  /** A 202 needs Postgres only: without Redis the intake accepts, and limits are counted in each process. */
  readonly redis: 'up' | 'away';
}

export interface HealthParts {
  readonly readiness: () => Promise<Readiness>;
  /** The page of metrics and its content type. */
  readonly metrics: () => Promise<{ contentType: string; text: string }>;
}

/** What orchestrators and scrapers ask; none of it needs a key. */
export function healthRouter({ readiness, metrics }: HealthParts): Router {
  const live: RequestHandler = (_req, res) => sendJson(res, 200, { status: 'live' });

  const ready: RequestHandler = async (_req, res) => {
    const state = await readiness();
    if (state.postgres === 'up') return sendJson(res, 200, { status: 'ready', ...state });
    throw new Problem(503, 'not-ready', 'Postgres does not answer.', {
      headers: { 'Retry-After': '1' },
      extra: { ...state },
    });
  };

  const scrape: RequestHandler = (_req, res) => sendMetrics(res, metrics);

  return Router()
    .get('/health/live', live)
    .get('/health/ready', ready)
    .all('/metrics', neighboursOnly)
    .get('/metrics', scrape);
}

/** Not there rather than forbidden: the page is nothing that the public has to know of. */
const neighboursOnly: RequestHandler = (req, res, next) => {
  if (isNeighbour(req.headers, req.socket.remoteAddress)) next();
  else void unknownPath(req, res, next);
};

async function sendMetrics(res: Response, metrics: HealthParts['metrics']): Promise<void> {
  const { contentType, text } = await metrics();
  sendText(res, contentType, text);
}
