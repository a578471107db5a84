import { setImmediate as nextTurn } from 'node:timers/promises';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type {
  BroadcastAccepted,
  BroadcastAnswer,
  BroadcastId,
  BroadcastIntake,
  BroadcastKind,
  BroadcastOrder,
} from '../../../../domain/message/broadcast/broadcast.ts';
import { rankOf } from '../../../../domain/job/priority.ts';
import type { KeyedHash, Encryption } from '../../../process/crypto.ts';
import { countFinished, criticalMessages } from '../../../process/metrics.ts';
import { batcher } from '../../engine/batcher.ts';
import { inTwoPhases } from '../../engine/hot-pool.ts';
import { Facts, readFacts } from './intake-facts.ts';
import { tokenHashes } from './token-hashes.ts';
import { reach, type Reachable, type Reached, TARGETS_A_TURN } from './reach.ts';

/** Orders of so few recipients share a commit; a larger one has its own. */
const SMALL_ORDER = 10;
const BATCH_MAX = 100;
const BATCHES_IN_FLIGHT_MAX = 2;
export interface BroadcastIntakeDeps {
  readonly pool: pg.Pool;
  readonly hash: KeyedHash;
  readonly encryption: Encryption;
  readonly now: () => Date;
  /** Writes who passes what people switched off, and for how many, in the commit of the message; without it nobody may. */
  readonly audit?: (tx: pg.PoolClient, critical: CriticalMessage, now: Date) => Promise<unknown>;
}

export interface CriticalMessage {
  readonly keyId: string;
  readonly slug: string;
  readonly broadcastId: BroadcastId;
  readonly kind: BroadcastKind;
  readonly category: string;
  readonly recipients: number;
  readonly requestId: string;
}

/** The intake of messages: a broadcast and its jobs in one commit. The jobs wait for their turn; the scheduler issues the queue entries. */
export function broadcastIntake(deps: BroadcastIntakeDeps): BroadcastIntake {
  const run = (orders: readonly BroadcastOrder[]) =>
    acceptAll(deps, orders).catch((error: unknown) => {
      // Another process was first with a key of ours, after we had looked: the second look finds its answer.
      if (isTakenKey(error)) return acceptAll(deps, orders);
      throw error;
    });
  const small = batcher({ name: 'messages', sizeMax: BATCH_MAX, inFlightMax: BATCHES_IN_FLIGHT_MAX, run });
  const large = batcher({ name: 'broadcasts', sizeMax: 1, inFlightMax: BATCHES_IN_FLIGHT_MAX, run });
  return { accept: (order) => (order.targets.length > SMALL_ORDER ? large(order) : small(order)) };
}

const keyConstraints: ReadonlySet<string | undefined> = new Set([
  'request_pkey',
  'broadcast_project_id_mode_kind_dedupe_key_key',
]);
const isTakenKey = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && keyConstraints.has(error.constraint);

async function acceptAll(
  deps: BroadcastIntakeDeps,
  orders: readonly BroadcastOrder[],
): Promise<BroadcastAccepted[]> {
  const now = deps.now();
  const hashes = await tokenHashes(deps.hash, orders);
  const { answers, written: done } = await inTwoPhases(
    deps.pool,
    (client) => readFacts(client, { orders, hashes: [...hashes.values()] }, now),
    async ([requests, dedupes, recipients, urgent, holders], client) => {
      const facts = new Facts(requests.rows, dedupes.rows, recipients.rows, urgent.rows);
      facts.learnHolders(hashes, holders.rows);
      const written: Written[] = [];
      const answerTo = async (order: BroadcastOrder): Promise<BroadcastAccepted> => {
        const earlier = facts.earlier(order);
        if (earlier) return earlier;
        const targets = await reach({ ...deps, tokenHashes: hashes }, facts, order);
        if ('kind' in targets) return targets;
        const tooMany = facts.tooManyUrgent(order, now);
        if (tooMany) return tooMany;
        const planned = plan(order, targets);
        facts.remember(order, planned.answer);
        written.push({ order, planned });
        return { kind: 'accepted', replayed: false, ...planned.answer };
      };
      const answers: BroadcastAccepted[] = [];
      // One after the other: each sees what those before it have added.
      for (const order of orders) answers.push(await answerTo(order));
      return { sent: await writeAll(deps, client, written, now), out: { answers, written } };
    },
  );
  done.forEach(count);
  return answers;
}

