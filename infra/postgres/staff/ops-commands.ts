import type { Pool, PoolClient } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import {
  definitionOf,
  type JobCommand,
  type QueueCommand,
  staffMay,
} from '../../../domain/job/define-job.ts';
import { EntryLabels, isFinal, type JobState, jobStates } from '../../../domain/job/job.ts';
import { JobId } from '../../../domain/shared/ids.ts';
import {
  type CommandRefusal,
  type CommandResult,
  RETRY_RUN_MAX,
  retriableStates,
  type RetryPreview,
  type RetryRun,
  type StaffCommands,
} from '../../../domain/staff/command.ts';
import { permanentReasons } from '../../../domain/reasons.ts';
import type { JobFilter } from '../../../domain/staff/ops.ts';
import type { StaffOpening } from '../../../domain/telegram/chat.ts';
import type { StaffMember } from '../../../domain/staff/port.ts';
import { countFinished } from '../../process/metrics.ts';
import { openChat } from '../telegram/chats.ts';
import { writeAudit } from './audit.ts';
import { inTransaction } from '../engine/transaction.ts';
import { jobConditions, type Parameters, parameters } from '../job/filter.ts';
import { type Kinds, waitsUntil } from '../job/settle.ts';

/** What a job that is tried again gets at least, where its subject waits as long: all its tries with their back-off. */
const RETRY_DEADLINE_MINUTES = 10;
/** A person waits for the answer; a batch of queue entries takes some 50 ms. */
const TELL_TIMEOUT_MS = 2_000;
/** Rows of one commit of a filtered retry: short locks, and one pipeline of queue entries. */
const RETRY_BATCH_SIZE = 500;

const EntryRow = z.object({ id: JobId, kind: z.string(), labels: EntryLabels, runAt: z.date() });
export type EntryRow = z.infer<typeof EntryRow>;

/** What a command asks of the queues after its commit. Each call may be repeated; where one fails, the reconciler makes it good. */
export interface StaffEntries {
  /** Adds queue entries again; whatever the queue still keeps under their ids goes first. */
  reissue(rows: readonly EntryRow[]): Promise<void>;
  /** Wakes a sleeping queue entry. One that is gone is not missed here. */
  promote(kind: string, id: JobId): Promise<void>;
  /** Takes a queue entry away unless a worker holds it: that worker finds the row finished. */
  remove(kind: string, id: JobId): Promise<void>;
  pause(kind: string): Promise<void>;
  resume(kind: string): Promise<void>;
}

/** Starts a finished row afresh: the attempts that it has stay and decide nothing, and the next one counts on from them. */
const reopen = (kinds: Kinds, now: string) => `
  state = 'queued', reason = null, finished_at = null, run_at = ${now}, attempts_before = attempts,
  deadline_at = least(greatest(deadline_at, ${now}::timestamptz + interval '${RETRY_DEADLINE_MINUTES} minutes'), ${waitsUntil(kinds, now)})`;

const entryColumns = 'job.id, job.kind, job.labels, job.run_at as "runAt"';

export function opsCommands(
  pool: Pool,
  kinds: Kinds,
  desk: StaffEntries,
  onPending: (error: unknown) => void,
): StaffCommands {
  /** Redis away costs the command nothing: its row stands, and the reconciler brings the queue in line. */
  const tell = async (work: () => Promise<void>): Promise<boolean> => {
    try {
      await inTime(work());
      return true;
    } catch (error) {
      onPending(error);
      return false;
    }
  };
  const context: Context = { pool, kinds, desk, tell };
  return {
    job: (command, id, by, now) => commandJob(context, command, id, by, now),
    queue: (command, kind, by, why, now) => commandQueue(context, { command, kind, by, why }, now),
    openChat: (chatId, by, why, now) => commandChat(context, { chatId, by, why }, now),
    previewRetry: (filter, now) => previewRetry(context, filter, now),
    retryAll: (filter, by, now) => retryAll(context, filter, by, now),
  };
}

/** BullMQ waits without end for a Redis that was never there. What still happens later does no harm: it may be repeated. */
function inTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('the queue did not answer in time')), TELL_TIMEOUT_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

interface Context {
  readonly pool: Pool;
  readonly kinds: Kinds;
  readonly desk: StaffEntries;
  readonly tell: (work: () => Promise<void>) => Promise<boolean>;
}

async function commandJob(
  { pool, kinds, desk, tell }: Context,
  command: JobCommand,
  id: JobId,
  by: StaffMember,
  now: Date,
): Promise<CommandResult> {
  const outcome = await inTransaction(pool, async (client) => {
    const changed = await changeRow(client, kinds, { command, id }, now);
    const detail =
      'refused' in changed ? { outcome: 'refused', reason: changed.refused } : { outcome: 'done' };
    await writeAudit(client, { by, action: `job.${command}`, subject: id, detail });
    return changed;
  });
  if ('refused' in outcome) return { done: false, reason: outcome.refused };
  const { row, outboxId } = outcome;
  if (command === 'cancel') countFinished(row.kind, 'cancelled', 1);
  const toldBy: Record<JobCommand, () => Promise<void>> = {
    retry: () => publish(pool, desk, [row], outboxId, now),
    promote: () => desk.promote(row.kind, row.id),
    cancel: () => desk.remove(row.kind, row.id),
  };
  return { done: true, told: await tell(toldBy[command]) };
}

