import pg from 'pg';
import { WEBHOOK_IN_HAND } from '../webhook/line.ts';
import { CHAT_IS_OPEN, LAST_MARK } from '../message/telegram/chats.ts';

/**
 * Indexes on tables that may be large when they come: built beside running writes, which a migration, being one transaction,
 * can't do. Made where they are missing, at each `npm run migrate`.
 */
const lateIndexes = {
  // A page of one kind, however few there are of it among a project's jobs.
  job_project_kind: 'job (project_id, kind, id)',
  // A page of what waits, not looked for among all that wait in other projects.
  job_project_unfinished: 'job (project_id, id) where finished_at is null',
  // Calls to webhooks that are in hand and were not sent away to sleep.
  job_webhook_in_hand: `job (project_id) where ${WEBHOOK_IN_HAND}`,
  // What a project's unfinished jobs may still need of its budget: few, as each ends within minutes.
  job_reserved:
    'job (project_id) include (reserved_micros, reserved_for_stranger) where finished_at is null and reserved_micros > 0',
  recipient_project: 'recipient (project_id, id)',
  broadcast_project_kind: 'broadcast (project_id, mode, kind, id)',
  webhook_delivery_endpoint: 'webhook_delivery (endpoint_id, id) where endpoint_id is not null',
  webhook_delivery_outcome: 'webhook_delivery (project_id, mode, outcome, id)',
  webhook_event_listed: 'webhook_event (project_id, mode, id)',
  webhook_event_type: 'webhook_event (project_id, mode, type, id)',
  // Whether a pressed button was told before.
  webhook_event_pressed: `webhook_event (subject_id) where type = 'telegram.callback'`,
  // Open chats, by when they were last heard from: the sweep asks each second.
  telegram_chat_open: `telegram_chat ((${LAST_MARK})) where ${CHAT_IS_OPEN}`,
} as const;

/** Of any number of processes one builds, and the others find it built. */
const BUILDING_LOCK = 7_231_902;

export async function buildLateIndexes(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await lock(client);
    for (const [name, on] of Object.entries(lateIndexes)) await build(client, name, on);
  } finally {
    // The lock goes with the connection.
    await client.end();
  }
}

const LOCK_ASKED_EVERY_MS = 200;

/** Asked for again and again: a statement that waited for it would itself be waited for by the index that is being built. */
async function lock(client: pg.Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) locked', [
      BUILDING_LOCK,
    ]);
    if (rows[0]?.locked) return;
    await new Promise((resolve) => setTimeout(resolve, LOCK_ASKED_EVERY_MS));
  }
}

async function build(client: pg.Client, name: string, on: string): Promise<void> {
  const { rows } = await client.query<{ valid: boolean }>(
    'select indisvalid valid from pg_index where indexrelid = to_regclass($1)',
    [name],
  );
  if (rows[0]?.valid) return;
  // What an interrupted build left behind is used by no query, and written by all.
  if (rows[0]) await client.query(`drop index concurrently ${name}`);
  await client.query(`create index concurrently ${name} on ${on}`);
}
