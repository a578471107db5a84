import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { freshDatabase } from '../../support/servers.ts';

test('no function but the one that counts people raises the SQLSTATE by which a request is told that there are too many', async () => {
  const database = await freshDatabase();
  const owner = new pg.Pool({ connectionString: database.ownerUrl, max: 1 });
  onTestFinished(async () => {
    await owner.end();
    await database.drop();
  });
  const { rows } = await owner.query(
    `select proname::text name from pg_proc where pronamespace = 'public'::regnamespace and prosrc like '%NB101%'`,
  );
  expect(rows).toEqual([{ name: 'count_new_people' }]);
});
