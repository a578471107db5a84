import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import {
  definitionOf,
  type JobRegistry,
  type QueueCommand,
  queueCommands,
  staffMay,
} from '../../../domain/job/define-job.ts';
import type { QueueLine } from '../../../domain/staff/ops.ts';
import { may } from '../../../domain/staff/role-actions.ts';
import { sendJson } from '../../http/answer.ts';
import { Problem } from '../../http/problem.ts';
import { answer, optional, read, Text, wantsJson, wire } from '../answer.ts';
import { type Html, html } from '../html.ts';
import { formToken, type Notice, page } from '../layout.ts';
import { refusalWords } from '../refusal.ts';
import { type BoardSession, sessionOf } from '../session.ts';
import { link } from './filter.ts';
import { column, count, none, panel, table, tile, when } from './components.ts';
import type { OpsParts } from './parts.ts';

export function queueRoutes(parts: OpsParts): Router {
  const router = Router().get('/', async (req, res) => {
    const queues = everyQueue(parts.jobs, await parts.queries.queues());
    answer(req, res, { data: queues, nextCursor: null }, () =>
      queuesPage(parts, sessionOf(res), queues, req.query['notice']),
    );
  });
  router.get('/:kind/pause', (req, res) => askPause(parts, req, res));
  for (const command of queueCommands)
    router.post(`/:kind/${command}`, (req, res) => carryOut(parts, command, req, res));
  return router;
}

/** A queue has a row only once it was paused; before that it runs. */
const everyQueue = (jobs: JobRegistry, lines: readonly QueueLine[]) =>
  Object.keys(jobs).map(
    (kind) =>
      lines.find((line) => line.kind === kind) ?? {
        kind,
        pausedAt: null,
        pausedBy: null,
        pausedReason: null,
      },
  );

function queuesPage(
  { jobs }: OpsParts,
  session: BoardSession,
  queues: readonly QueueLine[],
  notice: unknown,
): Html {
  return page({
    title: 'Queues',
    tab: '/ops/queues',
    session,
    notice,
    body: html`<div class="head"><h1>Queues</h1></div>
      ${panel('One queue for each kind', 'a pause is stored in Postgres and stays if Redis loses its data', queueTable(jobs, session, queues))}`,
  });
}

function queueTable(jobs: JobRegistry, session: BoardSession, queues: readonly QueueLine[]): Html {
  return table(
    [column('Kind'), column('Now'), column('Paused since'), column('By'), column('Why'), column('')],
    queues.map(
      (queue) =>
        html`<tr>
          <th scope="row">
            <a href="${link('/ops/jobs', { kind: queue.kind, state: 'queued' })}">${queue.kind}</a>
          </th>
          <td>
            ${queue.pausedAt ? html`<span class="tag paused">paused</span>` : html`<span class="tag">runs</span>`}
          </td>
          <td class="tight">${when(queue.pausedAt)}</td>
          <td>${queue.pausedBy ?? none}</td>
          <td class="wide">${queue.pausedReason ?? none}</td>
          <td class="num">${queueForm(jobs, session, queue)}</td>
        </tr>`,
    ),
    '',
  );
}

function queueForm(jobs: JobRegistry, session: BoardSession, { kind, pausedAt }: QueueLine): Html | null {
  const command: QueueCommand = pausedAt ? 'resume' : 'pause';
  if (!may(session.staff.role, `queue.${command}`) || !staffMay(jobs, kind, command)) return null;
  if (command === 'pause') return html`<a class="button danger" href="/ops/queues/${kind}/pause">Pause…</a>`;
  return html`<form class="inline" method="post" action="/ops/queues/${kind}/resume">
    ${formToken(session)} <button class="primary">Resume</button>
  </form>`;
}

/** What a pause costs, before it is made: how many wait already, and that it is asked for a reason. */
async function askPause(parts: OpsParts, req: Request, res: Response): Promise<void> {
  const kind = readKind(parts, req);
  const now = parts.clock();
  const { unfinished, waiting } = await parts.queries.overview(now, now);
  const depth = unfinished.filter((line) => line.kind === kind).reduce((sum, { jobs }) => sum + jobs, 0);
  const due = waiting.find((line) => line.kind === kind)?.jobs ?? 0;
  answer(req, res, { kind, unfinished: depth, due }, () => pausePage(sessionOf(res), kind, depth, due));
}

function pausePage(session: BoardSession, kind: string, depth: number, due: number): Html {
  return page({
    title: `Pause ${kind}`,
    tab: '/ops/queues',
    session,
    body: html`<div class="head"><h1>Pause ${kind}?</h1></div>
      <dl class="tiles">
        ${tile('Not finished', count(depth), 'of every project')}
        ${tile('Due now', count(due), 'would wait from now on')}
      </dl>
      <p class="notice careful">
        Workers take no more jobs of the kind <b>${kind}</b>, of any project, until somebody resumes it. New
        ones are accepted and wait; what passes its deadline before that expires.
      </p>
      <form class="row" method="post" action="/ops/queues/${kind}/pause">
        ${formToken(session)}
        <label>Why<input name="why" required maxlength="200" autocomplete="off" /></label>
        <button class="danger">Pause ${kind}</button>
        <a class="button" href="/ops/queues">Leave it running</a>
      </form>`,
  });
}

function readKind({ jobs }: OpsParts, req: Request): string {
  const kind = String(req.params['kind']);
  if (!definitionOf(jobs, kind))
    throw new Problem(404, 'not-found', `No such queue. There are: ${Object.keys(jobs).join(', ')}.`);
  return kind;
}

/** Whoever finds the queue paused reads it; the audit keeps it. */
const PauseForm = z.object({
  why: Text.min(1, 'expected a reason, which everybody sees until the pause ends'),
});
const ResumeForm = z.object({ why: optional(Text) });
export const queueForms = { pause: PauseForm, resume: ResumeForm } as const satisfies Record<
  QueueCommand,
  z.ZodType
>;

const noticeOf: Record<QueueCommand, Notice> = { pause: 'paused', resume: 'resumed' };

async function carryOut(parts: OpsParts, command: QueueCommand, req: Request, res: Response): Promise<void> {
  const kind = readKind(parts, req);
  const { why = null } = read(queueForms[command], req.body);
  const result = await parts.commands.queue(command, kind, sessionOf(res).staff, why, parts.clock());
  if (!result.done) {
    const { status, sentence } = refusalWords[result.reason];
    throw new Problem(status, result.reason, sentence);
  }
  if (wantsJson(req)) sendJson(res, 200, wire(result));
  else res.redirect(303, link('/ops/queues', { notice: result.told ? noticeOf[command] : 'pending' }));
}
