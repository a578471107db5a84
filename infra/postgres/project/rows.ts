import type { EntityManager } from '@mikro-orm/postgresql';
import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import type { ProjectId } from '../../../domain/shared/ids.ts';
import {
  CeilingReached,
  ceilingHit,
  NO_ROWS,
  ProjectCeilings,
  type ProjectRows,
} from '../../../domain/project/ceilings.ts';
import type { RowGuard } from '../../../domain/project/port.ts';
import type { Webhooks } from '../../../domain/webhook/port.ts';

/**
 * A count is this old at the most. What this process makes it counts itself at once; of what others make it learns so much
 * later: with n processes a project may end above its ceiling by what n - 1 of them take from it in this time.
 */
const FRESH_MS = 1_000;
/** An order of so many rows has the count read anew: it takes longer than that itself. */
const LARGE_ORDER_ROWS = 100;
const PROJECTS_MAX = 10_000;

const names = { queued: 'queued', live: 'kept', test: 'test', people: 'people' } as const;
type Counted = keyof typeof names;

/** A few rows of an index: the folded count and what changed since the last fold, a second ago. */
const countSql = (id: string) => `
select what, sum(n)::bigint n from (
  select what, n from project_rows where project_id = ${id}
  union all select what, n from project_rows_change where project_id = ${id}) c group by 1`;

interface CountRow {
  readonly what: Counted;
  readonly n: string;
}

const toRows = (rows: readonly CountRow[]): ProjectRows => ({
  ...NO_ROWS,
  ...Object.fromEntries(rows.map(({ what, n }) => [names[what], Math.max(0, Number(n))])),
});

export async function rowsOf(em: EntityManager, id: ProjectId): Promise<ProjectRows> {
  return toRows(await em.getConnection().execute<CountRow[]>(countSql('cast(? as uuid)'), [id, id]));
}

/** Where a project stands, as one process knows it. */
interface Standing {
  readonly ceilings: ProjectCeilings;
  readonly rows: ProjectRows;
  readonly readAtMs: number;
}

class ProjectStanding {
  #read: Standing | null = null;
  #reading: Promise<Standing> | null = null;
  /** Of orders that are being written: in no count yet. */
  #pending = { live: 0, test: 0 };
  /** Written since the last read began: in the count already, or not. */
  #made = { live: 0, test: 0 };
  readonly #load: () => Promise<Standing>;
  readonly #nowMs: () => number;

  constructor(load: () => Promise<Standing>, nowMs: () => number) {
    this.#load = load;
    this.#nowMs = nowMs;
  }

  async reserve(mode: 'live' | 'test', rows: number): Promise<(made: number) => void> {
    const fresh = this.#read !== null && this.#nowMs() - this.#read.readAtMs < FRESH_MS;
    if (!fresh || rows >= LARGE_ORDER_ROWS) await this.#refresh();
    const { ceilings, rows: counted } = this.#read as Standing;
    const own = this.#pending[mode] + this.#made[mode];
    const hit = ceilingHit(
      mode,
      rows,
      {
        ...counted,
        queued: counted.queued + own,
        kept: counted.kept + own,
        test: counted.test + own,
      },
      ceilings,
    );
    if (hit) throw new CeilingReached(hit);
    this.#pending[mode] += rows;
    return (made) => {
      this.#pending[mode] -= rows;
      this.#made[mode] += made;
    };
  }

  /** Those that come while one is on its way share it. */
  #refresh(): Promise<unknown> {
    this.#reading ??= this.#readAnew().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readAnew(): Promise<Standing> {
    const before = { ...this.#made };
    this.#read = await this.#load();
    this.#made.live -= before.live;
    this.#made.test -= before.test;
    return this.#read;
  }
}

/** Reads a project's counts once a second while it is active, and counts by itself in between: a request costs no statement. */
export function rowGuard(pool: pg.Pool, nowMs: () => number = () => performance.now()): RowGuard {
  const standings = new LRUCache<ProjectId, ProjectStanding>({ max: PROJECTS_MAX });
  const load = async (projectId: ProjectId): Promise<Standing> => {
    const readAtMs = nowMs();
    const [project, counts] = await Promise.all([
      pool.query<{ ceilings: unknown }>('select ceilings from project where id = $1', [projectId]),
      pool.query<CountRow>(countSql('$1'), [projectId]),
    ]);
    const ceilings = ProjectCeilings.parse(project.rows[0]?.ceilings ?? {});
    return { ceilings, rows: toRows(counts.rows), readAtMs };
  };
  return {
    async within({ projectId, mode }, rows, work, made) {
      let standing = standings.get(projectId);
      if (!standing) {
        standing = new ProjectStanding(() => load(projectId), nowMs);
        standings.set(projectId, standing);
      }
      const settle = await standing.reserve(mode, rows);
      try {
        const done = await work();
        settle(made(done));
        return done;
      } catch (error) {
        settle(0);
        throw error;
      }
    },
  };
}

/** Replays and tests within each project's ceilings: each call is a job. */
export function boundedWebhooks(webhooks: Webhooks, guard: RowGuard): Webhooks {
  return {
    ...webhooks,
    replay: (of, eventId, endpointId, now) =>
      guard.within(
        of,
        1,
        () => webhooks.replay(of, eventId, endpointId, now),
        (replayed) => ('calls' in replayed ? replayed.calls : 0),
      ),
    async replayRange(of, range, how, now) {
      const counted = await webhooks.replayRange(of, range, 'count', now);
      if (how === 'count' || counted.kind !== 'counted') return counted;
      return guard.within(
        of,
        counted.calls,
        () => webhooks.replayRange(of, range, how, now),
        (replayed) => (replayed.kind === 'done' ? replayed.calls : 0),
      );
    },
    test: (of, endpointId, requestId, now) =>
      guard.within(
        of,
        1,
        () => webhooks.test(of, endpointId, requestId, now),
        (tested) => (typeof tested === 'string' ? 0 : 1),
      ),
  };
}
