import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Project } from '../bench/support/seed.ts';
import { dice } from './support/dice.ts';
import { type MessageStage, onMessageStage } from './support/message-stage.ts';

export interface PausesRun {
  readonly seed: number;
  readonly recipients: number;
  /** Pauses and resumes, at random moments. */
  readonly commands: number;
  /** In place of the last resume. */
  readonly cancel: boolean;
  readonly directory: string;
}

export interface PausesReport extends Omit<PausesRun, 'directory'> {
  readonly told: number;
  readonly cancelled: number;
  /** Recipients told more than once, each of whom a kill struck in its open attempt. */
  readonly struckTwice: number;
  readonly seconds: number;
  readonly problems: readonly string[];
}

/** Messages while one command is given, on a calm machine: slow enough that many are waiting when the last command comes. */
const MESSAGES_PER_COMMAND = 1;
const COMMANDS_PER_SECOND = 13;
const PAUSE_MS_MAX = 40;
const FIRST_CHAT = 1_000_000;
const SETTLED_WITHIN_MS = 180_000;

/** A broadcast under pauses, resumes and kills, with two schedulers: every recipient is told once, and its end is final. */
export function runPauses(run: PausesRun): Promise<PausesReport> {
  const perCommand = (run.recipients / run.commands / 2) * MESSAGES_PER_COMMAND;
  const messagesPerSecond = Math.max(4, Math.ceil(perCommand * COMMANDS_PER_SECOND));
  return onMessageStage({ directory: run.directory, projects: 1, messagesPerSecond }, async (ground) => {
    const [project] = ground.projects;
    if (!project) throw new Error('no project');
    await addEndpoint(ground, project);
    const startedMs = performance.now();
    const to = Array.from({ length: run.recipients }, (_, n) => ({ chat_id: FIRST_CHAT + n }));
    const { status, body } = await ground.call(project, 'POST', '/telegram/send', { to, text: 'salom' });
    if (status !== 202) throw new Error(`the broadcast was answered ${status}`);
    await disturb(ground, project, body.id, run);
    await ground.call(project, 'POST', `/broadcasts/${body.id}/${run.cancel ? 'cancel' : 'resume'}`);
    await untilFinished(ground, project, body.id);
    const seconds = (performance.now() - startedMs) / 1_000;
    const { directory: _, ...given } = run;
    return { ...given, seconds, ...(await judge(ground, project, body.id, run)) };
  });
}

/** It is called by nobody: what it would have heard stands in its events. */
async function addEndpoint({ stage }: MessageStage, { id }: Project): Promise<void> {
  await stage.sql.query(
    `insert into webhook_endpoint (id, project_id, mode, url, host, event_types, created_at, updated_at)
     values ($1, $2, 'live', 'http://127.0.0.1:9/', '127.0.0.1:9', '{broadcast.finished}', now(), now())`,
    [randomUUID(), id],
  );
}

/** Random pauses and resumes, now and then two at once; a worker and a scheduler are killed on the way. */
async function disturb(ground: MessageStage, project: Project, id: string, run: PausesRun): Promise<void> {
  const chance = dice(run.seed);
  const kills = new Map([
    [chance.whole(run.commands / 5, run.commands / 2), 'worker'],
    [chance.whole(run.commands / 2, (run.commands * 4) / 5), 'sweep-1'],
  ] as const);
  const starting: Promise<void>[] = [];
  for (let n = 0; n < run.commands; n++) {
    const victim = kills.get(n);
    if (victim) {
      ground.kill(victim);
      starting.push(ground.start(victim));
    }
    const command = (name: string) => ground.call(project, 'POST', `/broadcasts/${id}/${name}`);
    const first = n % 2 === 0 ? 'pause' : 'resume';
    if (chance.unit() < 0.1) await Promise.all([command('pause'), command('resume')]);
    else await command(first);
    await sleep(chance.whole(0, PAUSE_MS_MAX));
  }
  await Promise.all(starting);
}

async function untilFinished(ground: MessageStage, project: Project, id: string): Promise<void> {
  const deadline = performance.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const { body } = await ground.call(project, 'GET', `/broadcasts/${id}`);
    if (body.finished_at !== null) return;
    if (performance.now() > deadline) return;
    await sleep(200);
  }
}

interface JobRow {
  readonly chat_id: string;
  readonly state: string;
  readonly struck: boolean;
}

async function judge(ground: MessageStage, project: Project, id: string, run: PausesRun) {
  const { rows } = await ground.stage.sql.query<JobRow>(
    `select chat_id, state, exists (select from attempt a where a.job_id = j.id and a.outcome = 'unknown') struck
     from job j where subject_id = $1`,
    [id],
  );
  const told = new Map<string, number>();
  for (const { to } of await ground.messages()) told.set(to, (told.get(to) ?? 0) + 1);
  const problems = rows.flatMap((job) => faultOf(job, told.get(job.chat_id) ?? 0, run.cancel) ?? []);
  const { body } = await ground.call(project, 'GET', `/broadcasts/${id}`);
  const { rows: events } = await ground.stage.sql.query<{ data: Record<string, unknown> }>(
    `select data from webhook_event where subject_id = $1 and type = 'broadcast.finished'`,
    [id],
  );
  const counts = JSON.stringify(body.progress);
  if (body.finished_at === null) problems.push(`it is not finished: ${counts}`);
  if (events.length !== 1) problems.push(`its end was told ${events.length} times`);
  for (const [name, count] of Object.entries(body.progress))
    if (events[0]?.data[name] !== count) problems.push(`the event and the API differ in ${name}: ${counts}`);
  if (body.progress.waiting !== 0) problems.push(`somebody waits: ${counts}`);
  const completed = rows.filter(({ state }) => state === 'completed').length;
  if (completed !== body.progress.sent) problems.push(`${completed} were sent, and counted: ${counts}`);
  return {
    told: told.size,
    cancelled: body.progress.cancelled,
    struckTwice: [...told.values()].filter((times) => times > 1).length,
    problems: problems.slice(0, 20),
  };
}

/** A kill may repeat the message that it struck, or leave unknown whether it left. */
function faultOf({ chat_id, state, struck }: JobRow, times: number, cancel: boolean): string | null {
  if (times > (struck ? 2 : 1)) return `${chat_id} was told ${times} times`;
  if (state === 'completed' && times === 0) return `${chat_id} counts as sent, and was not told`;
  if (state === 'completed' || struck) return null;
  if (state === 'cancelled' && cancel)
    return times === 0 ? null : `${chat_id} counts as cancelled, and was told`;
  return `${chat_id} is ${state}, told ${times} times`;
}
