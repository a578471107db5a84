import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import { z } from 'zod';
import { ProjectId } from '../../../domain/shared/ids.ts';
import { KeyScope, keyAccesses, keyModes } from '../../../domain/project/key.ts';
import type { KeyDirectory, KnownKey } from '../../../domain/project/port.ts';
import { ProjectSettings } from '../../../domain/settings.ts';
import type { KeyedHash } from '../../process/crypto.ts';

/** A revoked key dies within this time in every process, and a new one is known; a busy key costs one look-up in it. */
export const KEY_REMEMBERED_MS = 5_000;
/** Keys remembered at once, wrong ones too: some 10 MB when full. */
const KEYS_REMEMBERED_MAX = 20_000;
/** Look-ups in one statement: a flood of made-up keys costs one statement at a time, whatever its rate. */
const LOOKUPS_MAX = 500;
/** `last_used_at` answers "is this key still in use?", for which minutes are fine. */
const USE_NOTED_EVERY_MS = 60_000;
const USE_WRITTEN_EVERY_MS = 10_000;
/** The clock that ages the cache is read this often; below it lies the precision of a promise of seconds. */
const CLOCK_READ_EVERY_MS = 100;

const KeyRow = z.object({
  id: z.uuid(),
  hash: z.instanceof(Buffer),
  access: z.enum(keyAccesses),
  mode: z.enum(keyModes),
  scopes: z.array(KeyScope),
  allowed_origins: z.array(z.string()),
  expires_at: z.date().nullable(),
  revoked_at: z.date().nullable(),
  project_id: ProjectId,
  slug: z.string(),
  settings: z.unknown(),
  archived_at: z.date().nullable(),
});

const FIND_KEYS = `
select k.id, k.hash, k.access, k.mode, k.scopes, k.allowed_origins, k.expires_at, k.revoked_at, k.project_id, p.slug, p.settings, p.archived_at
from api_key k join project p on p.id = k.project_id
where k.hash = any($1)`;

const NOTE_USE = `
update api_key set last_used_at = greatest(last_used_at, used.at)
from unnest($1::uuid[], $2::timestamptz[]) as used(id, at)
where api_key.id = used.id`;

export interface OpenKeyDirectory extends KeyDirectory {
  /** Writes the uses noted so far. */
  close(): Promise<void>;
}

export function keyDirectory(
  pool: Pool,
  keyedHash: KeyedHash,
  onError: (error: unknown) => void,
): OpenKeyDirectory {
  const find = batchedFind(pool);
  const remembered = new LRUCache<string, KnownKey>({
    max: KEYS_REMEMBERED_MAX,
    ttl: KEY_REMEMBERED_MS,
    ttlResolution: CLOCK_READ_EVERY_MS,
    // Requests that arrive together with one key share its look-up; a failed one is not remembered.
    fetchMethod: (key) => find(keyedHash('api-key', key)),
  });
  const uses = noteUses(pool, onError);
  return {
    recall: (key) => remembered.get(key),
    find: (key) => remembered.forceFetch(key),
    used: uses.note,
    close: uses.close,
  };
}

/** One statement at a time: hashes that arrive while it runs go together in the next. */
function batchedFind(pool: Pool): (hash: Buffer) => Promise<KnownKey> {
  interface Asked {
    readonly hash: Buffer;
    readonly resolve: (known: KnownKey) => void;
    readonly reject: (error: unknown) => void;
  }
  let asked: Asked[] = [];
  let running = false;

  const run = async () => {
    running = true;
    while (asked.length > 0) {
      const batch = asked.slice(0, LOOKUPS_MAX);
      asked = asked.slice(LOOKUPS_MAX);
      try {
        const known = await findKeys(
          pool,
          batch.map(({ hash }) => hash),
        );
        for (const { hash, resolve } of batch)
          resolve(known.get(hash.toString('base64')) ?? { known: false, reason: 'unknown' });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    running = false;
  };

  return (hash) =>
    new Promise((resolve, reject) => {
      asked.push({ hash, resolve, reject });
      if (!running) void run();
    });
}

async function findKeys(pool: Pool, hashes: Buffer[]): Promise<Map<string, KnownKey>> {
  const { rows } = await pool.query({ name: 'find-keys', text: FIND_KEYS, values: [hashes] });
  return new Map(
    z
      .array(KeyRow)
      .parse(rows)
      .map((row) => [row.hash.toString('base64'), knownKey(row)]),
  );
}

function knownKey(row: z.infer<typeof KeyRow>): KnownKey {
  if (row.revoked_at) return { known: false, reason: 'revoked' };
  if (row.archived_at) return { known: false, reason: 'archived' };
  const caller = {
    keyId: row.id,
    access: row.access,
    mode: row.mode,
    scopes: row.scopes,
    allowedOrigins: row.allowed_origins,
    projectId: row.project_id,
    slug: row.slug,
    settings: ProjectSettings.parse(row.settings),
  };
  return { known: true, caller, expiresAt: row.expires_at };
}

function noteUses(
  pool: Pool,
  onError: (error: unknown) => void,
): { note: KeyDirectory['used']; close: () => Promise<void> } {
  const notedAt = new LRUCache<string, number>({ max: KEYS_REMEMBERED_MAX });
  let unwritten = new Map<string, Date>();

  const write = async () => {
    if (unwritten.size === 0) return;
    const uses = unwritten;
    unwritten = new Map();
    // Lost with an error: the next use a minute later says the same.
    await pool.query(NOTE_USE, [[...uses.keys()], [...uses.values()]]).catch(onError);
  };
  const timer = setInterval(() => void write(), USE_WRITTEN_EVERY_MS).unref();

  return {
    note(keyId, at) {
      const last = notedAt.get(keyId);
      if (last !== undefined && at.getTime() - last < USE_NOTED_EVERY_MS) return;
      notedAt.set(keyId, at.getTime());
      unwritten.set(keyId, at);
    },
    close() {
      clearInterval(timer);
      return write();
    },
  };
}