/** Once it is committed. A test key's jobs are finished as they are written, and reach nobody. */
function count({ order, planned }: Written): void {
  const jobs = planned.targets.length;
  if (order.caller.mode === 'test') countFinished(order.kind, 'completed', jobs);
  else if (order.category?.criticalBy) criticalMessages.inc({ kind: order.kind }, jobs);
}

interface Planned {
  readonly answer: BroadcastAnswer;
  readonly targets: readonly Reached[];
}

function plan({ targets: named }: BroadcastOrder, { targets, duplicates }: Reachable): Planned {
  const jobId = targets.length === 1 ? (targets[0]?.jobId ?? null) : null;
  const counts = { named: named.length, duplicates, total: targets.length };
  return { answer: { id: uuidv7() as BroadcastId, ...counts, jobId }, targets };
}

interface Written {
  readonly order: BroadcastOrder;
  readonly planned: Planned;
}

/**
 * All statements of a batch, sent at once. Chats come first and turns last, each in one sorted statement, so that two batches,
 * or a batch and a resume, never wait for each other in a circle.
 */
async function writeAll(
  deps: BroadcastIntakeDeps,
  client: pg.PoolClient,
  written: readonly Written[],
  now: Date,
): Promise<Promise<unknown>[]> {
  const live = written.filter(({ order }) => order.caller.mode === 'live');
  const chats = live.flatMap(({ order, planned }) =>
    planned.targets.flatMap(({ chatId }) =>
      chatId === null
        ? []
        : {
            project_id: order.caller.projectId,
            chat_id: chatId,
            next_at: order.sendAt,
            priority: rankOf(order.priority),
          },
    ),
  );
  const turns = live.map(({ order }) => ({
    kind: order.kind,
    project_id: order.caller.projectId,
    at: order.sendAt,
  }));
  const chatsJson = await jsonInTurns(chats);
  const jobs: unknown[][] = [];
  for (const { order, planned } of written) jobs.push(await jobRows(order, planned, now));
  const sent: Promise<unknown>[] = [];
  if (chats.length > 0) sent.push(client.query(addWaitingChats, [chatsJson]));
  for (const [n, { order, planned }] of written.entries())
    sent.push(...write(deps, client, { order, planned }, now), client.query(insertJobs, jobs[n]));
  if (turns.length > 0) sent.push(client.query(addTurns, [JSON.stringify(turns), now]));
  return sent;
}

function write(
  deps: BroadcastIntakeDeps,
  client: pg.PoolClient,
  { order, planned }: Written,
  now: Date,
): Promise<unknown>[] {
  const { idempotency } = order;
  const sent: Promise<unknown>[] = [];
  if (idempotency) {
    const bodyHash = `\\x${idempotency.bodyHash}`;
    const { projectId } = order.caller;
    sent.push(client.query(insertRequest, [projectId, idempotency.key, bodyHash, planned.answer, now]));
  }
  sent.push(client.query(insertBroadcast, broadcastRow(order, planned, now)));
  const critical = criticalOf(order, planned);
  if (critical && !deps.audit) throw new Error('a critical message needs an audit');
  if (critical && deps.audit) sent.push(deps.audit(client, critical, now));
  return sent;
}

/** Of a live key: what a test key sends reaches nobody. */
function criticalOf(
  { caller, category, kind, requestId }: BroadcastOrder,
  { answer }: Planned,
): CriticalMessage | null {
  if (!category?.criticalBy || caller.mode !== 'live') return null;
  const { keyId } = category.criticalBy;
  const { id: broadcastId, total: recipients } = answer;
  return { keyId, slug: caller.slug, broadcastId, kind, category: category.name, recipients, requestId };
}