type Changed =
  | { readonly row: EntryRow; readonly outboxId: string | null }
  | { readonly refused: CommandRefusal };

async function changeRow(
  client: PoolClient,
  kinds: Kinds,
  { command, id }: { readonly command: JobCommand; readonly id: JobId },
  now: Date,
): Promise<Changed> {
  const subject = kinds.settles[await kindOf(client, id)]?.staff;
  // Subject before job, as everybody locks them.
  if (subject) await client.query(subject.lock, [id]);
  const found = await client.query(
    `select kind, state, ${waitsUntil(kinds, '$2')} is not null as waiting from job where id = $1 for update`,
    [id, now],
  );
  const refused = refusalOf(kinds, command, Standing.optional().parse(found.rows[0]));
  if (refused) return { refused };

  if (command === 'cancel' && subject) await client.query(subject.cancel, [id, now]);
  const { rows } = await client.query(statements(kinds)[command], [id, now]);
  const row = EntryRow.parse(rows[0]);
  return { row, outboxId: command === 'retry' ? await enterOutbox(client, [row.id], now) : null };
}

/** A job never changes its kind. */
async function kindOf(client: PoolClient, id: JobId): Promise<string> {
  const { rows } = await client.query('select kind from job where id = $1', [id]);
  return z.object({ kind: z.string() }).optional().parse(rows[0])?.kind ?? '';
}

const Standing = z.object({ kind: z.string(), state: z.enum(jobStates), waiting: z.boolean() });

function refusalOf(
  { jobs }: Kinds,
  command: JobCommand,
  job: z.infer<typeof Standing> | undefined,
): CommandRefusal | null {
  if (!job || !definitionOf(jobs, job.kind)) return 'unknown-job';
  if (!staffMay(jobs, job.kind, command)) return 'kind-forbids';
  if (command !== 'retry') return isFinal(job.state) ? 'already-finished' : null;
  if (!isRetriable(job.state)) return 'not-retriable';
  return job.waiting ? null : 'subject-closed';
}

const isRetriable = (state: JobState) => retriableStates.some((retriable) => retriable === state);

/** Each takes the job's id and the time, and answers its queue entry. The row is locked and was found to allow it. */
const statements = (kinds: Kinds): Record<JobCommand, string> => ({
  retry: `update job set ${reopen(kinds, '$2')} where id = $1 returning ${entryColumns}`,
  promote: `update job set run_at = least(run_at, $2) where id = $1 returning ${entryColumns}`,
  cancel: `update job set state = 'cancelled', reason = 'cancelled-by-staff', finished_at = $2 where id = $1 returning ${entryColumns}`,
});

interface QueueOrder {
  readonly command: QueueCommand;
  readonly kind: string;
  readonly by: StaffMember;
  readonly why: string | null;
}

/** The row outlives Redis: the reconciler pauses the queue again after a wipe. */
async function commandQueue(
  { pool, kinds, desk, tell }: Context,
  { command, kind, by, why }: QueueOrder,
  now: Date,
): Promise<CommandResult> {
  const refused = staffMay(kinds.jobs, kind, command) ? null : 'kind-forbids';
  await inTransaction(pool, async (client) => {
    if (!refused)
      await client.query(queueStatements[command], command === 'pause' ? [kind, now, by.email, why] : [kind]);
    const detail = {
      ...(refused ? { outcome: 'refused', reason: refused } : { outcome: 'done' }),
      ...(why ? { why } : {}),
    };
    await writeAudit(client, { by, action: `queue.${command}`, subject: kind, detail });
  });
  if (refused) return { done: false, reason: refused };
  return { done: true, told: await tell(() => desk[command](kind)) };
}

const queueStatements: Record<QueueCommand, string> = {
  // A second pause keeps the name and the time of the first.
  pause: `insert into queue (kind, paused_at, paused_by, paused_reason) values ($1, $2, $3, $4)
    on conflict (kind) do update set paused_at = coalesce(queue.paused_at, excluded.paused_at),
                                     paused_by = coalesce(queue.paused_by, excluded.paused_by),
                                     paused_reason = coalesce(queue.paused_reason, excluded.paused_reason)`,
  resume: `insert into queue (kind) values ($1) on conflict (kind) do update set paused_at = null, paused_by = null, paused_reason = null`,
};

function commandChat(
  { pool }: Context,
  { chatId, by, why }: { readonly chatId: string; readonly by: StaffMember; readonly why: string },
  now: Date,
): Promise<StaffOpening> {
  return inTransaction(pool, async (client) => {
    const opening = await openChat(client, chatId, now);
    const outcome = opening === 'opened' ? { outcome: 'done' } : { outcome: 'refused', reason: opening };
    await writeAudit(client, { by, action: 'chat.open', subject: chatId, detail: { ...outcome, why } });
    return opening;
  });
}

