import { may } from '../../domain/staff/role-actions.ts';
import { type Fragment, type Html, html } from './html.ts';
import type { BoardSession } from './session.ts';

const tabs = [
  { href: '/ops', name: 'Overview', action: 'ops.read' },
  { href: '/ops/jobs', name: 'Jobs', action: 'ops.read' },
  { href: '/ops/failures', name: 'Failures', action: 'ops.read' },
  { href: '/ops/queues', name: 'Queues', action: 'ops.read' },
  { href: '/ops/chats', name: 'Chats', action: 'ops.read' },
  { href: '/ops/audit', name: 'Audit', action: 'audit.read' },
  { href: '/', name: 'Bull Board', action: 'board.read' },
] as const;
export type Tab = (typeof tabs)[number]['href'] | null;

/** What a page says on top after a command. Closed, so that a link can't put words there. */
const notices = {
  retried: 'The job was accepted again.',
  promoted: 'The job is due now.',
  cancelled: 'The job was cancelled.',
  paused: 'The queue is paused: workers take no more of its jobs.',
  chatOpened: 'The chat is open: the next message to it is sent.',
  resumed: 'The queue runs again.',
  pending: 'Recorded. Redis did not answer, so the queue follows as soon as the reconciler reaches it.',
} as const;
export type Notice = keyof typeof notices;

export interface PageParts {
  readonly title: string;
  readonly tab: Tab;
  readonly session: BoardSession;
  /** A code from the query, shown where it is a known one. */
  readonly notice?: unknown;
  readonly body: Fragment;
}

export function page({ title, tab, session, notice, body }: PageParts): Html {
  return document(
    `${title} · Navbat`,
    html`<a class="skip" href="#content">Skip to the content</a>
      <div class="bar">
        <div>
          <a class="brand" href="/ops"><img src="/assets/logo.svg" alt="" />Navbat</a>
          <nav aria-label="Sections">${tabs.map((entry) => tabLink(entry, tab, session))}</nav>
          ${searchForm(session)} ${signedIn(session)}
        </div>
      </div>
      <main id="content">${noticeOf(notice)}${body}</main>
      <p class="foot">
        Times are UTC. Facts are from Postgres, the record; Bull Board shows what Redis holds of it.
        <a href="/staff/docs">Routes for programs</a>
      </p>`,
  );
}

/** Without the bar: login, logout and errors before a session. */
export function card(title: string, body: Fragment): Html {
  return document(
    `${title} · Navbat`,
    html`<main class="gate">
      <div class="card">
        <img src="/assets/logo.svg" alt="" />
        <h1>${title}</h1>
        ${body}
      </div>
    </main>`,
  );
}

function document(title: string, body: Html): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        <link rel="icon" href="/assets/logo.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/assets/board.css" />
      </head>
      <body>
        ${body}
      </body>
    </html> `;
}

function tabLink(entry: (typeof tabs)[number], tab: Tab, session: BoardSession): Html | null {
  if (!may(session.staff.role, entry.action)) return null;
  return entry.href === tab
    ? html`<a href="${entry.href}" aria-current="page">${entry.name}</a>`
    : html`<a href="${entry.href}">${entry.name}</a>`;
}

/** Posted, so that no phone number stands in an address bar, a history or a proxy's log. */
const searchForm = (session: BoardSession) =>
  html`<form class="search" method="post" action="/ops/search" role="search">
    ${formToken(session)}
    <input name="q" type="search" aria-label="Search" autocomplete="off" placeholder="Phone, id, error" />
    <button>Search</button>
  </form>`;

const signedIn = (session: BoardSession) =>
  html`<div class="who">
    <span
      ><a href="/account"><b>${session.staff.email}</b></a> · ${session.staff.role}</span
    >
    <form class="inline" method="post" action="/logout">
      ${formToken(session)}<button class="plain">Log out</button>
    </form>
  </div>`;

export const formToken = (session: BoardSession) =>
  html`<input type="hidden" name="token" value="${session.formToken}" />`;

function noticeOf(notice: unknown): Html | null {
  if (typeof notice !== 'string' || !Object.hasOwn(notices, notice)) return null;
  const tone = notice === 'pending' ? 'notice careful' : 'notice';
  return html`<p class="${tone}" role="status">${notices[notice as Notice]}</p>`;
}
