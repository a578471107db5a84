import { Router } from 'express';
import { z } from 'zod';
import { isFinal, type JobState, jobStates } from '../../../domain/job/job.ts';
import { WAITING_OLD_MS } from '../../../domain/staff/alarms.ts';
import type { Overview, WindowHours } from '../../../domain/staff/ops.ts';
import { answer, read } from '../answer.ts';
import { type Html, html } from '../html.ts';
import { page } from '../layout.ts';
import { type BoardSession, sessionOf } from '../session.ts';
import { Hours, link, sinceOf } from './filter.ts';
import {
  column,
  count,
  counted,
  none,
  numbers,
  panel,
  reason,
  span,
  table,
  tile,
  when,
  windowName,
  windows,
} from './components.ts';
import type { OpsParts } from './parts.ts';

/** What an operator asks first: what is stuck now, and what went wrong in the last hour. */
const HOURS_DEFAULT: WindowHours = 1;

const Query = z.object({ hours: z.preprocess((value) => value || undefined, Hours.default(HOURS_DEFAULT)) });

export function overviewRoutes({ jobs, queries, clock }: OpsParts): Router {
  return Router().get('/', async (req, res) => {
    const { hours } = read(Query, req.query);
    const now = clock();
    const overview = await queries.overview(sinceOf(hours, now), now);
    answer(req, res, facts(overview), () =>
      overviewPage(sessionOf(res), overview, { hours, kinds: Object.keys(jobs).length }, req.query['notice']),
    );
  });
}

function facts(overview: Overview) {
  return {
    ...overview,
    waiting: overview.waiting.map(({ kind, jobs, oldestDueAt }) => ({
      kind,
      jobs,
      oldestDueAt,
      oldestAgeSeconds: oldestDueAt ? (overview.at.getTime() - oldestDueAt.getTime()) / 1_000 : 0,
    })),
  };
}

interface Shown {
  readonly hours: WindowHours;
  /** How many there are. */
  readonly kinds: number;
}

function overviewPage(session: BoardSession, overview: Overview, shown: Shown, notice: unknown): Html {
  const { hours } = shown;
  return page({
    title: 'Overview',
    tab: '/ops',
    session,
    notice,
    body: html` <div class="head">
        <h1>Overview</h1>
        <div class="end">
          <span class="note">Accepted in the last</span>${windows(hours, (to) => link('/ops', { hours: to }))}
        </div>
      </div>
      ${tiles(overview, shown)} ${alarmPanel(overview)} ${accountPanel(overview)}
      ${panel('Not finished now', 'every such job, whatever its age', unfinishedTable(overview))}
      ${panel(`Accepted in the last ${windowName(hours)}`, 'by their state now', acceptedTable(overview, hours))}`,
  });
}

function tiles(overview: Overview, { hours, kinds }: Shown): Html {
  const sum = (of: readonly { jobs: number }[]) => of.reduce((total, { jobs }) => total + jobs, 0);
  const { counts } = overview.accepted;
  const failed = counts.filter(
    ({ state }) => state === 'rejected' || state === 'failed' || state === 'expired',
  );
  const oldest = overview.waiting.flatMap(({ oldestDueAt }) => (oldestDueAt ? [oldestDueAt.getTime()] : []));
  const ageMs = oldest.length > 0 ? overview.at.getTime() - Math.min(...oldest) : 0;
  const paused = overview.queues.filter(({ pausedAt }) => pausedAt);
  const { alarms } = overview;
  return html`<dl class="tiles">
    ${tile('Alarms', alarms.length > 0 ? html`<a href="#alarms">${count(alarms.length)}</a>` : '0', alarms.length > 0 ? 'look at them now' : 'nothing needs you', alarms.length > 0 ? 'alarm' : '')}
    ${tile('Not finished', count(sum(overview.unfinished)), 'queued, running or retrying')}
    ${tile('Waiting', count(sum(overview.waiting)), 'due, not opened')}
    ${tile('Oldest waiting', oldest.length > 0 ? span(ageMs) : '–', oldest.length > 0 ? 'since it was due' : 'nothing waits', ageMs > WAITING_OLD_MS ? 'alarm' : '')}
    ${tile('Completed', count(sum(counts.filter(({ state }) => state === 'completed'))), `of ${count(sum(counts))} in ${windowName(hours)}`)}
    ${tile('Unsuccessful', html`<a href="${link('/ops/failures', { hours })}">${count(sum(failed))}</a>`, 'rejected, failed, expired', failed.length > 0 ? 'careful' : '')}
    ${tile('Paused queues', html`<a href="/ops/queues">${paused.length}</a>`, paused.map(({ kind }) => kind).join(', ') || `none of ${kinds}`, paused.length > 0 ? 'alarm' : '')}
  </dl>`;
}

