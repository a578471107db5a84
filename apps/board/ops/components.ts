import { isFinal } from '../../../domain/job/job.ts';
import { type JobLine, type WindowHours, windowHours } from '../../../domain/staff/ops.ts';
import { explainStored } from '../../../domain/reasons.ts';
import { type Fragment, type Html, html } from '../html.ts';

/** The small pieces that the pages are made of. */

const SECOND_MS = 1_000;
const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;

/** `2026-11-20 09:24:58`, in UTC. */
export function when(at: Date | null): Html {
  if (!at) return none;
  const iso = at.toISOString();
  return html`<time datetime="${iso}" title="${iso}">${iso.slice(0, 19).replace('T', ' ')}</time>`;
}

export const none = html`<span class="none">–</span>`;

/** `4 s`, `12 min`, `3.5 h`, `2 d`. */
export function span(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds / SECOND_MS);
  if (seconds < 1) return `${Math.round(seconds * SECOND_MS)} ms`;
  if (seconds < MINUTE_SECONDS * 2) return `${Math.round(seconds)} s`;
  if (seconds < HOUR_SECONDS * 2) return `${Math.round(seconds / MINUTE_SECONDS)} min`;
  if (seconds < DAY_SECONDS * 2) return `${(seconds / HOUR_SECONDS).toFixed(1)} h`;
  return `${Math.round(seconds / DAY_SECONDS)} d`;
}

export const count = (jobs: number): string => jobs.toLocaleString('en-US').replaceAll(',', ' ');

export const state = (name: string): Html => html`<span class="state ${name}">${name}</span>`;

export const jobState = (job: Pick<JobLine, 'state' | 'isOpen' | 'runAt'>): Html =>
  isFinal(job.state) || job.state === 'queued' || job.isOpen
    ? state(job.state)
    : html`${state(job.state)} <span class="note">next at ${when(job.runAt)}</span>`;

/** A code with its meaning under the pointer, and where it is explained. */
export const reason = (code: string | null): Html => {
  const explained = explainStored(code);
  if (code === null) return none;
  return explained
    ? html`<a class="reason" href="${explained.docs}" title="${explained.meaning}">${code}</a>`
    : html`${code}`;
};

/** The end of a UUIDv7 tells two apart where its front, the time, is the same. */
export const jobLink = (id: string): Html =>
  html`<a class="mono" href="/ops/jobs/${id}" title="${id}">…${id.slice(-12)}</a>`;

/** A number that leads to its jobs; a zero fades. */
export const counted = (jobs: number, href: string): Html =>
  jobs === 0 ? none : html`<a href="${href}">${count(jobs)}</a>`;

export function panel(title: string, note: Fragment, content: Fragment): Html {
  return html`<section class="panel">
    <header>
      <h2>${title}</h2>
      ${note && html`<span class="note">${note}</span>`}
    </header>
    ${content}
  </section>`;
}

export function table(columns: readonly Fragment[], rows: readonly Html[], empty: string): Html {
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`;
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          ${columns}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

export const column = (name: string) => html`<th scope="col">${name}</th>`;
export const numbers = (name: string) => html`<th scope="col" class="num">${name}</th>`;

export function tile(
  name: string,
  value: Fragment,
  note: Fragment,
  tone: '' | 'alarm' | 'careful' = '',
): Html {
  return html`<div class="tile ${tone}">
    <dt>${name}</dt>
    <dd>${value}<small>${note}</small></dd>
  </div>`;
}

const windowNames: Readonly<Record<WindowHours, string>> = {
  1: '1 h',
  6: '6 h',
  24: '24 h',
  72: '3 days',
  168: '7 days',
};
export const windowName = (hours: number): string => windowNames[hours as WindowHours] ?? `${hours} h`;

/** Links that choose the window; `href` builds each. */
export function windows(current: number, href: (hours: WindowHours) => string): Html {
  return html`<div class="tabs" role="group" aria-label="Window">
    ${windowHours.map((hours) =>
      hours === current
        ? html`<a href="${href(hours)}" aria-current="true">${windowName(hours)}</a>`
        : html`<a href="${href(hours)}">${windowName(hours)}</a>`,
    )}
  </div>`;
}

export function pager(first: string | null, older: string | null): Html | null {
  if (first === null && older === null) return null;
  return html`<nav class="pager" aria-label="Pages">
    ${first !== null && html`<a href="${first}">« Newest</a>`}
    ${older !== null && html`<a href="${older}" rel="next">Older »</a>`}
  </nav>`;
}

export const fact = (name: string, value: Fragment): Html =>
  html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;

export function choice(
  name: string,
  label: string,
  options: readonly string[],
  chosen: string | undefined,
  any: string,
): Html {
  return html`<label
    >${label}<select name="${name}">
      <option value="">${any}</option>
      ${options.map((option) =>
        option === chosen ? html`<option selected>${option}</option>` : html`<option>${option}</option>`,
      )}
    </select></label
  >`;
}

/** Empty for a kind that has none. */
export const channelsOf = ({ labels }: Pick<JobLine, 'labels'>): string =>
  labels['channels']?.replaceAll(',', ', ') ?? '';

export function jobTable(jobs: readonly JobLine[], empty: string): Html {
  return table(
    [
      column('Accepted'),
      column('Job'),
      column('Project'),
      column('To'),
      column('Channels'),
      column('State'),
      column('Reason'),
      numbers('Attempts'),
      numbers('Took'),
    ],
    jobs.map(
      (job) =>
        html`<tr>
          <td class="tight">${when(job.acceptedAt)}</td>
          <td class="tight">${jobLink(job.id)} <span class="note">${job.kind}</span></td>
          <td>${job.project}</td>
          <td class="tight mono">${job.labels['to']}</td>
          <td>${channelsOf(job)}</td>
          <td>${jobState(job)}</td>
          <td class="wide">${reason(job.reason)}</td>
          <td class="num">${job.attempts}</td>
          <td class="num">
            ${job.finishedAt ? span(job.finishedAt.getTime() - job.acceptedAt.getTime()) : none}
          </td>
        </tr>`,
    ),
    empty,
  );
}
