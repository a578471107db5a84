import { type Request, type Response, Router } from 'express';
import { may } from '../../../domain/staff/role-actions.ts';
import { retriableStates } from '../../../domain/staff/command.ts';
import {
  type AttemptFailureGroup,
  type FailureGroup,
  type Failures,
  NO_REASON,
  type WindowHours,
} from '../../../domain/staff/ops.ts';
import { answer, read } from '../answer.ts';
import { type Html, html } from '../html.ts';
import { page } from '../layout.ts';
import { type BoardSession, sessionOf } from '../session.ts';
import { FilterQuery, kindFor, link, sinceOf } from './filter.ts';
import {
  column,
  count,
  counted,
  jobLink,
  none,
  numbers,
  panel,
  reason,
  state,
  table,
  when,
  windowName,
  windows,
} from './components.ts';
import type { OpsParts } from './parts.ts';

const HOURS_DEFAULT: WindowHours = 6;

const Query = FilterQuery.pick({ kind: true, project: true, hours: true });

export function failureRoutes(parts: OpsParts): Router {
  return Router().get('/', (req, res) => showFailures(parts, req, res));
}

async function showFailures(parts: OpsParts, req: Request, res: Response): Promise<void> {
  const { queries, clock } = parts;
  const { hours = HOURS_DEFAULT, ...filter } = read(Query, req.query);
  kindFor(filter.kind, parts);
  const since = sinceOf(hours, clock());
  const failures = await queries.failures(filter, since);
  answer(req, res, { since, ...failures }, () => failuresPage(sessionOf(res), failures, hours, filter));
}

type Narrowed = Omit<ReturnType<(typeof Query)['parse']>, 'hours'>;

function failuresPage(session: BoardSession, failures: Failures, hours: WindowHours, filter: Narrowed): Html {
  const mayRetry = may(session.staff.role, 'jobs.retry');
  return page({
    title: 'Failures',
    tab: '/ops/failures',
    session,
    body: html`<div class="head">
        <h1>Failures by reason</h1>
        ${filter.project !== undefined && html`<span class="tag">${filter.project}</span>`}
        <div class="end">
          <span class="note">Accepted in the last</span
          >${windows(hours, (to) => link('/ops/failures', { ...filter, hours: to }))}
        </div>
      </div>
      ${panel('Jobs that ended without success', null, jobGroups(failures.jobs, hours, filter.project, mayRetry))}
      ${panel('Attempts that did not succeed', 'their jobs may have succeeded on another try or channel', attemptGroups(failures.attempts, hours, filter.project))}`,
  });
}

function jobGroups(
  groups: readonly FailureGroup[],
  hours: WindowHours,
  project: string | undefined,
  mayRetry: boolean,
): Html {
  return table(
    [
      column('Reason'),
      column('State'),
      column('Kind'),
      numbers('Jobs'),
      numbers('Projects'),
      column('Last'),
      column('Example'),
      column(''),
    ],
    groups.map((group) => {
      const query = {
        kind: group.kind,
        state: group.state,
        reason: group.reason ?? NO_REASON,
        project,
        hours,
      };
      const isRetriable = mayRetry && retriableStates.some((retriable) => retriable === group.state);
      return html`<tr>
        <th scope="row" class="wide">${reason(group.reason)}</th>
        <td>${state(group.state)}</td>
        <td>${group.kind}</td>
        <td class="num">${counted(group.jobs, link('/ops/jobs', query))}</td>
        <td class="num">${count(group.projects)}</td>
        <td class="tight">${when(group.lastAt)}</td>
        <td>${jobLink(group.exampleId)}</td>
        <td class="num">${isRetriable && html`<a href="${link('/ops/retry', query)}">Retry…</a>`}</td>
      </tr>`;
    }),
    `No job failed in the last ${windowName(hours)}.`,
  );
}

function attemptGroups(
  groups: readonly AttemptFailureGroup[],
  hours: WindowHours,
  project: string | undefined,
): Html {
  return table(
    [
      column('Reason'),
      column('Outcome'),
      column('Channel'),
      column('Provider'),
      numbers('Attempts'),
      numbers('Jobs'),
      column('Last'),
      column('Example'),
    ],
    groups.map(
      (group) =>
        html`<tr>
          <th scope="row" class="wide">${reason(group.reason)}</th>
          <td>${state(group.outcome)}</td>
          <td class="tight">${group.channel ?? none}</td>
          <td>${group.provider}</td>
          <td class="num">${count(group.attempts)}</td>
          <td class="num">
            ${counted(group.jobs, link('/ops/jobs', { kind: group.kind, text: group.reason, project, hours }))}
          </td>
          <td class="tight">${when(group.lastAt)}</td>
          <td>${jobLink(group.exampleId)}</td>
        </tr>`,
    ),
    `Every attempt of the last ${windowName(hours)} succeeded, or none was made.`,
  );
}
