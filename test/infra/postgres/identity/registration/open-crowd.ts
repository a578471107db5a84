import { afterAll } from 'vitest';
import { hotPool } from '../../../../../infra/postgres/engine/hot-pool.ts';
import { freshDatabase } from '../../../../support/servers.ts';

export const now = new Date('2026-01-15T10:00:00Z');
export const later = (seconds: number) => new Date(now.getTime() + seconds * 1_000);
export const PEOPLE = 20;
export const all = Array.from({ length: PEOPLE }, (_, index) => index + 1);

/** A database of this file's own, with a connection for each of a crowd that comes at one moment. */
export async function openCrowd() {
  const database = await freshDatabase();
  const pool = hotPool(database.url, PEOPLE);
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });
  return pool;
}
