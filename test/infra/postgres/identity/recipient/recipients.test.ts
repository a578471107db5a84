import { afterAll, beforeAll, expect, test } from 'vitest';
import { openGround } from '../../world.ts';

let world: Awaited<ReturnType<typeof openGround>>;

beforeAll(async () => {
  world = await openGround();
});
afterAll(() => world.close());

test('erasing a recipient reads its own verifications only', async () => {
  const { rows } = await world.pool.query<{ indexdef: string }>(
    `select indexdef from pg_indexes where tablename = 'verification' and indexdef like '%(recipient_id)%'`,
  );
  expect(rows).toHaveLength(1);
});