function alarmPanel({ alarms, at }: Overview): Html | null {
  if (alarms.length === 0) return null;
  return html`<div id="alarms">
    ${panel(
      'Alarms',
      'what somebody must look at now',
      table(
        [column('What'), column('About'), column('Since'), column('Next step')],
        alarms.map(
          (one) =>
            html`<tr class="alarm">
              <th scope="row" class="wide">${one.says}</th>
              <td class="wide">${one.link ? html`<a href="${one.link}">${one.subject}</a>` : one.subject}</td>
              <td class="tight">
                ${when(one.since)}
                ${one.since && html`<span class="note">${span(at.getTime() - one.since.getTime())}</span>`}
              </td>
              <td class="wide">${one.nextStep}</td>
            </tr>`,
        ),
        '',
      ),
    )}
  </div>`;
}

const MICROS = 1_000_000;

function accountPanel({ accounts }: Overview): Html | null {
  if (accounts.length === 0) return null;
  return panel(
    'SMS providers',
    'balance as last told; errors of the last hour',
    table(
      [column('Provider'), numbers('Balance'), column('Told'), column('Last error'), column('Failing since')],
      accounts.map(
        (one) =>
          html`<tr class="${one.lowSince && 'alarm'}">
            <th scope="row">${one.provider}</th>
            <td class="num">
              ${one.balanceMicros === null ? none : `${count(Math.floor(Number(one.balanceMicros) / MICROS))} ${one.currency}`}
            </td>
            <td class="tight">${when(one.toldAt)}</td>
            <td class="wide">${errorsOf(one)}</td>
            <td class="tight">${when(one.failingSince ?? one.balanceFailingSince)}</td>
          </tr>`,
      ),
      '',
    ),
  );
}

function errorsOf({ lastError, lastErrorAt, balanceError }: Overview['accounts'][number]): Html {
  if (lastError) return html`${reason(lastError)} <span class="note">${when(lastErrorAt)}</span>`;
  return balanceError ? html`balance not told: ${reason(balanceError)}` : none;
}

type Count = Overview['unfinished'][number];

/** One line a kind and project, one column a state. */
function lines(
  counts: readonly Count[],
): { kind: string; project: string; of: (state: JobState) => number; total: number }[] {
  return [...Map.groupBy(counts, ({ kind, project }) => JSON.stringify([kind, project])).values()].map(
    (group) => ({
      kind: group[0]?.kind ?? '',
      project: group[0]?.project ?? '',
      of: (state) => group.find((line) => line.state === state)?.jobs ?? 0,
      total: group.reduce((sum, { jobs }) => sum + jobs, 0),
    }),
  );
}

function stateTable(
  counts: readonly Count[],
  states: readonly JobState[],
  hours: WindowHours | undefined,
  empty: string,
): Html {
  return table(
    [column('Kind'), column('Project'), ...states.map(numbers), numbers('All')],
    lines(counts).map(
      ({ kind, project, of, total }) =>
        html`<tr>
          <th scope="row">${kind}</th>
          <td>${project}</td>
          ${states.map((state) => html`<td class="num ${state}">${counted(of(state), link('/ops/jobs', { kind, project, state, hours }))}</td>`)}
          <td class="num">${count(total)}</td>
        </tr>`,
    ),
    empty,
  );
}

const unfinishedTable = ({ unfinished }: Overview) =>
  stateTable(
    unfinished,
    jobStates.filter((state) => !isFinal(state)),
    undefined,
    'Nothing is under way.',
  );

const acceptedTable = ({ accepted }: Overview, hours: WindowHours) =>
  stateTable(accepted.counts, jobStates, hours, 'No job was accepted in this time.');
