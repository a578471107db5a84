import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDispatchWorld } from './dispatch-world.ts';

let world: Awaited<ReturnType<typeof openDispatchWorld>>;
beforeAll(async () => {
  world = await openDispatchWorld();
});
afterAll(() => world.close());

const said = (wantsOtp: boolean) => world.pool.query(`select rail_said('multicard', $1)`, [wantsOtp]);
const setBatch = (id: string, state: string) =>
  world.owner.query('update payout_batch set state = $2 where id = $1', [id, state]);

test('while one-time passwords are wanted, what waits is not drafted, and what is drafted not confirmed; then it goes on', async () => {
  const { id: batchId } = await world.batch(1);
  await world.start();
  const [dispatch] = await world.dispatches(batchId);
  const id = dispatch?.id ?? '';
  await said(true);
  expect(await world.claim(id)).toMatchObject({ refusal: 'stopped', call: null });
  await said(false);
  const draft = await world.claim(id);
  await said(true);
  const drafted = { kind: 'answered', status: 'draft' } as const;
  expect(await world.move(id, draft.call, drafted, 'drafted', { rail_uuid: 'one', confirms: true })).toEqual({
    result: 'moved',
    call: null,
  });
  expect(await world.claim(id, 'confirm')).toMatchObject({ refusal: 'stopped' });
  await said(false);
  const confirm = await world.claim(id, 'confirm');
  expect(confirm).toMatchObject({ refusal: null });
  await world.move(id, confirm.call, { kind: 'answered', status: 'success' }, 'paid');
});

test('what waits in a paused batch keeps no other from beginning', async () => {
  const paused = await world.batch(5);
  expect(await world.start(3)).toBe(3);
  await setBatch(paused.id, 'paused');
  await world.batch(4);
  expect(await world.start(3)).toBe(3);
  expect(await world.start(3)).toBe(0);
});
