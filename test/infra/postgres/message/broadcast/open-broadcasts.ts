import { afterAll, beforeEach } from 'vitest';
import { broadcastWorld } from './world.ts';

/** When a job is due that sleeps for ever. */
export const HELD = new Date('9999-12-31T00:00:00Z');

/** Broadcasts to chats that nobody wrote to before, in a world of this file's own. */
export async function openBroadcasts() {
  const world = await broadcastWorld();
  afterAll(() => world.close());
  let chats = 0;
  const freshChats = (count: number) => Array.from({ length: count }, () => ++chats);
  /** Jobs of a broadcast that sleep for ever, by whether they were scheduled. */
  const heldOf = async (id: string): Promise<{ scheduled: number; waiting: number }> => {
    const { rows } = await world.pool.query<{ scheduled: number; waiting: number }>(
      `select count(*) filter (where scheduled_at is not null)::int scheduled, count(*) filter (where scheduled_at is null)::int waiting
     from job where subject_id = $1 and run_at = $2 and finished_at is null`,
      [id, HELD],
    );
    return rows[0] ?? { scheduled: 0, waiting: 0 };
  };
  return { world, freshChats, heldOf };
}

/** The same for tests of who goes first: nobody of an earlier test waits in the line. */
export async function openLine() {
  const { world, freshChats } = await openBroadcasts();
  beforeEach(async () => {
    await world.owner.query('truncate scheduler_turn, waiting_chat, outbox');
    await world.pool.query('delete from job');
  });
  const jobsOf = async (id: string): Promise<string[]> => {
    const { rows } = await world.pool.query<{ id: string }>('select id from job where subject_id = $1', [id]);
    return rows.map((row) => row.id);
  };
  const scheduled = async (places: number) =>
    (await world.schedulerRound('telegram-message', places)).map(({ jobId }) => jobId);
  return { world, freshChats, jobsOf, scheduled };
}
