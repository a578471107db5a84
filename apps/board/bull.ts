import { createBullBoard } from '@bull-board/api';
import type { BaseAdapter } from '@bull-board/api/baseAdapter';
import type { BoardHooks, QueueAdapterOptions, QueueJobJson } from '@bull-board/api/typings/app';
import { ExpressAdapter } from '@bull-board/express';
import { type ErrorRequestHandler, type RequestHandler, type Response, Router } from 'express';
import { z } from 'zod';
import {
  definitionOf,
  type JobCommand,
  type JobRegistry,
  queueCommands,
  safeLabels,
} from '../../domain/job/define-job.ts';
import { EntryLabels } from '../../domain/job/job.ts';
import { JobId } from '../../domain/shared/ids.ts';
import type { CommandResult, StaffCommands } from '../../domain/staff/command.ts';
import { Problem } from '../http/problem.ts';
import { read } from './answer.ts';
import { readForm } from './form.ts';
import { queueForms } from './ops/queues.ts';
import { refusalWords } from './refusal.ts';
import { sessionOf } from './session.ts';

export interface BullParts {
  readonly jobs: JobRegistry;
  readonly queues: readonly BaseAdapter[];
  readonly commands: StaffCommands;
  readonly clock: () => Date;
  /** BullMQ waits without end for a Redis that was never there. */
  readonly isRedisThere: () => boolean;
  /** Takes what looks like a secret or a phone number out of a text. */
  readonly censor: (text: string) => string;
}

/** Bull Board's pages come with inline styles; its scripts are files of ours, and its web font is left out. */
const BOARD_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'self'; " +
  "form-action 'self'; frame-ancestors 'none'";
/** Its files change with its version only. */
const STATIC_SECONDS = 3_600;

/** Bull Board, which reads from Redis, with our commands in front of its own. */
export function bullBoard(parts: BullParts): Router {
  const adapter = new ExpressAdapter();
  createBullBoard({
    queues: parts.queues.map((queue) => legible(queue, parts.jobs)),
    serverAdapter: adapter,
    options: { uiConfig, handlerHooks: hooks(parts.censor) },
  });
  const board = adapter.getRouter() as RequestHandler;
  return Router().use(boardHeaders, commandRoutes(parts), needRedis(parts), withoutBody, board);
}

const uiConfig = {
  boardTitle: 'Navbat',
  boardLogo: { path: '/assets/logo.svg', width: 26, height: 26 },
  favIcon: { default: '/assets/logo.svg', alternative: '/assets/logo.svg' },
  hideDocsLink: true,
  miscLinks: [
    { text: 'Operations (/ops)', url: '/ops' },
    { text: 'Failures by reason', url: '/ops/failures' },
    { text: 'Log out', url: '/logout' },
  ],
};

/** What `BullMQAdapter` is opened with for one kind. */
export const boardQueueOptions = (kind: string): Partial<QueueAdapterOptions> => ({
  // Its buttons go: two thirds of them are refused to everybody, and the others know neither roles nor what a pause costs.
  // Jobs are retried, run and cancelled on their own page, queues paused at /ops/queues.
  readOnlyMode: true,
  description: `Search, history and the whole depth: /ops/jobs?kind=${kind} (here is only what Redis holds of it)`,
  externalJobUrl: ({ id }) => ({
    displayText: 'Job in /ops',
    href: `/ops/jobs/${encodeURIComponent(String(id))}`,
  }),
});

const EntryData = z.object({ jobId: JobId, kind: z.string(), labels: EntryLabels });

/** What the kind's own schema lets through; null for what is no queue entry of ours. */
function readEntry(jobs: JobRegistry, data: unknown): z.infer<typeof EntryData> | null {
  const entry = EntryData.safeParse(data).data;
  const definition = entry && definitionOf(jobs, entry.kind);
  return definition ? { ...entry, labels: safeLabels(definition, entry.labels) } : null;
}

/** A queue entry reads `shop · push, sms · +998•••••••67`; what is none of ours isn't shown. */
function legible(queue: BaseAdapter, jobs: JobRegistry): BaseAdapter {
  queue.setFormatter('name', (job: QueueJobJson) => {
    const entry = readEntry(jobs, job.data);
    return entry ? Object.values(entry.labels).join(' · ').replaceAll(',', ', ') : 'not a queue entry';
  });
  queue.setFormatter('data', (data: unknown) => readEntry(jobs, data) ?? {});
  queue.setFormatter('returnValue', () => null);
  queue.setFormatter('progress', () => 0);
  return queue;
}