const PreviewLine = z.object({
  state: z.string(),
  reason: z.string().nullable(),
  jobs: z.int(),
  retriable: z.int(),
  isPermanent: z.boolean(),
});

async function previewRetry({ pool, kinds }: Context, filter: JobFilter, now: Date): Promise<RetryPreview> {
  const bound = parameters();
  const where = retryConditions(kinds, filter, bound);
  const isPermanent = permanentCondition(filter, bound);
  const { rows } = await pool.query(
    `select state, reason, "isPermanent", count(*)::int as jobs, count(*) filter (where waiting and not "isPermanent")::int as retriable
       from (select job.state, job.reason, ${isPermanent} as "isPermanent", ${waitsUntil(kinds, bound.put(now))} is not null as waiting
               from job where ${where}) found
      group by state, reason, "isPermanent"
      order by jobs desc, reason`,
    bound.values,
  );
  const byReason = PreviewLine.array().parse(rows);
  return {
    matching: byReason.reduce((sum, line) => sum + line.jobs, 0),
    retriable: byReason.reduce((sum, line) => sum + line.retriable, 0),
    permanent: byReason.reduce((sum, line) => sum + (line.isPermanent ? line.jobs : 0), 0),
    byReason,
  };
}

/** Batches until nothing is left or the bound of one run is reached; what one batch committed stands whatever follows. */
async function retryAll(
  { pool, kinds, desk, tell }: Context,
  filter: JobFilter,
  by: StaffMember,
  now: Date,
): Promise<RetryRun> {
  const runId = uuidv7();
  let told = true;
  let retried = 0;
  let after: JobId | null = null;
  while (retried < RETRY_RUN_MAX) {
    const batch = await inTransaction(pool, async (client) => {
      const rows = await reopenBatch(client, kinds, { filter, after }, now);
      if (rows.length === 0) return null;
      const detail = { outcome: 'done', run: runId, jobs: rows.length, filter };
      await writeAudit(client, { by, action: 'jobs.retry', subject: filter.kind ?? 'every kind', detail });
      return {
        rows,
        outboxId: await enterOutbox(
          client,
          rows.map(({ id }) => id),
          now,
        ),
      };
    });
    if (!batch) return { runId, retried, more: false, told };
    retried += batch.rows.length;
    after = batch.rows.at(-1)?.id ?? null;
    // A Redis that did not answer once is not waited for again: the reconciler has all of it in its outbox.
    told = told && (await tell(() => publish(pool, desk, batch.rows, batch.outboxId, now)));
  }
  return { runId, retried, more: true, told };
}

/** Oldest first. A row that somebody else holds at this moment is left to them. */
async function reopenBatch(
  client: PoolClient,
  kinds: Kinds,
  { filter, after }: { readonly filter: JobFilter; readonly after: JobId | null },
  now: Date,
): Promise<EntryRow[]> {
  const bound = parameters();
  const at = bound.put(now);
  const where = retryConditions(kinds, filter, bound);
  const permanent = permanentCondition(filter, bound);
  const newer = after ? `and job.id > ${bound.put(after)}` : '';
  const { rows } = await client.query(
    `with picked as (
       select job.id from job
        where ${where} ${newer} and not ${permanent} and ${waitsUntil(kinds, at)} is not null
        order by job.id
        limit ${RETRY_BATCH_SIZE}
        for update skip locked)
     update job set ${reopen(kinds, at)} from picked where job.id = picked.id
     returning ${entryColumns}`,
    bound.values,
  );
  return EntryRow.array()
    .parse(rows)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** True of what a retry cannot help, unless staff named its reason: then they have changed what was wrong. */
const permanentCondition = (filter: JobFilter, bound: Parameters): string =>
  filter.reason || filter.text
    ? 'false'
    : `coalesce(job.reason = any(${bound.put(permanentReasons)}), false)`;

function retryConditions({ jobs }: Kinds, filter: JobFilter, bound: Parameters): string {
  const states = (filter.states ?? retriableStates).filter(isRetriable);
  const retried = Object.keys(jobs).filter((kind) => staffMay(jobs, kind, 'retry'));
  return `${jobConditions({ ...filter, states }, bound)} and job.kind = any(${bound.put(retried)})`;
}

/** A crash before the queue entries are out is found by the reconciler: it publishes what stands here unpublished. */
async function enterOutbox(client: PoolClient, ids: readonly JobId[], now: Date): Promise<string> {
  const { rows } = await client.query('insert into outbox (job_ids, at) values ($1, $2) returning id::text', [
    ids,
    now,
  ]);
  return z.object({ id: z.string() }).parse(rows[0]).id;
}

async function publish(
  pool: Pool,
  desk: StaffEntries,
  rows: readonly EntryRow[],
  outboxId: string | null,
  now: Date,
): Promise<void> {
  await desk.reissue(rows);
  await pool.query('update outbox set published_at = $2 where id = $1', [outboxId, now]);
}
