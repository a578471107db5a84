import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { jobs } from '../../../domain/jobs.ts';
import type { Caller } from '../../../domain/project/caller.ts';
import { ProjectSettings } from '../../../domain/settings.ts';
import type { ProjectId } from '../../../domain/shared/ids.ts';
import { hotPool } from '../../../infra/postgres/engine/hot-pool.ts';
import { reconcilerQueries } from '../../../infra/postgres/job/reconciler.ts';
import { retentions } from '../../../infra/postgres/retentions.ts';
import { settles } from '../../../infra/postgres/settles.ts';
import { keyedHash, rowEncryption } from '../../../infra/process/crypto.ts';
import { type OpenDatabase, freshDatabase } from '../../support/servers.ts';

const CONNECTIONS_MAX = 16;

/** What the ports of every context stand on, over a real Postgres, in this process. */
export async function openGround(given?: OpenDatabase) {
  const database = given ?? (await freshDatabase());
  const pool = hotPool(database.url, CONNECTIONS_MAX);
  const owner = new pg.Pool({ connectionString: database.ownerUrl, max: CONNECTIONS_MAX });
  owner.on('error', () => undefined);
  const ring = { current: 'k1', keys: new Map([['k1', randomBytes(32)]]) };
  return {
    url: database.url,
    ownerUrl: database.ownerUrl,
    pool,
    /** As the owner: for what a test does that no process may. */
    owner,
    ring,
    hash: keyedHash(randomBytes(32).toString('base64url')),
    rowEncryption: rowEncryption(ring),
    reconciler: reconcilerQueries(pool, { jobs, settles, retentions }),
    makeProject: async (settings: object = {}): Promise<Pick<Caller, 'projectId' | 'slug' | 'settings'>> => {
      const projectId = randomUUID() as ProjectId;
      const slug = `project-${projectId.slice(0, 8)}`;
      await pool.query('insert into project (id, slug, settings, created_at) values ($1, $2, $3, now())', [
        projectId,
        slug,
        settings,
      ]);
      return { projectId, slug, settings: ProjectSettings.parse(settings) };
    },
    close: async () => {
      await Promise.all([pool.end(), owner.end()]);
      await database.drop();
    },
  };
}
