import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { CountUnavailable, type Taken } from '../../domain/project/quota.ts';
import { runShare, type Told } from './window-script.ts';
import { type RedisWatch, watchRedis } from './redis-watch.ts';

/** How long a request may wait for Redis before this process answers from what it knows: a hundred times what Redis takes. */
export const LIMIT_TIMEOUT_MS = 50;
/** A command that is not answered by then failed. */
const COMMAND_TIMEOUT_MS = 1_000;
/** What must not be answered from memory waits for the command that is on the way and for its own, and is then refused. */
const STRICT_TIMEOUT_MS = 2 * COMMAND_TIMEOUT_MS;

/** Options of the connection that counts: it refuses at once where it can't ask, and sends what comes together together. */
export const limitConnection = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 1,
  enableAutoPipelining: true,
  commandTimeout: COMMAND_TIMEOUT_MS,
} as const;

/** About 20 MB. The least used one is forgotten first, which costs nothing while Redis answers: it keeps the counts. */
const SUBJECTS_MAX = 50_000;
/** Subjects that are told to Redis together when it is back. */
const FLUSHED_TOGETHER = 500;
/** A window that ended while its count was on the way is opened anew; twice in a row the clock jumps. */
const WINDOWS_TRIED_MAX = 3;

/** Whom something is counted for, in a window that begins with the first count. */
export interface Subject {
  readonly key: string;
  readonly windowSeconds: number;
  /** Counts of it are taken back (`forgive`): what others hold may fall within a window. */
  readonly forgives?: boolean;
}

/**
 * Counts over all processes, in Redis. Each process states its own count of the window, again and again until it is heard, so
 * that nothing is lost or counted twice by a command whose answer was lost; Redis adds them up.
 *
 * Without Redis a process goes on from what it was last told: its own count and that of the others. One process alone stays
 * exact. Of n processes each lets through at most what was left when it last heard. Where one had heard of all counts, what the
 * n − 1 others last knew to be left may pass above the limit; a count that is on the way at that moment is known to its own process
 * only, and passes beside. A process that never heard of a subject, as one that starts meanwhile, has the whole limit. What was
 * counted alone is told when Redis is back.
 */
export interface WindowCounts {
  /** Answers within `LIMIT_TIMEOUT_MS`, alone where it must. */
  add(subject: Subject): Promise<Taken>;
  /** @throws CountUnavailable where the shared count can't be had; nothing is counted then. */
  addShared(subject: Subject): Promise<Taken>;
  /** What one more would be, as far as this process knows; null where it knows nothing. Nothing is counted. */
  next(subject: Subject): Taken | null;
  /** Takes one count back, as far as this process made it in this window. */
  forgive(subject: Subject): void;
  state(): 'shared' | 'local';
  close(): void;
}

/** What this process knows of one subject's window. */
interface Entry {
  readonly subject: Subject;
  /** Names the count that this entry makes. An entry that was forgotten and begun again is a count of its own. */
  readonly field: string;
  own: number;
  /** Grows with each change of `own`: an older count that arrives late changes nothing. */
  version: number;
  heardVersion: number;
  others: number;
  /** On this process's clock. */
  endsMs: number;
  /** On the clock of Redis; 0 until Redis has told of the window. */
  sharedEndsMs: number;
  onTheWay: Promise<Shared> | undefined;
  next: Promise<Shared> | undefined;
}
type Shared = 'shared' | 'over';

export function windowCounts(redis: Redis): WindowCounts {
  const entries = new LRUCache<string, Entry>({ max: SUBJECTS_MAX });
  const share = sharer(redis, (entry) => {
    if (entries.peek(entry.subject.key) === entry) entries.delete(entry.subject.key);
  });
  const watch = watchRedis(redis, {
    quickMs: LIMIT_TIMEOUT_MS,
    // It may have been wiped: each process states again what it counted.
    onReady: () => entries.forEach((entry) => (entry.heardVersion = -1)),
    onAnswer: () => flush([...entries.values()], share),
  });
  const parts = { open: opener(entries), share, watch };
  return {
    add: (subject) => add(parts, subject),
    addShared: (subject) => addShared(parts, subject),
    next: ({ key }) => {
      const entry = entries.peek(key);
      return entry && entry.endsMs > performance.now() ? taken(entry, entry.own + 1) : null;
    },
    forgive: (subject) => {
      const entry = entries.peek(subject.key);
      if (!entry || entry.own === 0 || entry.endsMs <= performance.now()) return;
      change(entry, -1);
      // Where it is not heard now, it is told with what comes next.
      if (watch.state() !== 'gone') share(entry).catch(() => undefined);
    },
    state: () => (watch.state() === 'shared' ? 'shared' : 'local'),
    close: () => watch.close(),
  };
}

interface Parts {
  readonly open: (subject: Subject) => Entry;
  readonly share: (entry: Entry) => Promise<Shared>;
  readonly watch: RedisWatch;
}

