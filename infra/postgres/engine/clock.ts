import type { Queryable } from './transaction.ts';

const REAL_TIME = 'select now()';
const MOVED_TIME = /^select now\(\) \+ interval '(\d+) milliseconds'$/;

/** How far ahead of the real time `navbat_now()` is; null where it was replaced by anything that `moveClock` did not write. */
export async function clockAheadMs(db: Queryable): Promise<number | null> {
  const { rows } = await db.query<{ prosrc: string }>(
    `select prosrc from pg_proc where oid = to_regproc('navbat_now')`,
  );
  // A database that is not migrated yet has none.
  const source = rows[0]?.prosrc.trim() ?? REAL_TIME;
  if (source === REAL_TIME) return 0;
  const moved = MOVED_TIME.exec(source);
  return moved ? Number(moved[1]) : null;
}

/** Replaces `navbat_now()`, for the role that owns it; 0 makes it again what the migration made it. */
export async function moveClock(db: Queryable, aheadMs: number): Promise<void> {
  const source = aheadMs === 0 ? REAL_TIME : `${REAL_TIME} + interval '${aheadMs} milliseconds'`;
  await db.query(
    `create or replace function navbat_now() returns timestamptz language sql stable as $$ ${source} $$`,
  );
}
