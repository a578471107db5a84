import { type Request, type Response, Router } from 'express';
import { isFinal, jobStates } from '../../../domain/job/job.ts';
import { JobId } from '../../../domain/shared/ids.ts';
import { type JobCommand, jobCommands, type JobRegistry, staffMay } from '../../../domain/job/define-job.ts';
import type { AuditLine } from '../../../domain/staff/audit.ts';
import { retriableStates } from '../../../domain/staff/command.ts';
import { permanentReasons } from '../../../domain/reasons.ts';
import type { AttemptLine, JobPage, VerificationLine } from '../../../domain/staff/ops.ts';
import { may } from '../../../domain/staff/role-actions.ts';
import { sendJson } from '../../http/answer.ts';
import { endFacts } from '../../../domain/reasons.ts';
import { explainStored, reasons } from '../../../domain/reasons.ts';
import { Problem } from '../../http/problem.ts';
import { answer, read, wantsJson, wire } from '../answer.ts';
import { type Html, html } from '../html.ts';
import { formToken, type Notice, page } from '../layout.ts';
import { refusalWords } from '../refusal.ts';
import { type BoardSession, sessionOf } from '../session.ts';
import { auditTable } from './audit.ts';
import { cursorOf, FilterQuery, filterOf, JobCursor, link, PageQuery, readCursor } from './filter.ts';
import {
  channelsOf,
  choice,
  column,
  fact,
  jobState,
  jobTable,
  none,
  numbers,
  pager,
  panel,
  reason,
  span,
  state,
  table,
  when,
  windowName,
} from './components.ts';
import type { OpsParts } from './parts.ts';

/** Lines of a job's own audit that its page shows. */
const AUDIT_LINES = 20;

export function jobRoutes(parts: OpsParts): Router {
  const router = Router()
    .get('/', (req, res) => listJobs(parts, req, res))
    .get('/:id', (req, res) => showJob(parts, req, res));
  for (const command of jobCommands)
    router.post(`/:id/${command}`, (req, res) => carryOut(parts, command, req, res));
  return router;
}

const ListQuery = FilterQuery.extend(PageQuery.shape);

async function listJobs(parts: OpsParts, req: Request, res: Response): Promise<void> {
  const { limit, cursor, ...query } = read(ListQuery, req.query);
  const after = readCursor(cursor, JobCursor);
  const filter = await filterOf(query, parts);
  const [found, projects] = await Promise.all([
    parts.queries.jobs(filter, limit + 1, after),
    parts.queries.projects(),
  ]);
  const jobs = found.slice(0, limit);
  const last = jobs.at(-1);
  const next = found.length > limit && last ? cursorOf(last.id) : null;
  // Links carry the hash where staff gave a number.
  const carried = { ...query, recipient: filter.address };
  answer(req, res, { data: jobs, nextCursor: next }, () =>
    page({
      title: 'Jobs',
      tab: '/ops/jobs',
      session: sessionOf(res),
      body: html`<div class="head">
          <h1>Jobs</h1>
          <div class="end">${retryLink(sessionOf(res), carried)}</div>
        </div>
        ${filterForm(carried, Object.keys(parts.jobs), projects)}
        ${panel('Newest first', windowNote(filter.since, carried), [
          jobTable(jobs, 'No job fits. A longer window or fewer conditions may find some.'),
          pager(after && link('/ops/jobs', carried), next && link('/ops/jobs', { ...carried, cursor: next })),
        ])}`,
    }),
  );
}

const windowNote = (since: Date | undefined, { hours }: FilterQuery) =>
  since ? `accepted in the last ${windowName(hours ?? 24)}` : 'whatever their age';

function retryLink(
  session: BoardSession,
  { kind, project, reason: because, text, hours, state: chosen }: FilterQuery,
): Html | null {
  const isRetriable = chosen === undefined || retriableStates.some((retriable) => retriable === chosen);
  if (!may(session.staff.role, 'jobs.retry') || !isRetriable) return null;
  return html`<a
    class="button"
    href="${link('/ops/retry', { kind, project, reason: because, text, hours, state: chosen })}"
    >Retry the failed ones…</a
  >`;
}

function filterForm(query: FilterQuery, kinds: readonly string[], projects: readonly string[]): Html {
  return html`<section class="panel">
    <form class="row body" method="get" action="/ops/jobs">
      ${choice('kind', 'Kind', kinds, query.kind, 'every kind')}
      ${choice('state', 'State', jobStates, query.state, 'every state')}
      ${choice('project', 'Project', projects, query.project, 'every project')}
      <label>Reason contains, or id<input name="text" value="${query.text}" maxlength="200" /></label>
      ${query.reason !== undefined && html`<label>Reason is<input name="reason" value="${query.reason}" maxlength="200" /></label>`}
      ${query.recipient !== undefined && html`<input type="hidden" name="recipient" value="${query.recipient}" />`}
      <label
        >Accepted in the last<select name="hours">
          ${['', 1, 6, 24, 72, 168].map((hours) =>
            hours === (query.hours ?? '')
              ? html`<option value="${hours}" selected>
                  ${hours === '' ? 'as usual' : windowName(Number(hours))}
                </option>`
              : html`<option value="${hours}">
                  ${hours === '' ? 'as usual' : windowName(Number(hours))}
                </option>`,
          )}
        </select></label
      >
      <button class="primary">Show</button> <a class="button" href="/ops/jobs">Clear</a>
    </form>
  </section>`;
}

