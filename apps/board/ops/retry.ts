import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { isOurTime, notOurTime } from '../../../domain/shared/refine.ts';
import { RETRY_RUN_MAX, type RetryPreview } from '../../../domain/staff/command.ts';
import type { JobFilter } from '../../../domain/staff/ops.ts';
import { explainStored } from '../../../domain/reasons.ts';
import { sendJson } from '../../http/answer.ts';
import { answer, optional, read, wantsJson, wire } from '../answer.ts';
import { type Html, html } from '../html.ts';
import { formToken, page } from '../layout.ts';
import { type BoardSession, sessionOf } from '../session.ts';
import { FilterQuery, filterOf, link } from './filter.ts';
import { column, count, numbers, panel, reason, state, table, tile, windowName } from './components.ts';
import type { OpsParts } from './parts.ts';

/** Jobs that fail after the dry run are not in it: they were not counted, and nobody has looked at them. */
const RetryQuery = FilterQuery.extend({
  until: optional(z.iso.datetime().refine((text) => isOurTime(new Date(text)), notOurTime)),
});
type RetryQuery = z.infer<typeof RetryQuery>;

/** Nothing is retried but on `confirm`: without it the answer is the dry run. */
const RetryForm = RetryQuery.extend({
  confirm: optional(z.union([z.boolean(), z.literal('yes').transform(() => true)])),
});

export function retryRoutes(parts: OpsParts): Router {
  return Router()
    .get('/', (req, res) => dryRun(parts, read(RetryQuery, req.query), req, res))
    .post('/', async (req, res) => {
      const { confirm, ...query } = read(RetryForm, req.body);
      if (confirm === true) await run(parts, query, req, res);
      else await dryRun(parts, query, req, res);
    });
}

async function dryRun(parts: OpsParts, query: RetryQuery, req: Request, res: Response): Promise<void> {
  const now = parts.clock();
  const until = query.until ?? now.toISOString();
  const filter = await boundFilter(parts, query, until);
  const preview = await parts.commands.previewRetry(filter, now);
  const facts = { ...preview, retried: 0, dryRun: true, runMax: RETRY_RUN_MAX, until };
  answer(req, res, facts, () =>
    previewPage(sessionOf(res), preview, { ...query, until, recipient: filter.address }),
  );
}

async function run(parts: OpsParts, query: RetryQuery, req: Request, res: Response): Promise<void> {
  const now = parts.clock();
  const filter = await boundFilter(parts, query, query.until ?? now.toISOString());
  const done = await parts.commands.retryAll(filter, sessionOf(res).staff, now);
  if (wantsJson(req)) return sendJson(res, 200, wire({ ...done, dryRun: false }));
  answer(req, res, done, () =>
    page({
      title: 'Retried',
      tab: '/ops/failures',
      session: sessionOf(res),
      body: html`<div class="head"><h1>Retried</h1></div>
        <p class="notice" role="status">
          ${count(done.retried)} jobs were accepted again. Run <code>${done.runId}</code> stands in the audit.
        </p>
        ${done.more && html`<p class="notice careful">One run takes ${count(RETRY_RUN_MAX)} jobs. There may be more: look at the failures again.</p>`}
        ${!done.told && html`<p class="notice careful">Redis did not answer: the reconciler issues their queue entries as soon as it does.</p>`}
        <p>
          <a class="button" href="${link('/ops/jobs', { state: 'queued' })}">Jobs that wait now</a>
          <a class="button" href="/ops/failures">Failures</a>
        </p>`,
    }),
  );
}

async function boundFilter(parts: OpsParts, query: RetryQuery, until: string): Promise<JobFilter> {
  return { ...(await filterOf(query, parts)), until: new Date(until) };
}

function previewPage(session: BoardSession, preview: RetryPreview, query: RetryQuery): Html {
  const lost = preview.matching - preview.retriable - preview.permanent;
  return page({
    title: 'Retry',
    tab: '/ops/failures',
    session,
    body: html`<div class="head">
        <h1>Retry: dry run</h1>
        ${chosen(query)}
      </div>
      <dl class="tiles">
        ${tile('Would be retried', count(preview.retriable), `at most ${count(RETRY_RUN_MAX)} in one run`)}
        ${tile('Too late', count(lost), 'what they were for has ended')}
        ${tile('Not chosen', count(preview.permanent), 'a retry alone cannot help')}
        ${tile('Found', count(preview.matching), 'rejected, failed or expired')}
      </dl>
      ${panel('By reason', 'nothing has been changed yet', previewTable(preview, query))}
      ${preview.retriable > 0 ? confirmForm(session, preview, query) : html`<p class="note">There is nothing to retry.</p>`}`,
  });
}

function chosen(query: RetryQuery): Html[] {
  const { kind, state: of, project, reason: because, text, hours, recipient } = query;
  const words = [
    kind,
    of,
    project,
    because,
    text && `“${text}”`,
    recipient && 'one recipient',
    `accepted in the last ${windowName(hours ?? 24)}`,
  ];
  return words
    .filter((word) => word !== undefined && word !== '')
    .map((word) => html`<span class="tag">${word}</span>`);
}

function previewTable({ byReason }: RetryPreview, query: RetryQuery): Html {
  return table(
    [column('Reason'), column('State'), numbers('Jobs'), numbers('Would be retried'), column('')],
    byReason.map(
      (line) =>
        html`<tr>
          <th scope="row" class="wide">${reason(line.reason)}</th>
          <td>${state(line.state)}</td>
          <td class="num">${count(line.jobs)}</td>
          <td class="num">${count(line.retriable)}</td>
          <td class="wide">${line.isPermanent && notChosen(line.reason, query)}</td>
        </tr>`,
    ),
    'No failed job fits.',
  );
}

/** Staff who have changed what was wrong choose the reason by name. */
function notChosen(code: string | null, query: RetryQuery): Html | null {
  const why = explainStored(code);
  if (!why) return null;
  const href = link('/ops/retry', { ...query, reason: code });
  return html`${why.nextStep}
  ${why.retry === 'after-change' && html`<a href="${href}">Done: retry these…</a>`}`;
}

function confirmForm(session: BoardSession, preview: RetryPreview, query: RetryQuery): Html {
  const fields = Object.entries(query).filter(([, value]) => value !== undefined);
  return html`<form class="row" method="post" action="/ops/retry">
    ${formToken(session)} <input type="hidden" name="confirm" value="yes" />
    ${fields.map(([name, value]) => html`<input type="hidden" name="${name}" value="${String(value)}" />`)}
    <button class="primary">Retry ${count(Math.min(preview.retriable, RETRY_RUN_MAX))} jobs</button>
    <a class="button" href="${link('/ops/failures', { hours: query.hours, project: query.project })}"
      >Leave them</a
    >
  </form>`;
}
