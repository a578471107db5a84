import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import type { ProjectId } from '../../domain/job/job.ts';
import { ProjectSettings } from '../../domain/project/settings.ts';

/** A changed setting reaches every worker within this time. */
const FRESH_MS = 5_000;
/** Projects with work in hand at once; the least used one is read again. */
const PROJECTS_MAX = 10_000;

export interface ProjectFacts {
  readonly slug: string;
  readonly settings: ProjectSettings;
}

/** Slug and settings by id; calls that miss together share one read. */
export function projectCache(pool: pg.Pool): (id: ProjectId) => Promise<ProjectFacts> {
  const cache = new LRUCache<ProjectId, ProjectFacts>({
    max: PROJECTS_MAX,
    ttl: FRESH_MS,
    fetchMethod: async (id) => {
      const { rows } = await pool.query<{ slug: string; settings: unknown }>('select slug, settings from project where id = $1', [id]);
      const [row] = rows;
      return row && { slug: row.slug, settings: ProjectSettings.parse(row.settings) };
    },
  });
  return async (id) => {
    const found = cache.get(id) ?? (await cache.fetch(id));
    if (!found) throw new Error(`no project ${id}`);
    return found;
  };
}
