import type pg from 'pg';
import type {
  BroadcastAccepted,
  BroadcastAnswer,
  BroadcastId,
  BroadcastOrder,
} from '../../../../domain/message/broadcast/broadcast.ts';
import type { JobId } from '../../../../domain/shared/ids.ts';
import { URGENT_PER_MINUTE_MAX } from '../../../../domain/message/broadcast/priority.ts';

export interface RecipientRow {
  id: string;
  project_id: string;
  address_hash: Buffer;
  chat_id: string | null;
  push_token_encrypted: Buffer | null;
}
interface HolderRow {
  id: string;
  project_id: string;
  token_hash: string;
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

const unique = <T>(items: Iterable<T>): T[] => [...new Set(items)];

/** All that a batch of orders asks of Postgres before it is decided. */
export function readFacts(
  client: pg.PoolClient,
  { orders, hashes }: { readonly orders: readonly BroadcastOrder[]; readonly hashes: readonly Buffer[] },
  now: Date,
) {
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
    // Who gives a bare token is held to what its owner wants all the same.
    hashes.length === 0
      ? Promise.resolve({ rows: [] as HolderRow[] })
      : client.query<HolderRow>(
          `select id, project_id, encode(push_token_hash, 'hex') token_hash from recipient
           where push_token_hash = any($1) and project_id = any($2)`,
          [hashes, projects],
        ),
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
export class Facts {
  readonly #requests = new Map<string, { bodyHash: string; answer: BroadcastAnswer }>();
  readonly #dedupes = new Map<string, BroadcastAnswer>();
  readonly #recipients = new Map<string, RecipientRow>();
  readonly #urgent = new Map<string, { sent: number; oldest: Date }>();
  readonly #holders = new Map<string, string>();

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

  /** `hashes` by token. */
  learnHolders(hashes: ReadonlyMap<string, Buffer>, rows: readonly HolderRow[]): void {
    const held = new Map(rows.map(({ project_id, token_hash, id }) => [project_id + token_hash, id]));
    for (const projectId of new Set(rows.map(({ project_id }) => project_id)))
      for (const [token, hash] of hashes) {
        const id = held.get(projectId + hash.toString('hex'));
        if (id !== undefined) this.#holders.set(projectId + token, id);
      }
  }

  /** The project's recipient whose device has this token. */
  holderOf(projectId: string, token: string): string | undefined {
    return this.#holders.get(projectId + token);
  }

  recipient(projectId: string, id: string): RecipientRow | undefined {
    return this.#recipients.get(projectId + id);
  }
}
