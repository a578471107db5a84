import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { type JobKind, jobKinds } from '../../../domain/jobs.ts';
import { allows, type LaneCommand, laneCommands } from '../../../domain/staff/command.ts';
import type { LaneLine } from '../../../domain/staff/ops.ts';
import { may } from '../../../domain/staff/policy.ts';
import { sendJson } from '../../http/answer.ts';
import { Problem } from '../../http/problem.ts';
import { answer, wantsJson, wire } from '../answer.ts';
import { type Html, html } from '../html.ts';
import { formToken, type Notice, page } from '../layout.ts';
import { refusalWords } from '../refusal.ts';
import { type Visit, visitOf } from '../visit.ts';
import { link } from './filter.ts';
import { column, none, panel, table, when } from './look.ts';
import type { OpsParts } from './parts.ts';

const Kind = z.enum(jobKinds as [JobKind, ...JobKind[]]);

export function laneRoutes(parts: OpsParts): Router {
  const router = Router().get('/', async (req, res) => {
    const lanes = everyLane(await parts.queries.lanes());
    answer(req, res, { data: lanes, nextCursor: null }, () =>
      lanesPage(visitOf(res), lanes, req.query['notice']),
    );
  });
  for (const command of laneCommands)
    router.post(`/:kind/${command}`, (req, res) => carryOut(parts, command, req, res));
  return router;
}

/** A lane has a row only once it was paused; before that it runs. */
const everyLane = (lines: readonly LaneLine[]) =>
  jobKinds.map(
    (kind) => lines.find((line) => line.kind === kind) ?? { kind, pausedAt: null, pausedBy: null },
  );

function lanesPage(visit: Visit, lanes: readonly LaneLine[], notice: unknown): Html {
  return page({
    title: 'Lanes',
    tab: '/ops/lanes',
    visit,
    notice,
    body: html`<div class="head"><h1>Lanes</h1></div>
      ${panel('One lane for each kind', 'a pause has a row, and outlives a wipe of Redis', laneTable(visit, lanes))}`,
  });
}

function laneTable(visit: Visit, lanes: readonly LaneLine[]): Html {
  return table(
    [column('Kind'), column('Now'), column('Paused since'), column('By'), column('')],
    lanes.map(
      (lane) =>
        html`<tr>
          <th scope="row">
            <a href="${link('/ops/jobs', { kind: lane.kind, state: 'accepted' })}">${lane.kind}</a>
          </th>
          <td>
            ${lane.pausedAt ? html`<span class="tag paused">paused</span>` : html`<span class="tag">runs</span>`}
          </td>
          <td class="tight">${when(lane.pausedAt)}</td>
          <td>${lane.pausedBy ?? none}</td>
          <td class="num">${laneForm(visit, lane)}</td>
        </tr>`,
    ),
    '',
  );
}

function laneForm(visit: Visit, { kind, pausedAt }: LaneLine): Html | null {
  const command: LaneCommand = pausedAt ? 'resume' : 'pause';
  if (!may(visit.staff.role, `lane.${command}`) || !allows(kind as JobKind, command)) return null;
  return html`<form class="inline" method="post" action="/ops/lanes/${kind}/${command}">
    ${formToken(visit)}
    <button class="${command === 'pause' ? 'danger' : 'primary'}">
      ${command === 'pause' ? 'Pause' : 'Resume'}
    </button>
  </form>`;
}

const noticeOf: Record<LaneCommand, Notice> = { pause: 'paused', resume: 'resumed' };

async function carryOut(parts: OpsParts, command: LaneCommand, req: Request, res: Response): Promise<void> {
  const kind = Kind.safeParse(req.params['kind']);
  if (!kind.success) throw new Problem(404, 'not-found', 'There is no such lane.');
  const result = await parts.commands.lane(command, kind.data, visitOf(res).staff, parts.clock());
  if (!result.done) {
    const { status, sentence } = refusalWords[result.reason];
    throw new Problem(status, result.reason, sentence);
  }
  if (wantsJson(req)) sendJson(res, 200, wire(result));
  else res.redirect(303, link('/ops/lanes', { notice: result.told ? noticeOf[command] : 'untold' }));
}