/**
 * Bull Board itself changes nothing: of its two dozen mutating routes five have a rule, and `commandRoutes` answers those before
 * it. This is the wall behind the policy.
 */
const hooks = (censor: (text: string) => string): BoardHooks => ({
  before: ({ method }) =>
    method === 'get'
      ? undefined
      : { allow: false, status: 403, message: 'Bull Board itself changes nothing.' },
  after: ({ route }, result) => ({
    ...result,
    body: withoutSecrets(result.body, censor, route.endsWith('/logs') ? 'log' : '') as typeof result.body,
  }),
});

/** Where anybody may have written anything. */
const freeTexts: ReadonlySet<string> = new Set(['failedReason', 'log']);
/** Digits that may be a code. */
const codeLike = /\b\d{4,8}\b/g;

/**
 * Formatters reach data, name, progress and result only. Errors and logs pass as they are, so they are cleaned here; stacks
 * stand in the worker's log.
 */
function withoutSecrets(value: unknown, censor: (text: string) => string, name: string): unknown {
  if (name === 'stacktrace') return [];
  if (typeof value === 'string')
    return freeTexts.has(name) ? censor(value).replaceAll(codeLike, '••••') : censor(value);
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, censor, name));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, withoutSecrets(item, censor, key)]),
  );
}

/** Bull Board's paths of the five commands, each ours. `clean` is what its button "remove" calls for one job. */
const jobPaths: Readonly<Record<string, JobCommand>> = {
  retry: 'retry',
  promote: 'promote',
  clean: 'cancel',
};

function commandRoutes(parts: BullParts): Router {
  const router = Router();
  for (const command of queueCommands)
    router.put(`/api/queues/:kind/${command}`, readForm, async (req, res) => {
      const kind = String(req.params['kind']);
      if (!definitionOf(parts.jobs, kind)) throw new Problem(404, 'not-found', 'There is no such queue.');
      const { why = null } = read(queueForms[command], req.body);
      const result = await parts.commands.queue(command, kind, sessionOf(res).staff, why, parts.clock());
      answerBoard(res, result, 200);
    });
  for (const [path, command] of Object.entries(jobPaths))
    router.put(`/api/queues/:kind/:jobId/${path}`, async (req, res) => {
      const id = JobId.safeParse(req.params.jobId);
      if (!definitionOf(parts.jobs, req.params.kind) || !id.success)
        throw new Problem(404, 'not-found', refusalWords['unknown-job'].sentence);
      answerBoard(res, await parts.commands.job(command, id.data, sessionOf(res).staff, parts.clock()), 204);
    });
  return router;
}

/** In Bull Board's own form, so that its page shows why. */
function answerBoard(res: Response, result: CommandResult, status: 200 | 204): void {
  if (result.done) {
    res.status(status).json({});
    return;
  }
  const { status: refused, sentence } = refusalWords[result.reason];
  res.status(refused).json(boardError(sentence));
}

const boardError = (message: string) => ({ error: { key: 'ERRORS.FORBIDDEN' }, message });

/** What Bull Board's page asks for in the background: it shows an error of its own form only. */
export const queueProblems: ErrorRequestHandler = (error: unknown, req, res, next) => {
  if (error instanceof Problem && req.path.startsWith('/api/'))
    res.status(error.status).json(boardError(error.message));
  else next(error);
};

const needRedis =
  ({ isRedisThere }: BullParts): RequestHandler =>
  (req, _res, next) => {
    if (req.path.startsWith('/api/') && !isRedisThere())
      throw new Problem(503, 'redis-away', 'Redis does not answer. The record is in Postgres: look at /ops.');
    next();
  };

/** Only what reads gets so far; Bull Board would parse a body that comes with it. */
const withoutBody: RequestHandler = (req, _res, next) => {
  delete req.headers['content-length'];
  delete req.headers['transfer-encoding'];
  next();
};

const fontLink = /<link[^>]*fonts\.googleapis\.com[^>]*>/g;

const boardHeaders: RequestHandler = (req, res, next) => {
  res.setHeader('Content-Security-Policy', BOARD_POLICY);
  if (req.path.startsWith('/static/')) res.setHeader('Cache-Control', `private, max-age=${STATIC_SECONDS}`);
  const send = res.send.bind(res);
  res.send = (body) => send(typeof body === 'string' ? body.replaceAll(fontLink, '') : body);
  next();
};