async function showJob(parts: OpsParts, req: Request, res: Response): Promise<void> {
  const id = readId(req.params['id']);
  const session = sessionOf(res);
  const seesAudit = may(session.staff.role, 'audit.read');
  const [job, audit] = await Promise.all([
    parts.queries.job(id, parts.clock()),
    seesAudit ? parts.audit.page({ subject: id }, AUDIT_LINES, null) : [],
  ]);
  if (!job)
    throw new Problem(
      404,
      'not-found',
      'There is no such job; finished ones are deleted after their retention.',
    );
  answer(req, res, { ...job, reasonDetail: explained(job) }, () =>
    jobPage(parts, job, audit, session, req.query['notice']),
  );
}

function readId(id: unknown): JobId {
  const parsed = JobId.safeParse(id);
  if (!parsed.success) throw new Problem(404, 'not-found', 'A job id is a UUID.');
  return parsed.data;
}

function jobPage(
  { jobs, clock }: OpsParts,
  job: JobPage,
  audit: readonly AuditLine[],
  session: BoardSession,
  notice: unknown,
): Html {
  return page({
    title: `Job ${job.id}`,
    tab: '/ops/jobs',
    session,
    notice,
    body: html`<div class="head">
        <h1>Job</h1>
        <code>${job.id}</code> ${jobState(job)}
        <div class="end">${commandForms(jobs, job, session)}</div>
      </div>
      ${whyPanel(job, session)}
      <section class="panel"><div class="body">${jobFacts(job, clock())}</div></section>
      ${panel('Attempts', 'numbered by Postgres', attemptTable(job))}
      ${job.verification && panel('Verification', 'for which this job sends; codes are never stored or shown', html`<div class="body">${verificationFacts(job.verification)}</div>`)}
      ${audit.length > 0 && panel('What staff did', null, auditTable(audit))}`,
  });
}

/** What can be done to it now, by this person; the rest isn't offered. */
function commandForms(jobs: JobRegistry, job: JobPage, session: BoardSession): (Html | null)[] {
  const names: Record<JobCommand, string> = { retry: 'Retry', promote: 'Run now', cancel: 'Cancel' };
  return jobCommands.map((command) => {
    const fits =
      command === 'retry'
        ? isRetriableState(job) && job.isAwaited && !permanentReasons.includes(job.reason ?? '')
        : !isFinal(job.state);
    const isAllowed = staffMay(jobs, job.kind, command) && may(session.staff.role, `job.${command}`);
    if (!fits || !isAllowed) return null;
    return html`<form class="inline" method="post" action="/ops/jobs/${job.id}/${command}">
      ${formToken(session)}
      <button class="${command === 'cancel' ? 'danger' : 'primary'}">${names[command]}</button>
    </form>`;
  });
}

const isRetriableState = ({ state: at }: JobPage) => retriableStates.some((retriable) => retriable === at);

/** With what is known of this case. */
const explained = (job: JobPage) =>
  explainStored(job.reason, {
    ...endFacts(job.reason, job.finishedAt),
    ...job.block,
  });

/** Why a failed job has no plain Retry; null where it has one, or never could. */
function noRetry(job: JobPage): string | null {
  if (!isRetriableState(job)) return null;
  if (!job.isAwaited) return reasons['subject-closed'].meaning;
  return permanentReasons.includes(job.reason ?? '') ? 'A retry alone ends the same.' : null;
}

/** Why it ended so and what to do; where a retry is not offered, why. */
function whyPanel(job: JobPage, session: BoardSession): Html | null {
  const why = explained(job);
  if (!why) return null;
  const unretried = noRetry(job);
  const isAfterChange = unretried !== null && job.isAwaited && why.retry === 'after-change';
  return html`<section class="panel">
    <div class="body">
      <p class="why"><b>${job.reason}</b>: ${why.meaning}</p>
      <p class="note">
        Next step: ${why.nextStep} ${why.setting && html`Setting: <code>${why.setting}</code>.`}
        ${unretried && html`No retry: ${unretried}`}
      </p>
      ${isAfterChange && may(session.staff.role, 'job.retry') && retryForm(job, session)}
    </div>
  </section>`;
}

const retryForm = (job: JobPage, session: BoardSession): Html =>
  html`<form class="inline" method="post" action="/ops/jobs/${job.id}/retry">
    ${formToken(session)} <button>I changed it: retry</button>
  </form>`;

