import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { ItemState } from '../../../domain/pay/batch/batch.ts';
import type { BatchReads, Progress } from '../../../domain/pay/finance/batches.ts';
import { BatchId } from '../../../domain/pay/ids.ts';
import { ById } from '../../http/by-id.ts';
import { Problem } from '../../http/problem.ts';
import { defineStaffRoute, type StaffRoute } from '../../http/route.ts';
import { progressBody } from './batch-body.ts';
import { batchOf } from './batches.routes.ts';

/** How old what is shown may be; a look counts the lines of a batch, some 20 ms of Postgres for 100 000 of them. */
const LOOK_EVERY_MS = 2_000;
/** A few people look at a few batches. Each is a socket, and each batch a look every two seconds. */
const FOLLOWED_MAX = 40;
const FOLLOWED_PER_STAFF_MAX = 4;
/** After it a client comes back, and shows its session again. */
const FOLLOW_MS_MAX = 600_000;
/** Proxies close what is silent for a minute. */
const HEARTBEAT_MS = 15_000;
const COME_BACK_SECONDS = 5;

/** Ends and ways of lines. Those that are ready are told by these and the version, which each line that is added or frozen changes. */
const told = ['dispatched', 'paid', 'failed', 'returned', 'dropped'] as const satisfies readonly ItemState[];

/** Tells one state from each other, and is what a client sends back as Last-Event-ID. */
const idOf = ({ version, items }: Progress): string =>
  [version, ...told.map((state) => items[state].count)].join('-');
const eventOf = (now: Progress): string =>
  `id: ${idOf(now)}\nevent: progress\ndata: ${JSON.stringify(progressBody(now))}\n\n`;

const none = { count: 0, total: 0n };
const example: Progress = {
  state: 'running',
  version: 7,
  items: {
    ready: { count: 30, total: 450_000_000n },
    dispatched: { count: 12, total: 180_000_000n },
    paid: { count: 120, total: 1_800_000_000n },
    failed: none,
    returned: none,
    dropped: none,
  },
};

export interface BatchEventParts {
  readonly reads: BatchReads;
  /** Ends all streams: the process stops. */
  readonly ended: AbortSignal;
}

export const batchEventRoutes = (parts: BatchEventParts): StaffRoute[] => [events(parts, openCrowd())];

const events = ({ reads, ended }: BatchEventParts, crowd: ReturnType<typeof openCrowd>) => {
  const progressOf = shared(reads);
  return defineStaffRoute({
    method: 'get',
    path: '/finance/batches/{id}/events',
    tag: 'Payout batches',
    summary: 'A batch as it is paid',
    description:
      'Server-sent events of the type `progress`: how it is now, then each change within two seconds, until it is done or closed. The data is the whole state, so that nothing is lost by a broken connection: `Last-Event-ID` leaves out what you have. ' +
      `The id is the version, and how many lines are ${told.join(', ')}.`,
    action: 'finance.read',
    params: ById,
    follows: true,
    answers: {
      200: {
        description: 'The stream.',
        schema: z.string().meta({ example: eventOf(example) }),
        mediaType: 'text/event-stream',
      },
    },
    problems: [404, 429],
    async handle({ params, staff, lastEventId }) {
      const id = BatchId.parse(params.id);
      await batchOf(reads, id);
      const leave = crowd.join(staff.id);
      return {
        status: 200,
        body: undefined,
        events: (signal) => follow({ id, progressOf, leave, lastEventId }, AbortSignal.any([signal, ended])),
      };
    },
  });
};

/** How many follow, in all and of each member of staff. */
function openCrowd() {
  const byStaff = new Map<string, number>();
  let all = 0;
  return {
    /** @returns what is called once the stream has ended. */
    join(staffId: string): () => void {
      const own = byStaff.get(staffId) ?? 0;
      if (own >= FOLLOWED_PER_STAFF_MAX) throw noRoom('You follow as many batches as one person may.');
      if (all >= FOLLOWED_MAX) throw noRoom('This process follows as many batches as it may.');
      byStaff.set(staffId, own + 1);
      all += 1;
      return () => {
        all -= 1;
        const left = (byStaff.get(staffId) ?? 1) - 1;
        if (left === 0) byStaff.delete(staffId);
        else byStaff.set(staffId, left);
      };
    },
  };
}

const noRoom = (words: string) =>
  new Problem(429, 'too-many-subscribers', words, { headers: { 'Retry-After': String(COME_BACK_SECONDS) } });

type ProgressOf = (id: BatchId) => Promise<Progress | null>;

/** One look for all who follow the same batch. */
function shared(reads: BatchReads): ProgressOf {
  const looks = new Map<BatchId, Promise<Progress | null>>();
  return (id) => {
    const known = looks.get(id);
    if (known) return known;
    const look = reads.progress(id);
    looks.set(id, look);
    setTimeout(() => looks.delete(id), LOOK_EVERY_MS / 2).unref();
    return look;
  };
}

interface Subscriber {
  readonly id: BatchId;
  readonly progressOf: ProgressOf;
  readonly leave: () => void;
  readonly lastEventId: string | null;
}

async function* follow(
  { id, progressOf, leave, lastEventId }: Subscriber,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  let known = lastEventId;
  let silentMs = 0;
  try {
    for (let followedMs = 0; followedMs < FOLLOW_MS_MAX; followedMs += LOOK_EVERY_MS) {
      if (signal.aborted) return;
      const now = await progressOf(id);
      if (!now) return;
      const name = idOf(now);
      silentMs = name === known ? silentMs + LOOK_EVERY_MS : 0;
      if (name !== known) yield eventOf(now);
      else if (silentMs % HEARTBEAT_MS < LOOK_EVERY_MS) yield ': still here\n\n';
      known = name;
      if (now.state === 'done' || now.state === 'closed') return;
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    leave();
  }
}
