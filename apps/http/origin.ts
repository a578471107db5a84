import type { Request } from 'express';

type Origin = 'own' | 'foreign' | 'unsaid';

/**
 * Where a browser says that a request comes from. Every browser since 2023 sends `Sec-Fetch-Site`, and `Origin` with
 * whatever is no GET; a page can forge neither.
 */
export function originOf(req: Request): Origin {
  const site = req.headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' ? 'own' : 'foreign';
  const { origin } = req.headers;
  if (origin === undefined) return 'unsaid';
  return URL.canParse(origin) && new URL(origin).host === req.host ? 'own' : 'foreign';
}

export const changesNothing = ({ method }: Pick<Request, 'method'>): boolean =>
  method === 'GET' || method === 'HEAD';
