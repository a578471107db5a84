import { afterAll, beforeAll, expect, test } from 'vitest';
import { openGround } from '../world.ts';
import { describeKept } from '../kept.ts';

let ground: Awaited<ReturnType<typeof openGround>>;
beforeAll(async () => {
  ground = await openGround();
});
afterAll(() => ground.close());

describeKept([{ table: 'audit', column: 'actor', trigger: 'audit_is_kept', isAddedTo: true }]);

test.each([
  'update audit set actor = actor',
  'update audit set actor = actor where false',
  'delete from audit where false',
  'truncate audit',
])('the owner of the audit is refused too: %s', async (sql) => {
  await expect(ground.owner.query(sql)).rejects.toMatchObject({ code: 'NB009' });
});
