import { BlockList, isIPv6 } from 'node:net';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { sendJson } from '../../http/answer.ts';
import { Problem } from '../../http/problem.ts';

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

  const scrape: RequestHandler = async (req, res) => {
    // Not there rather than forbidden: the page is nothing that the public has to know of.
    if (!isNeighbour(req)) throw new Problem(404, 'not-found', 'There is nothing at /metrics.');
    await sendMetrics(res, metrics);
  };

  return Router().get('/health/live', live).get('/health/ready', ready).get('/metrics', scrape);
}

async function sendMetrics(res: Response, metrics: HealthParts['metrics']): Promise<void> {
  const { contentType, text } = await metrics();
  res.setHeader('Content-Type', contentType).end(text);
}

/**
 * A scraper stands in our own network and comes without a proxy between, whereas everything public comes through one or
 * from a public address. No token to hand out, and no key of a project opens it.
 */
export function isNeighbour(req: Request): boolean {
  if (req.headers['x-forwarded-for'] !== undefined || req.headers.forwarded !== undefined) return false;
  const address = req.socket.remoteAddress ?? '';
  return neighbours.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** Loopback, private use (RFC 1918, RFC 4193) and link-local. An IPv4 address mapped into IPv6 counts as itself. */
const neighbours = new BlockList();
for (const [net, prefix] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
] as const)
  neighbours.addSubnet(net, prefix, 'ipv4');
for (const [net, prefix] of [
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  neighbours.addSubnet(net, prefix, 'ipv6');