function jobFacts(job: JobPage, now: Date): Html {
  return html`<dl class="facts">
    ${fact('Kind', job.kind)}
    ${fact('Project', html`<a href="${link('/ops/jobs', { project: job.project })}">${job.project}</a>`)}
    ${fact('To', job.address ? html`<a class="mono" href="/ops/recipients/${job.address}">${job.labels['to']}</a>` : html`<span class="mono">${job.labels['to']}</span>`)}
    ${fact('Channels', channelsOf(job))} ${fact('Reason', reason(job.reason))}
    ${fact('Accepted', when(job.acceptedAt))} ${fact('Finished', when(job.finishedAt))}
    ${fact('Took', job.finishedAt ? span(job.finishedAt.getTime() - job.acceptedAt.getTime()) : `${span(now.getTime() - job.acceptedAt.getTime())} so far`)}
    ${fact('Due', when(job.runAt))} ${fact('Deadline', when(job.deadlineAt))}
    ${fact('Request id', job.requestId ? html`<code>${job.requestId}</code>` : none)}
    ${fact('Serves', html`<code>${job.subjectId}</code>`)}
  </dl>`;
}

function attemptTable({ attemptLines: attempts, finishedAt }: JobPage): Html {
  return table(
    [
      numbers('#'),
      column('Opened'),
      column('Channel'),
      column('Provider'),
      column('Outcome'),
      column('Reason'),
      column('Reference'),
      column('Delivery'),
      numbers('Latency'),
      numbers('Cost'),
    ],
    attempts.map(
      (attempt) =>
        html`<tr>
          <td class="num">${attempt.n}</td>
          <td class="tight">${when(attempt.openedAt)}</td>
          <td class="tight">${attempt.channel ?? none}</td>
          <td>
            ${attempt.provider} ${attempt.chosen !== null && html`<small>${attempt.chosen}</small>`}
            ${attempt.chosenAfter !== null && html`<br /><small>after ${attempt.chosenAfter}</small>`}
          </td>
          <td>${state(attempt.outcome ?? 'open')}</td>
          <td class="wide">
            ${reason(attempt.reason)}
            ${attempt.providerMessage !== null && html`<br /><small>${attempt.providerMessage}</small>`}
          </td>
          <td>${attempt.providerReference ? html`<code>${attempt.providerReference}</code>` : none}</td>
          <td>${attempt.delivery ? state(attempt.delivery) : none} ${attempt.deliveryReason}</td>
          <td class="num">${attempt.latencyMs === null ? none : `${attempt.latencyMs} ms`}</td>
          <td class="num">${costOf(attempt)}</td>
        </tr>`,
    ),
    finishedAt
      ? 'No attempt was made: the job ended before anything was sent.'
      : 'No attempt yet: no worker has opened this job.',
  );
}

/** Micros are 10^-6 of the currency's unit. */
const MICROS_DIGITS = 6;

/** What the budget counts, and what the provider asks where that is another currency or several parts. */
function costOf(attempt: AttemptLine): string | Html {
  const { costMicros, costCurrency, priceMicros, priceCurrency, parts } = attempt;
  if (costMicros === null) return none;
  const isSame = priceMicros === null || priceCurrency === costCurrency;
  return html`${money(costMicros, costCurrency)}
  ${!isSame && html`<br /><small>${money(priceMicros, priceCurrency)}</small>`}
  ${parts !== null && parts > 1 && html`<br /><small>${parts} parts</small>`}`;
}

function money(micros: string, currency: string | null): string {
  const digits = micros.padStart(MICROS_DIGITS + 1, '0');
  return `${digits.slice(0, -MICROS_DIGITS)}.${digits.slice(-MICROS_DIGITS, -2)} ${currency ?? ''}`;
}

function verificationFacts(verification: VerificationLine): Html {
  return html`<dl class="facts">
    ${fact('State', state(verification.state))} ${fact('Purpose', verification.purpose)}
    ${fact('Mode', verification.mode)}
    ${fact('Checks', `${verification.checksUsed} of ${verification.checksMax} used`)}
    ${fact('Created', when(verification.createdAt))} ${fact('Expires', when(verification.expiresAt))}
    ${fact('Closed', when(verification.closedAt))} ${fact('Id', html`<code>${verification.id}</code>`)}
  </dl>`;
}

const noticeOf: Record<JobCommand, Notice> = { retry: 'retried', promote: 'promoted', cancel: 'cancelled' };

async function carryOut(parts: OpsParts, command: JobCommand, req: Request, res: Response): Promise<void> {
  const id = readId(req.params['id']);
  const result = await parts.commands.job(command, id, sessionOf(res).staff, parts.clock());
  if (!result.done) {
    const { status, sentence } = refusalWords[result.reason];
    throw new Problem(status, result.reason, sentence);
  }
  if (wantsJson(req)) sendJson(res, 200, wire(result));
  else res.redirect(303, link(`/ops/jobs/${id}`, { notice: result.told ? noticeOf[command] : 'pending' }));
}
