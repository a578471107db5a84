import { readConfig } from '../config.ts';
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

if (import.meta.main) await migrate(readConfig(process.env).DATABASE_URL);
