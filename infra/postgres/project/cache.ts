import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import type { ProjectId } from '../../../domain/shared/ids.ts';
import { ProjectSettings } from '../../../domain/settings.ts';

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
      const { rows } = await pool.query<{ slug: string; settings: unknown }>(
        'select slug, settings from project where id = $1',
        [id],
      );
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

/** The project of one name, read again when what is remembered is old; null where it is archived or not there yet. */
export function projectNamed(
  pool: pg.Pool,
  slug: string,
): () => Promise<(ProjectFacts & { readonly id: ProjectId }) | null> {
  const cache = new LRUCache<string, ProjectFacts & { readonly id: ProjectId }>({
    max: 1,
    ttl: FRESH_MS,
    fetchMethod: async () => {
      const { rows } = await pool.query<{ id: ProjectId; settings: unknown }>(
        'select id, settings from project where slug = $1 and archived_at is null',
        [slug],
      );
      const [row] = rows;
      return row && { id: row.id, slug, settings: ProjectSettings.parse(row.settings) };
    },
  });
  return async () => cache.get(slug) ?? (await cache.fetch(slug)) ?? null;
}
