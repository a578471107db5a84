import { expect, onTestFinished, test } from 'vitest';
import { openOrm } from '../../../../infra/postgres/engine/orm.ts';
import { freshDatabase } from '../../../support/servers.ts';

const CONNECTIONS_MAX = 5;

test('a process that asks for twenty things at once holds five connections, and all are answered', async () => {
  const database = await freshDatabase();
  const orm = await openOrm(database.url);
  onTestFinished(async () => {
    await orm.close(true);
    await database.drop();
  });
  const counts = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const [row] = await orm.em
        .fork()
        .execute<{ open: number }[]>(
          `select count(*)::int open, pg_sleep(0.02) from pg_stat_activity where datname = current_database()`,
        );
      return row?.open ?? 0;
    }),
  );
  expect(Math.max(...counts)).toBeLessThanOrEqual(CONNECTIONS_MAX);
  expect(Math.min(...counts)).toBeGreaterThan(0);
});
