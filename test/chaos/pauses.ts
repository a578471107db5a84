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
  /** Recipients whose attempt was open, at the provider, as the worker was killed; and those of them who were told twice. */
  readonly struck: number;
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
    const struck = await disturb(ground, project, body.id, run);
    await ground.call(project, 'POST', `/broadcasts/${body.id}/${run.cancel ? 'cancel' : 'resume'}`);
    await untilFinished(ground, project, body.id);
    const seconds = (performance.now() - startedMs) / 1_000;
    const { directory: _, ...given } = run;
    return {
      ...given,
      seconds,
      ...(await readVerdict(ground, project, { id: body.id, struck, cancel: run.cancel })),
    };
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

/** Kills of the worker while the provider is silent: the message has left, or has not. */
const SILENCES = ['hang-after', 'hang-before', 'hang-after'] as const;
/** As many calls hang as the worker makes at a time. */
const HANGING = 4;
/** An attempt that is open for so long hangs at the provider: else it takes some milliseconds. Its time-out is 10 s. */
const OPEN_MS = 500;
/** What the dead worker had on its way to Postgres is done by then. */
const SETTLED_MS = 500;
const HANGS_WITHIN_MS = 30_000;

/**
 * Random pauses and resumes, now and then two at once; the worker is killed with attempts open, and a scheduler, on the way.
 *
 * @returns the jobs whose attempts were open.
 */
async function disturb(
  ground: MessageStage,
  project: Project,
  id: string,
  run: PausesRun,
): Promise<ReadonlySet<string>> {
  const chance = dice(run.seed);
  const moment = (share: number) => Math.floor(run.commands * (share + chance.unit() / 10));
  const kills = new Map(SILENCES.map((silence, n) => [moment(0.1 + n * 0.2), () => strike(ground, silence)]));
  kills.set(moment(0.7), async () => {
    ground.kill('reconciler-1');
    await ground.start('reconciler-1');
    return [];
  });
  // One after the other, beside the commands.
  let killing: Promise<readonly string[]> = Promise.resolve([]);
  for (let n = 0; n < run.commands; n++) {
    const kill = kills.get(n);
    if (kill) killing = killing.then(async (struck) => [...struck, ...(await kill())]);
    const command = (name: string) => ground.call(project, 'POST', `/broadcasts/${id}/${name}`);
    const first = n % 2 === 0 ? 'pause' : 'resume';
    if (chance.unit() < 0.1) await Promise.all([command('pause'), command('resume')]);
    else await command(first);
    await sleep(chance.whole(0, PAUSE_MS_MAX));
  }
  return new Set(await killing);
}

/** The provider falls silent, the worker is killed while it waits for it, and another one starts. */
async function strike(ground: MessageStage, effect: (typeof SILENCES)[number]): Promise<readonly string[]> {
  await ground.orderFaults({ effect, times: HANGING });
  const deadline = performance.now() + HANGS_WITHIN_MS;
  while ((await openFor(ground, OPEN_MS)).length === 0) {
    if (performance.now() > deadline) throw new Error('no attempt hangs at the provider');
    await sleep(50);
  }
  ground.kill('worker');
  await sleep(SETTLED_MS);
  const struck = await openFor(ground, 0);
  await ground.endFaults();
  await ground.start('worker');
  return struck;
}

async function openFor({ stage }: MessageStage, ms: number): Promise<readonly string[]> {
  const { rows } = await stage.sql.query<{ job_id: string }>(
    `select job_id from attempt where outcome is null and opened_at < now() - $1 * interval '1 ms'`,
    [ms],
  );
  return rows.map(({ job_id }) => job_id);
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
  readonly id: string;
  readonly chat_id: string;
  readonly state: string;
}

interface Evidence {
  readonly id: string;
  readonly struck: ReadonlySet<string>;
  readonly cancel: boolean;
}

async function readVerdict(ground: MessageStage, project: Project, { id, struck, cancel }: Evidence) {
  const { rows } = await ground.stage.sql.query<JobRow>(
    `select id, chat_id, state from job where subject_id = $1`,
    [id],
  );
  const told = new Map<string, number>();
  for (const { to } of await ground.messages()) told.set(to, (told.get(to) ?? 0) + 1);
  const problems = rows.flatMap(
    (job) => faultOf({ ...job, struck: struck.has(job.id) }, told.get(job.chat_id) ?? 0, cancel) ?? [],
  );
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
  if (struck.size < SILENCES.length) problems.push(`only ${struck.size} open attempts were struck`);
  const completed = rows.filter(({ state }) => state === 'completed').length;
  if (completed !== body.progress.sent) problems.push(`${completed} were sent, and counted: ${counts}`);
  return {
    told: told.size,
    cancelled: body.progress.cancelled,
    struck: struck.size,
    struckTwice: [...told.values()].filter((times) => times > 1).length,
    problems: problems.slice(0, 20),
  };
}

/** A kill may repeat the message that it struck, or leave unknown whether it left. */
function faultOf(
  { chat_id, state, struck }: JobRow & { struck: boolean },
  times: number,
  cancel: boolean,
): string | null {
  if (times > (struck ? 2 : 1)) return `${chat_id} was told ${times} times`;
  if (state === 'completed' && times === 0) return `${chat_id} counts as sent, and was not told`;
  if (state === 'completed' || struck) return null;
  if (state === 'cancelled' && cancel)
    return times === 0 ? null : `${chat_id} counts as cancelled, and was told`;
  return `${chat_id} is ${state}, told ${times} times`;
}
