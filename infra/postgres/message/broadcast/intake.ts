import { setImmediate as nextTurn } from 'node:timers/promises';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type {
  BroadcastAccepted,
  BroadcastAnswer,
  BroadcastId,
  BroadcastIntake,
  BroadcastOrder,
  MessageTarget,
} from '../../../../domain/message/broadcast/broadcast.ts';
import { rankOf } from '../../../../domain/job/priority.ts';
import { URGENT_PER_MINUTE_MAX } from '../../../../domain/message/broadcast/priority.ts';
import type { JobId } from '../../../../domain/shared/ids.ts';
import type { KeyedHash, Encryption } from '../../../process/crypto.ts';
import { countFinished } from '../../../process/metrics.ts';
import { batcher } from '../../engine/batcher.ts';
import { inTwoPhases } from '../../engine/hot-pool.ts';

/** Orders of so few recipients share a commit; a larger one has its own. */
const SMALL_ORDER = 10;
const BATCH_MAX = 100;
const BATCHES_IN_FLIGHT_MAX = 2;
/** So many are worked on in one turn of the event loop, some milliseconds: all other callers would wait for ten thousand. */
const TARGETS_A_TURN = 500;

export interface BroadcastIntakeDeps {
  readonly pool: pg.Pool;
  readonly hash: KeyedHash;
  readonly encryption: Encryption;
  readonly now: () => Date;
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

interface RecipientRow {
  id: string;
  project_id: string;
  address_hash: Buffer;
  chat_id: string | null;
  push_token_encrypted: Buffer | null;
}
interface RequestRow {
  project_id: string;
  key: string;
  body_hash: string;
  answer: BroadcastAnswer;
}
interface DedupeRow {
  project_id: string;
  kind: string;
  mode: string;
  dedupe_key: string;
  id: BroadcastId;
  named: number;
  duplicates: number;
  total: number;
  job_id: JobId | null;
}
interface UrgentRow {
  project_id: string;
  mode: string;
  sent: number;
  oldest: Date;
}

async function acceptAll(
  deps: BroadcastIntakeDeps,
  orders: readonly BroadcastOrder[],
): Promise<BroadcastAccepted[]> {
  const now = deps.now();
  const { answers, finished } = await inTwoPhases(
    deps.pool,
    (client) => readFacts(client, orders, now),
    async ([requests, dedupes, recipients, urgent], client) => {
      const facts = new Facts(requests.rows, dedupes.rows, recipients.rows, urgent.rows);
      const finished: { kind: string; jobs: number }[] = [];
      const written: { order: BroadcastOrder; planned: Planned }[] = [];
      const answerTo = async (order: BroadcastOrder): Promise<BroadcastAccepted> => {
        const earlier = facts.earlier(order);
        if (earlier) return earlier;
        const targets = await reach(deps, facts, order);
        if ('kind' in targets) return targets;
        const tooMany = facts.tooManyUrgent(order, now);
        if (tooMany) return tooMany;
        const planned = plan(order, targets);
        facts.remember(order, planned.answer);
        written.push({ order, planned });
        if (order.caller.mode === 'test') finished.push({ kind: order.kind, jobs: planned.targets.length });
        return { kind: 'accepted', replayed: false, ...planned.answer };
      };
      const answers: BroadcastAccepted[] = [];
      // One after the other: each sees what those before it have added.
      for (const order of orders) answers.push(await answerTo(order));
      return { sent: await writeAll(client, written, now), out: { answers, finished } };
    },
  );
  for (const { kind, jobs } of finished) countFinished(kind, 'completed', jobs);
  return answers;
}

const unique = <T>(items: Iterable<T>): T[] => [...new Set(items)];

function readFacts(client: pg.PoolClient, orders: readonly BroadcastOrder[], now: Date) {
  const projects = unique(orders.map(({ caller }) => caller.projectId));
  const keys = orders.flatMap(({ idempotency }) => idempotency?.key ?? []);
  const dedupes = orders.flatMap(({ dedupeKey }) => dedupeKey ?? []);
  const recipients = unique(
    orders.flatMap(({ targets }) => targets.flatMap((to) => (to.by === 'recipient' ? to.recipientId : []))),
  );
  return [
    client.query<RequestRow>(
      `select project_id, key, encode(body_hash, 'hex') body_hash, answer from request where key = any($1) and project_id = any($2)`,
      [keys, projects],
    ),
    client.query<DedupeRow>(
      `select project_id, kind, mode, dedupe_key, id, coalesce(named, total) named, duplicates, total, case when total = 1 then (select j.id from job j where j.subject_id = b.id) end job_id
       from broadcast b where project_id = any($2) and dedupe_key = any($1)`,
      [dedupes, projects],
    ),
    client.query<RecipientRow>(
      `select id, project_id, address_hash, push_token_encrypted,
         case when telegram_blocked_at is null then telegram_chat_id::text end chat_id
       from recipient where id = any($1::uuid[]) and project_id = any($2)`,
      [recipients, projects],
    ),
    readUrgent(client, orders, now),
  ] as const;
}

const URGENT_SPAN_MS = 60_000;

/** A project's urgent orders are counted one batch after the other, so that the count is exact; others wait for nobody. */
async function readUrgent(
  client: pg.PoolClient,
  orders: readonly BroadcastOrder[],
  now: Date,
): Promise<{ rows: UrgentRow[] }> {
  const projects = unique(
    orders.flatMap(({ priority, caller }) => (priority === 'urgent' ? caller.projectId : [])),
  ).toSorted();
  if (projects.length === 0) return { rows: [] };
  const [, counted] = await Promise.all([
    client.query(
      `select pg_advisory_xact_lock(hashtextextended('urgent ' || id, 0)) from unnest($1::text[]) id`,
      [projects],
    ),
    client.query<UrgentRow>(
      `select project_id, mode, count(*)::int sent, min(created_at) oldest from broadcast
       where priority = 'urgent' and project_id = any($1) and created_at > $2 group by 1, 2`,
      [projects, new Date(now.getTime() - URGENT_SPAN_MS)],
    ),
  ]);
  return counted;
}

/** What was there before, and what the batch has added so far. */
class Facts {
  readonly #requests = new Map<string, { bodyHash: string; answer: BroadcastAnswer }>();
  readonly #dedupes = new Map<string, BroadcastAnswer>();
  readonly #recipients = new Map<string, RecipientRow>();
  readonly #urgent = new Map<string, { sent: number; oldest: Date }>();

