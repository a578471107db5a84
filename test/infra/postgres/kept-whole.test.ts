import { afterAll, beforeAll, expect, test } from 'vitest';
import { openGround } from './world.ts';

let ground: Awaited<ReturnType<typeof openGround>>;
beforeAll(async () => {
  ground = await openGround();
});
afterAll(() => ground.close());

/** What is kept: tables that refuse a delete before it is done. `tgtype` has a bit for each: 2 before, 8 delete, 32 truncate. */
const KEPT = `
select tgrelid::regclass::text as table, bool_or(tgtype & 32 <> 0) as refuses_truncate
from pg_trigger where tgenabled in ('O', 'A') and tgtype & 2 <> 0 and tgrelid in (
  select tgrelid from pg_trigger where tgenabled in ('O', 'A') and tgtype & 2 <> 0 and tgtype & 8 <> 0)
group by tgrelid order by 1`;

test('a table of which no row can be deleted can’t be emptied as a whole, whoever owns it', async () => {
  const { rows } = await ground.owner.query<{ table: string; refuses_truncate: boolean }>(KEPT);
  expect(rows.map(({ table }) => table)).toEqual(
    expect.arrayContaining(['approval', 'audit', 'staff_proof']),
  );
  expect(rows.filter(({ refuses_truncate }) => !refuses_truncate)).toEqual([]);
  for (const { table } of rows)
    await expect(ground.owner.query(`truncate ${table} cascade`), table).rejects.toMatchObject({
      code: expect.stringMatching(/^(NB009|P0001)$/),
    });
});