async function add(parts: Parts, subject: Subject, windowsTried = 1): Promise<Taken> {
  const { open, share, watch } = parts;
  const entry = open(subject);
  const place = change(entry, 1);
  if (watch.state() === 'shared') {
    const shared = await inTime(share(entry), LIMIT_TIMEOUT_MS).catch(() => 'late' as const);
    if (shared === 'late') watch.away();
    if (shared === 'over' && windowsTried < WINDOWS_TRIED_MAX) return add(parts, subject, windowsTried + 1);
  }
  return taken(entry, place);
}

async function addShared(parts: Parts, subject: Subject, windowsTried = 1): Promise<Taken> {
  const { open, share, watch } = parts;
  if (watch.state() === 'gone') throw new CountUnavailable();
  const entry = open(subject);
  const place = change(entry, 1);
  const shared = await inTime(share(entry), STRICT_TIMEOUT_MS).catch(() => 'late' as const);
  if (shared === 'shared') return taken(entry, place);
  if (shared === 'over' && windowsTried < WINDOWS_TRIED_MAX)
    return addShared(parts, subject, windowsTried + 1);
  // It was counted for a request that is refused.
  change(entry, -1);
  watch.gone();
  throw new CountUnavailable();
}

function opener(entries: LRUCache<string, Entry>): Parts['open'] {
  const processId = randomUUID().slice(0, 8);
  let made = 0;
  return (subject) => {
    const kept = entries.get(subject.key);
    if (kept && kept.endsMs > performance.now()) return kept;
    const entry = newEntry(subject, `${processId}:${(made += 1).toString(36)}`);
    entries.set(subject.key, entry);
    return entry;
  };
}

const newEntry = (subject: Subject, field: string): Entry => ({
  subject,
  field,
  own: 0,
  version: 0,
  heardVersion: 0,
  others: 0,
  endsMs: performance.now() + subject.windowSeconds * 1_000,
  sharedEndsMs: 0,
  onTheWay: undefined,
  next: undefined,
});

function change(entry: Entry, by: 1 | -1): number {
  entry.version += 1;
  entry.own += by;
  return entry.own;
}

const taken = (entry: Entry, place: number): Taken => ({
  taken: place + entry.others,
  resetMs: Math.max(0, entry.endsMs - performance.now()),
});

/**
 * Tells Redis this process's count. Of one subject one command at a time is on the way: what is counted meanwhile goes with
 * the next one together, so that a hot key costs few commands.
 */
function sharer(redis: Redis, forget: (entry: Entry) => void): (entry: Entry) => Promise<Shared> {
  const send = async (entry: Entry): Promise<Shared> => {
    const { subject, field, own, version, sharedEndsMs } = entry;
    const sentMs = performance.now();
    const leftMs = Math.max(1, Math.ceil(entry.endsMs - sentMs));
    const told = await runShare(redis, subject.key, { field, own, version, sharedEndsMs, leftMs });
    if (told === 'over') {
      forget(entry);
      return 'over';
    }
    hear(entry, told, { own, version, sentMs });
    return 'shared';
  };
  const start = (entry: Entry): Promise<Shared> => {
    entry.next = undefined;
    entry.onTheWay = send(entry).finally(() => (entry.onTheWay = undefined));
    return entry.onTheWay;
  };
  return (entry) => {
    if (!entry.onTheWay) return start(entry);
    entry.next ??= entry.onTheWay.then(
      () => start(entry),
      () => start(entry),
    );
    return entry.next;
  };
}

function hear(entry: Entry, told: Told, sent: { own: number; version: number; sentMs: number }): void {
  const others = told.total - sent.own;
  // In a Redis that was wiped the others have yet to state theirs.
  entry.others = entry.subject.forgives ? others : Math.max(entry.others, others);
  entry.heardVersion = Math.max(entry.heardVersion, sent.version);
  // From when it was sent: rather a moment early than late.
  entry.endsMs = sent.sentMs + told.leftMs;
  entry.sharedEndsMs = told.endsMs;
}

/** What was counted alone, and what others counted meanwhile. */
async function flush(entries: readonly Entry[], share: (entry: Entry) => Promise<unknown>): Promise<void> {
  const now = performance.now();
  const unheard = entries.filter(
    ({ version, heardVersion, endsMs }) => version > heardVersion && endsMs > now,
  );
  for (let at = 0; at < unheard.length; at += FLUSHED_TOGETHER)
    await Promise.all(unheard.slice(at, at + FLUSHED_TOGETHER).map(share));
}

/** Rejects when the answer is late. A process that stood still for so long reads its sockets first: Redis was not to blame. */
async function inTime<Answer>(answer: Promise<Answer>, ms: number): Promise<Answer> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => setImmediate(() => late.reject(new Error('Redis is late'))), ms);
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