const broadcastRow = (order: BroadcastOrder, { answer }: Planned, now: Date): unknown[] => [
  answer.id,
  order.caller.projectId,
  order.kind,
  order.content,
  answer.total,
  order.sendAt,
  order.expiresAt,
  order.dedupeKey,
  order.requestId,
  now,
  order.caller.mode,
  order.priority,
  answer.named,
  answer.duplicates,
  order.category?.name ?? null,
  Boolean(order.category?.criticalBy),
  order.category?.stopLabels ?? null,
];

/** `JSON.stringify`, a part in each turn. */
async function jsonInTurns(items: readonly object[]): Promise<string> {
  const parts: string[] = [];
  for (let at = 0; at < items.length; at += TARGETS_A_TURN) {
    if (at > 0) await nextTurn();
    parts.push(JSON.stringify(items.slice(at, at + TARGETS_A_TURN)).slice(1, -1));
  }
  return `[${parts.join(',')}]`;
}

async function jobRows(order: BroadcastOrder, { answer, targets }: Planned, now: Date): Promise<unknown[]> {
  const { caller, kind, sendAt, expiresAt, requestId } = order;
  const rows = targets.map(({ jobId, chatId, addressHash, to, label }) => ({
    id: jobId,
    chat_id: chatId,
    address_hash: addressHash && `\\x${addressHash.toString('hex')}`,
    payload:
      kind === 'push' ? { broadcast_id: answer.id, to } : { broadcast_id: answer.id, chat_id: chatId, ...to },
    labels: { project: caller.slug, channels: kind === 'push' ? 'push' : 'telegram', to: label },
  }));
  const isTest = caller.mode === 'test';
  return [
    await jsonInTurns(rows),
    kind,
    caller.projectId,
    answer.id,
    sendAt,
    expiresAt,
    now,
    requestId,
    isTest,
    caller.mode,
    rankOf(order.priority),
  ];
}

/** Of a test key all is sent already; a tally has the reconciler write down the end, and tell it. */
const insertBroadcast = `
with counted as (
  insert into broadcast_tally (broadcast_id, sent) select $1, $5 where $11 = 'test')
insert into broadcast (id, project_id, kind, content, total, send_at, expires_at, dedupe_key, request_id, created_at, mode, priority, named,
  duplicates, category, critical, stop_labels)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`;

/** A test key sends to nobody: its jobs are finished as they are written. */
const insertJobs = `
insert into job (id, kind, project_id, subject_id, mode, priority, address_hash, chat_id, payload, labels, run_at, deadline_at, accepted_at,
  request_id, state, reason, finished_at, scheduled_at)
select id, $2, $3, $4, $10, $11, address_hash, chat_id, payload, labels, $5, $6, $7, $8,
  case when $9 then 'completed' else 'queued' end, case when $9 then 'test-mode' end, case when $9 then $7::timestamptz end,
  case when $9 then $7::timestamptz end
from json_to_recordset($1) as w (id uuid, chat_id bigint, address_hash bytea, payload jsonb, labels jsonb)`;

const addWaitingChats = `
insert into waiting_chat as c (project_id, chat_id, next_at, priority, stamp)
select project_id, chat_id, min(next_at), min(priority), gen_random_uuid()
from json_to_recordset($1) as w (project_id uuid, chat_id bigint, next_at timestamptz, priority smallint)
group by project_id, chat_id order by project_id, chat_id
on conflict (project_id, chat_id) do update
set next_at = least(c.next_at, excluded.next_at), priority = least(c.priority, excluded.priority), stamp = excluded.stamp`;

/** A turn sleeps until something is due; one that is in the line keeps its place there. */
const addTurns = `
insert into scheduler_turn (kind, project_id, served_at, stamp)
select kind, project_id, greatest(min(at), $2), gen_random_uuid()
from json_to_recordset($1) as w (kind text, project_id uuid, at timestamptz) group by kind, project_id order by kind, project_id
on conflict (kind, project_id) do update set served_at = least(scheduler_turn.served_at, excluded.served_at), stamp = excluded.stamp`;

const insertRequest = `insert into request (project_id, key, body_hash, answer, at) values ($1, $2, $3, $4, $5)`;