  constructor(
    requests: readonly RequestRow[],
    dedupes: readonly DedupeRow[],
    recipients: readonly RecipientRow[],
    urgent: readonly UrgentRow[],
  ) {
    for (const row of requests)
      this.#requests.set(row.project_id + row.key, { bodyHash: row.body_hash, answer: row.answer });
    for (const row of dedupes)
      this.#dedupes.set(row.project_id + row.mode + row.kind + row.dedupe_key, {
        id: row.id,
        named: row.named,
        duplicates: row.duplicates,
        total: row.total,
        jobId: row.job_id,
      });
    for (const row of recipients) this.#recipients.set(row.project_id + row.id, row);
    for (const row of urgent) this.#urgent.set(row.project_id + row.mode, row);
  }

  earlier({ caller, kind, idempotency, dedupeKey }: BroadcastOrder): BroadcastAccepted | null {
    const request = idempotency && this.#requests.get(caller.projectId + idempotency.key);
    if (request && request.bodyHash !== idempotency.bodyHash) return { kind: 'key-reused', replayed: false };
    const answer =
      request?.answer ??
      (dedupeKey === null ? undefined : this.#dedupes.get(caller.projectId + caller.mode + kind + dedupeKey));
    return answer ? { ...answer, kind: 'accepted', replayed: true } : null;
  }

  remember({ caller, kind, idempotency, dedupeKey }: BroadcastOrder, answer: BroadcastAnswer): void {
    if (idempotency)
      this.#requests.set(caller.projectId + idempotency.key, { bodyHash: idempotency.bodyHash, answer });
    if (dedupeKey !== null) this.#dedupes.set(caller.projectId + caller.mode + kind + dedupeKey, answer);
  }

  /** Counts an urgent order, or says when the next one may come. */
  tooManyUrgent({ caller, priority }: BroadcastOrder, now: Date): BroadcastAccepted | null {
    if (priority !== 'urgent') return null;
    const key = caller.projectId + caller.mode;
    const { sent, oldest } = this.#urgent.get(key) ?? { sent: 0, oldest: now };
    if (sent >= URGENT_PER_MINUTE_MAX) {
      const waitMs = oldest.getTime() + URGENT_SPAN_MS - now.getTime();
      const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1_000));
      return { kind: 'too-many-urgent', retryAfterSeconds, replayed: false };
    }
    this.#urgent.set(key, { sent: sent + 1, oldest });
    return null;
  }

  recipient(projectId: string, id: string): RecipientRow | undefined {
    return this.#recipients.get(projectId + id);
  }
}

