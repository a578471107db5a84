import { readConfig } from '../config.ts';
import { environment } from '../environment.ts';
import { runOnce } from '../run.ts';
import { buildLateIndexes } from './late-indexes.ts';
import { openOrm } from './orm.ts';

/** Brings the schema up to date; safe to run from two processes at once, and again. */
export async function migrate(databaseUrl: string): Promise<void> {
  const orm = await openOrm(databaseUrl);
  try {
    await orm.migrator.up();
  } finally {
    await orm.close(true);
  }
  await buildLateIndexes(databaseUrl);
}

if (import.meta.main) await runOnce(() => migrate(readConfig(environment()).DATABASE_URL));
