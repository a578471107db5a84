import { Router } from 'express';
import { z } from 'zod';
import type { AuditLine } from '../../../domain/staff/audit.ts';
import { answer, optional, read, Text } from '../answer.ts';
import { type Html, html } from '../html.ts';
import { page } from '../layout.ts';
import { sessionOf } from '../session.ts';
import { cursorOf, link, PageQuery, readCursor } from './filter.ts';
import { column, none, pager, panel, table, when } from './components.ts';
import type { OpsParts } from './parts.ts';

const Query = PageQuery.extend({ actor: optional(Text), action: optional(Text), subject: optional(Text) });
/** Ids of audit rows count up from 1. */
const Cursor = z.string().regex(/^\d{1,18}$/, 'expected the cursor of a page of the audit');

export function auditRoutes(parts: OpsParts): Router {
  return Router().get('/', async (req, res) => {
    const { limit, cursor, ...filter } = read(Query, req.query);
    const after = readCursor(cursor, Cursor);
    const found = await parts.audit.page(filter, limit + 1, after);
    const lines = found.slice(0, limit);
    const last = lines.at(-1);
    const next = found.length > limit && last ? cursorOf(last.id) : null;
    answer(req, res, { data: lines, nextCursor: next }, () =>
      page({
        title: 'Audit',
        tab: '/ops/audit',
        session: sessionOf(res),
        body: html`<div class="head"><h1>Audit</h1></div>
          <section class="panel">
            <form class="row body" method="get" action="/ops/audit">
              <label>Who<input name="actor" value="${filter.actor}" /></label>
              <label>Action<input name="action" value="${filter.action}" /></label>
              <label>Subject<input name="subject" value="${filter.subject}" /></label>
              <button class="primary">Show</button> <a class="button" href="/ops/audit">Clear</a>
            </form>
          </section>
          ${panel('Newest first', 'commands done and refused, and every login', [
            auditTable(lines),
            pager(
              after && link('/ops/audit', filter),
              next && link('/ops/audit', { ...filter, cursor: next }),
            ),
          ])}`,
      }),
    );
  });
}

export function auditTable(lines: readonly AuditLine[]): Html {
  return table(
    [column('At'), column('Who'), column('Action'), column('Subject'), column('Outcome'), column('Detail')],
    lines.map((line) => {
      const { outcome, ...detail } = line.detail;
      return html`<tr>
        <td class="tight">${when(line.at)}</td>
        <td class="tight">${line.actor}</td>
        <td class="tight">${line.action}</td>
        <td class="wide mono">${subjectLink(line)}</td>
        <td>
          ${outcome === 'refused' ? html`<span class="state rejected">refused</span>` : html`<span class="state completed">done</span>`}
        </td>
        <td class="wide mono">${Object.keys(detail).length === 0 ? none : JSON.stringify(detail)}</td>
      </tr>`;
    }),
    'Nothing was done.',
  );
}

const subjectLink = ({ action, subject }: AuditLine) =>
  action.startsWith('job.') ? html`<a href="/ops/jobs/${subject}">${subject}</a>` : subject;
