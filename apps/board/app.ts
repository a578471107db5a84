import { join } from 'node:path';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import { staffNextSteps } from '../../domain/staff/reasons.ts';
import { asProblem, sendJson } from '../http/answer.ts';
import { type AnswerLog, begin, logAnswer, problems, requestIdOf, unknownPath } from '../http/express.ts';
import { accountRoutes } from './account.ts';
import { sendPage, wantsJson } from './answer.ts';
import { bullBoard, type BullParts, queueProblems } from './bull.ts';
import { html } from './html.ts';
import { card } from './layout.ts';
import { type DoorParts, doorRoutes } from './door.ts';
import { loginRoutes } from './login.ts';
import type { OpsParts } from './ops/parts.ts';
import { swaggerRouter } from '../http/docs.routes.ts';
import { staffOpenApiDocument } from '../http/openapi.ts';
import { problemPages } from '../http/problem-pages.ts';
import { opsRoutes } from './ops/routes.ts';
import { enforcePolicy } from './policy.ts';
import { type SecondFactorParts, secondFactorRoutes } from './second-factor.ts';

export interface BoardParts extends SecondFactorParts, OpsParts, BullParts, DoorParts {
  readonly version: string;
  /** Redis away is no reason to restart the board: `/ops` needs Postgres only. */
  readonly health: () => Promise<{ readonly postgres: 'up' | 'down'; readonly redis: 'up' | 'away' }>;
}

const ASSETS = join(import.meta.dirname, 'assets');
const ASSET_SECONDS = 3_600;

/** Bull Board and `/ops` behind one login, without listening. */
export function createBoard(parts: BoardParts): Express {
  const app = express().disable('x-powered-by').set('trust proxy', parts.proxies);
  app.use(begin, sayOrigin, doorRoutes({ ...parts, nextSteps: staffNextSteps }), enforcePolicy(parts));
  app.get('/health', (_req, res) => answerHealth(parts, res));
  app.use('/assets', express.static(ASSETS, { index: false, setHeaders: cacheAsset }));
  app.use(problemPages());
  app.use(swaggerRouter(staffOpenApiDocument(parts.routes, parts.version), '/staff'));
  app.use(loginRoutes(parts), secondFactorRoutes(parts));
  app.use('/account', accountRoutes(parts));
  app.use('/ops', opsRoutes(parts));
  app.use(bullBoard(parts));
  return app
    .use(unknownPath)
    .use(queueProblems, pageProblems(parts), problems({ ...parts, nextSteps: staffNextSteps })) as Express;
}

/**
 * With `no-referrer` a browser sends `Origin: null` with our own forms, and over plain http, where there is no
 * `Sec-Fetch-Site`, nothing would tell them from another site's.
 */
const sayOrigin: RequestHandler = (_req, res, next) => {
  res.setHeader('Referrer-Policy', 'same-origin');
  next();
};

const cacheAsset = (res: { setHeader(name: string, value: string): unknown }) =>
  res.setHeader('Cache-Control', `public, max-age=${ASSET_SECONDS}`);

async function answerHealth({ health }: BoardParts, res: Response): Promise<void> {
  const { postgres, redis } = await health();
  sendJson(res, postgres === 'up' ? 200 : 503, { status: postgres, postgres, redis });
}

const PROGRAMS_PATH = /^\/(api|staff|finance)\//i;

/** People get a page; programs and Bull Board's own requests get problem+json. */
function pageProblems(to: AnswerLog): ErrorRequestHandler {
  return (error: unknown, req: Request, res: Response, next) => {
    if (res.headersSent || wantsJson(req) || PROGRAMS_PATH.test(req.path)) return next(error);
    const problem = asProblem(error);
    logAnswer(to, req, requestIdOf(res), problem.status, error);
    for (const [name, value] of Object.entries(problem.headers)) res.setHeader(name, value);
    sendPage(
      res,
      problem.status,
      card(
        String(problem.status),
        html`<p>${problem.message}</p>
          <p class="note"><a href="/ops">Operations</a> · <a href="/">Bull Board</a></p>
          <p class="note">Request ${requestIdOf(res)}</p>`,
      ),
    );
  };
}
