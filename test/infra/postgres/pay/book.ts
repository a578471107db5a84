import type { Queryable } from '../../../../infra/postgres/engine/transaction.ts';
import { openGround } from '../world.ts';
import { bookOf } from './posting.ts';

/** A book of this test's own, over a real Postgres. */
export async function openTestBook() {
  const ground = await openGround();
  const { projectId } = await ground.makeProject();
  await ground.pool.query('select ledger_book_open($1)', [projectId]);
  return {
    ...ground,
    projectId,
    /** The same, on other connections of the owner. */
    on: (db: Queryable) => bookOf(db, projectId),
    ...bookOf(ground.owner, projectId),
  };
}
