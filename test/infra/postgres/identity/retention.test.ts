import { expect, test } from 'vitest';
import { SESSION_IDLE_SECONDS } from '../../../../domain/identity/session/sessions.ts';
import { reconcilerQueries } from '../../../../infra/postgres/job/reconciler.ts';
import { jobs } from '../../../../domain/jobs.ts';
import { settles } from '../../../../infra/postgres/settles.ts';
import { retentions } from '../../../../infra/postgres/retentions.ts';
import { later, now, openSessions } from './session/open-sessions.ts';

const { pool, store, newSignedIn, rowOf } = await openSessions();

test('retention keeps a session until it has run out for thirty days', async () => {
  const reconciler = reconcilerQueries(pool, { jobs, settles, retentions });
  const { sessionId } = await store.open(await newSignedIn(), now);
  const goneAt = SESSION_IDLE_SECONDS + 30 * 86_400;
  await reconciler.retire(later(goneAt), { jobDays: 30, phoneDays: 7 });
  expect(await rowOf(sessionId)).toBeTruthy();
  await reconciler.retire(later(goneAt + 1), { jobDays: 30, phoneDays: 7 });
  expect(await rowOf(sessionId)).toBeUndefined();
});

test('a notice that nobody sends is kept as long as it may be told and the record is, and no longer', async () => {
  const reconciler = reconcilerQueries(pool, { jobs, settles, retentions });
  const { personId } = await newSignedIn();
  await pool.query(
    `insert into person_notice (id, person_id, kind, subject_id, at) values (gen_random_uuid(), $1, 'rotate', $1, $2)`,
    [personId, now],
  );
  const noticesAfter = async (days: number, jobDays: number) => {
    await reconciler.retire(later(days * 86_400), { jobDays, phoneDays: 7 });
    return (await pool.query('select from person_notice where person_id = $1', [personId])).rowCount;
  };
  expect(await noticesAfter(30, 30)).toBe(1);
  // A record kept for a day takes no notice that is still to be told.
  expect(await noticesAfter(7, 1)).toBe(1);
  expect(await noticesAfter(7.01, 1)).toBe(0);
});