/** A target as its job's row has it. */
interface Reached {
  readonly jobId: JobId;
  readonly chatId: string | null;
  readonly addressHash: Buffer | null;
  readonly to: object;
  readonly label: string;
  /** The same for whatever names the same chat, device or topic. */
  readonly destination: string;
}
interface Reachable {
  readonly targets: readonly Reached[];
  readonly duplicates: number;
}

/**
 * Every target must be known; a single one must also be reachable, while of many the unreachable are counted and left out. A
 * destination that is named twice is told once; a recipient says more of it than a bare chat or token.
 */
async function reach(
  deps: BroadcastIntakeDeps,
  facts: Facts,
  order: BroadcastOrder,
): Promise<Reachable | BroadcastAccepted> {
  const reached = new Map<string, Reached>();
  let duplicates = 0;
  for (const [n, target] of order.targets.entries()) {
    if (n % TARGETS_A_TURN === TARGETS_A_TURN - 1) await nextTurn();
    const row =
      target.by === 'recipient' ? facts.recipient(order.caller.projectId, target.recipientId) : undefined;
    if (target.by === 'recipient' && !row)
      return { kind: 'unknown-recipient', recipientId: target.recipientId, replayed: false };
    const one = reachOne(deps, order, target, row);
    if (one === null && order.targets.length === 1) return { kind: 'unreachable', replayed: false };
    if (one === null) continue;
    const earlier = reached.has(one.destination);
    if (earlier) duplicates++;
    if (!earlier || target.by === 'recipient') reached.set(one.destination, one);
  }
  return reached.size === 0
    ? { kind: 'unreachable', replayed: false }
    : { targets: [...reached.values()], duplicates };
}

function reachOne(
  deps: BroadcastIntakeDeps,
  { kind }: BroadcastOrder,
  target: MessageTarget,
  row: RecipientRow | undefined,
): Reached | null {
  const jobId = uuidv7() as JobId;
  const at = { jobId, chatId: null, addressHash: row?.address_hash ?? null };
  switch (target.by) {
    case 'chat':
      return {
        ...at,
        chatId: target.chatId,
        to: { recipient_id: null },
        label: maskId(target.chatId),
        destination: `chat ${target.chatId}`,
        addressHash: deps.hash('address', `chat:${target.chatId}`),
      };
    case 'topic':
      return {
        ...at,
        to: { by: 'topic', topic: target.topic },
        label: `topic ${target.topic}`,
        destination: `topic ${target.topic}`,
      };
    case 'token':
      return {
        ...at,
        to: { by: 'token', token_encrypted: deps.encryption.encrypt(target.token, jobId).toString('base64') },
        label: 'device',
        destination: `device ${target.token}`,
      };
    case 'recipient':
      if (!row) return null;
      return kind === 'push' ? deviceOf(deps, row, at) : chatOf(row, at);
  }
}

type At = Pick<Reached, 'jobId' | 'chatId' | 'addressHash'>;

function deviceOf({ encryption }: BroadcastIntakeDeps, row: RecipientRow, at: At): Reached | null {
  if (!row.push_token_encrypted) return null;
  const destination = `device ${encryption.decrypt(row.push_token_encrypted, row.id)}`;
  return { ...at, to: { by: 'recipient', recipient_id: row.id }, label: 'recipient', destination };
}

function chatOf(row: RecipientRow, at: At): Reached | null {
  if (row.chat_id === null) return null;
  const destination = `chat ${row.chat_id}`;
  return {
    ...at,
    chatId: row.chat_id,
    to: { recipient_id: row.id },
    label: maskId(row.chat_id),
    destination,
  };
}

/** `•••••6789` of a chat's id. */
const maskId = (id: string) => '•'.repeat(Math.max(0, id.length - 4)) + id.slice(-4);

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
    sent.push(...write(client, order, planned, now), client.query(insertJobs, jobs[n]));
  if (turns.length > 0) sent.push(client.query(addTurns, [JSON.stringify(turns), now]));
  return sent;
}

function write(
  client: pg.PoolClient,
  order: BroadcastOrder,
  planned: Planned,
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
  return sent;
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
  duplicates)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`;

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
