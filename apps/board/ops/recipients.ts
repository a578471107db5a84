import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { AddressHash, type Recipient, type Timeline, type TimelineEvent } from '../../../domain/staff/ops.ts';
import { Problem } from '../../http/problem.ts';
import { answer, read, Text } from '../answer.ts';
import { type Html, html } from '../html.ts';
import { page } from '../layout.ts';
import { type BoardSession, sessionOf } from '../session.ts';
import { addressFor, cursorOf, JobCursor, link, PageQuery, readCursor } from './filter.ts';
import { channelsOf, column, jobLink, none, pager, panel, state, table, when } from './components.ts';
import type { OpsParts } from './parts.ts';

export function recipientRoutes(parts: OpsParts): Router {
  return (
    Router()
      // For programs: staff post a number from the search form instead.
      .get('/', async (req, res) => {
        const { recipient } = read(z.object({ recipient: Text.min(1) }), req.query);
        const format = req.query['format'] === 'json' ? 'json' : undefined;
        res.redirect(303, link(`/ops/recipients/${await addressFor(recipient, parts)}`, { format }));
      })
      .get('/:address', (req, res) => showRecipient(parts, req, res))
  );
}

function readAddress(req: Request): AddressHash {
  const address = AddressHash.safeParse(req.params['address']);
  if (address.success) return address.data;
  throw new Problem(404, 'not-found', 'Search for a number or a recipient id to come here.');
}

async function showRecipient({ queries, clock }: OpsParts, req: Request, res: Response): Promise<void> {
  const address = readAddress(req);
  const { limit, cursor } = read(PageQuery, req.query);
  const after = readCursor(cursor, JobCursor);
  const [recipient, timeline] = await Promise.all([
    queries.recipient(address, clock()),
    queries.timeline(address, limit, after),
  ]);
  const next = timeline.next && cursorOf(timeline.next);
  answer(req, res, { ...recipient, data: timeline.events, nextCursor: next }, () =>
    recipientPage(sessionOf(res), recipient, timeline, {
      isLater: after !== null,
      next,
      notice: req.query['notice'],
    }),
  );
}

function recipientPage(
  session: BoardSession,
  recipient: Recipient,
  timeline: Timeline,
  { isLater, next, notice }: { isLater: boolean; next: string | null; notice: unknown },
): Html {
  const self = `/ops/recipients/${recipient.address}`;
  return page({
    title: 'Recipient',
    tab: '/ops/jobs',
    session,
    notice,
    body: html`<div class="head">
        <h1>Recipient</h1>
        <span class="mono">${maskedName(timeline)}</span>
        <div class="end">
          <a class="button" href="${link('/ops/jobs', { recipient: recipient.address })}"
            >As a list of jobs</a
          >
        </div>
      </div>
      ${recipient.locks.length > 0 && panel('Locked', 'after too many wrong codes; the person lifts it on a bound device or with /unlock in the bot, or it lifts by itself after a day', lockTable(recipient))}
      ${recipient.known.length > 0 && panel('Known as', 'set by their projects', knownTable(recipient))}
      ${panel('Timeline', 'newest first, over all projects', [
        timeline.events.length === 0
          ? html`<p class="empty">
              Nothing was ever sent to this address, or it has left after its retention.
            </p>`
          : html`<ol class="timeline">
              ${timeline.events.map(eventLine)}
            </ol>`,
        pager(isLater ? self : null, next && link(self, { cursor: next })),
      ])}`,
  });
}

function lockTable({ locks }: Recipient): Html {
  return table(
    [column('Project'), column('Since'), column('Wrong codes')],
    locks.map(
      ({ project, lockedAt, failedChecks }) =>
        html`<tr>
          <td>${project}</td>
          <td class="tight">${when(lockedAt)}</td>
          <td>${failedChecks}</td>
        </tr>`,
    ),
    '',
  );
}

/** The queue entries' own mask: the page never reads the number. */
function maskedName({ events }: Timeline): string {
  const job = events.find((event) => event.kind === 'job');
  return job?.kind === 'job' ? (job.job.labels['to'] ?? '') : '';
}

function knownTable({ known }: Recipient): Html {
  return table(
    [
      column('Project'),
      column('Handle'),
      column('Recipient id'),
      column('Phone'),
      column('Telegram'),
      column('Push'),
      column('Language'),
    ],
    known.map(
      (one) =>
        html`<tr>
          <td>${one.project}</td>
          <td>${one.handle ?? none}</td>
          <td><code>${one.recipientId}</code></td>
          <td class="mono">${one.phone ?? none}</td>
          <td>
            ${one.telegram ? 'chat' : none}
            ${one.telegramBlockedAt && html`<span class="failed">blocked ${when(one.telegramBlockedAt)}</span>`}
          </td>
          <td>${one.push ? 'token' : none}</td>
          <td>${one.locale ?? none}</td>
        </tr>`,
    ),
    '',
  );
}

function eventLine(event: TimelineEvent): Html {
  const { tone, text } = eventText(event);
  return html`<li>
    ${when(event.at)}<span class="dot ${tone}"></span>
    <div>${text}</div>
  </li>`;
}

function eventText(event: TimelineEvent): { tone: string; text: Html } {
  switch (event.kind) {
    case 'job':
      return jobText(event);
    case 'attempt':
      return attemptText(event);
    case 'verification': {
      const { verification } = event;
      const tone = event.event === 'created' ? 'live' : verification.state;
      const text = html`Verification for <b>${verification.purpose}</b> in ${verification.project}
        ${event.event === 'created' ? 'began' : html`ended: ${state(verification.state)}`}
        ${event.event === 'closed' && html`<span class="note">${verification.checksUsed} of ${verification.checksMax} checks used</span>`}`;
      return { tone, text };
    }
  }
}

function jobText({ job, event }: Extract<TimelineEvent, { kind: 'job' }>): { tone: string; text: Html } {
  if (event === 'accepted')
    return {
      tone: 'queued',
      text: html`<span class="job">${job.kind}</span> ${jobLink(job.id)} of ${job.project} accepted
        <span class="note">${channelsOf(job)}</span>`,
    };
  return {
    tone: job.state,
    text: html`<span class="job">${job.kind}</span> ${jobLink(job.id)} ${state(job.state)}
      <span class="note">${job.reason}</span>`,
  };
}

function attemptText({ attempt, event }: Extract<TimelineEvent, { kind: 'attempt' }>): {
  tone: string;
  text: Html;
} {
  const name = html`Attempt ${attempt.n} of ${jobLink(attempt.jobId)}`;
  const way = html`${attempt.channel} through ${attempt.provider}`;
  switch (event) {
    case 'opened':
      return { tone: 'running', text: html`${name}: ${way} began` };
    case 'closed':
      return {
        tone: attempt.outcome ?? 'open',
        text: html`${name}: ${way} ${state(attempt.outcome ?? 'open')}
          <span class="note"
            >${attempt.reason} ${attempt.latencyMs !== null && `after ${attempt.latencyMs} ms`}</span
          >`,
      };
    case 'delivery':
      return {
        tone: attempt.delivery ?? 'open',
        text: html`${name}: ${attempt.provider} reports ${state(attempt.delivery ?? 'open')}
          <span class="note">${attempt.deliveryReason}</span>`,
      };
  }
}
