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
