import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDispatchWorld } from './dispatch-world.ts';
import { openingProof } from './proofs.ts';

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

const stop = async (why: string) =>
  world.pool.query(`select rail_stop('multicard', $1, $2)`, [await world.staff('operator'), why]);
const findDuplicate = async () => {
  await world.owner.query(
    `insert into difference (project_id, rail, bucket, subject, amount, found_at) values ($1, 'multicard', 'duplicate', 'k', 1, now())`,
    [world.projectId],
  );
  await world.pool.query('select difference_stop_rails($1)', [world.projectId]);
};
const payUnasked = async () => {
  const { id: batchId } = await world.batch(1);
  await world.owner.query('update rail set stopped_at = null, stopped_by = null, reason = null');
  await world.start();
  const [dispatch] = await world.dispatches(batchId);
  const id = dispatch?.id ?? '';
  const draft = await world.claim(id);
  await stop('lunch');
  return () =>
    world.move(id, draft.call, { kind: 'answered', status: 'success' }, 'paid', {
      stops_rail: 'confirmable-lost',
    });
};

test.each<[string, string, () => Promise<() => Promise<unknown>>]>([
  ['by somebody', 'paid twice!', async () => async () => stop('paid twice!')],
  ['by itself', 'confirmable-lost', payUnasked],
  // Last: while its difference is open no batch begins.
  ['for a payment that was made twice', 'duplicate', async () => findDuplicate],
])('a rail that is stopped again, %s, is not opened by what was asked before', async (_, why, prepare) => {
  await stop('lunch');
  const stopAgain = await prepare();
  const agreer = await world.staff();
  await world.pool.query(`select rail_open_ask('multicard', $1, 'back')`, [world.maker]);
  const agree = async () =>
    world.pool.query(`select rail_open_agree('multicard', $1, $2)`, [
      agreer,
      await openingProof(world.pool, agreer, 'multicard'),
    ]);
  await stopAgain();
  await expect(agree()).rejects.toMatchObject({ code: 'NB028' });
  const { rows } = await world.pool.query(`select reason from rail where id = 'multicard'`);
  expect(rows).toEqual([{ reason: why }]);
  await world.pool.query(`select rail_open_ask('multicard', $1, 'looked after')`, [world.maker]);
  await agree();
});
