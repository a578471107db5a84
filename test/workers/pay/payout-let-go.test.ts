import { describe, expect, test } from 'vitest';
import { RailToken } from '../../../domain/pay/rail/port.ts';
import { FEE, GROSS } from '../../infra/postgres/pay/dispatch-world.ts';
import { openPayoutWorld, type PayoutWorld } from './payout-world.ts';

const MICROS = 10_000n;
const ABSENT = { kind: 'answered', status: 'absent' } as const;

/** Its first draft had no answer, the rail has twice told of no payment, and it waits for the next draft. */
async function doubtful() {
  const world = await openPayoutWorld();
  const { id: batchId, payees } = await world.batch(1);
  await world.start();
  const [[dispatch], [payee]] = [await world.dispatches(batchId), payees];
  if (!dispatch || !payee) throw new Error('nothing was started');
  const { id } = dispatch;
  const draft = await world.claim(id);
  await world.move(id, draft.call, { kind: 'unknown' }, 'asking');
  for (const to of ['asking', 'waiting'] as const) {
    const find = await world.claim(id, 'find', 1);
    await world.move(id, find.call, ABSENT, to);
    await world.age(id, 61);
  }
  return { world, batchId, id, payee };
}

const removeCard = (world: PayoutWorld, destinationId: string) =>
  world.owner.query('update payout_destination set removed_at = now() where id = $1', [destinationId]);

async function cancelRest(world: PayoutWorld, batchId: string): Promise<void> {
  await world.owner.query(`update payout_batch set state = 'paused' where id = $1`, [batchId]);
  const { rows } = await world.pool.query<{ version: number }>(
    'select version from payout_batch where id = $1',
    [batchId],
  );
  await world.pool.query('select batch_cancel_rest($1, $2, $3, $4)', [
    batchId,
    rows[0]?.version,
    world.maker,
    'late',
  ]);
}

const findsOf = async (world: PayoutWorld, id: string) =>
  (
    await world.pool.query<{ status: string }>(
      `select status from rail_call where dispatch_id = $1 and what = 'find' order by n offset 2`,
      [id],
    )
  ).rows.map(({ status }) => status);

/** What the rail made of the first draft after all. */
async function payFirst(world: PayoutWorld, id: string, card: string): Promise<void> {
  const order = { reference: `${id}-1`, token: new RailToken(card), amount: GROSS - FEE };
  const signal = AbortSignal.timeout(5_000);
  const drafted = await world.rail.draft(order, signal, () => true);
  if (drafted.kind !== 'answered') throw new Error('no draft');
  await world.rail.confirm(drafted.value.uuid, signal, () => true);
}

describe('an attempt that may have been paid', () => {
  test('is looked for before the money of a card that is gone is given back', async () => {
    const { world, id, payee } = await doubtful();
    await removeCard(world, payee.destinationId);
    await expect(world.move(id, null, null, 'failed', { reason: 'destination-gone' })).rejects.toMatchObject({
      code: 'NB030',
    });
    await world.drain();
    expect(await findsOf(world, id)).toEqual(['absent']);
    expect(await world.stateOf(payee)).toMatchObject({ payout: 'failed', reason: 'destination-gone' });
    expect(await world.balance(payee.available)).toBe(GROSS * MICROS);
    expect(world.bugs).toEqual([]);
  });

  test('is looked for before its line is taken out of a batch whose rest is cancelled', async () => {
    const { world, batchId, id, payee } = await doubtful();
    await cancelRest(world, batchId);
    expect(await world.dispatch(id)).toMatchObject({ state: 'waiting' });
    expect(await world.rounds.finishBatches()).toEqual([]);
    await world.drain(undefined, 60_000);
    expect(await findsOf(world, id)).toEqual(['absent']);
    expect(await world.rounds.finishBatches()).toEqual([batchId]);
    expect(await world.stateOf(payee)).toMatchObject({ payout: 'pending', item: 'dropped' });
  });

  test('is looked for where another one is drafted already', async () => {
    const { world, batchId, id, payee } = await doubtful();
    const second = await world.claim(id);
    const drafted = { kind: 'answered', status: 'draft' } as const;
    await world.move(id, second.call, drafted, 'drafted', { rail_uuid: 'second', confirms: true });
    await cancelRest(world, batchId);
    expect(await world.dispatch(id)).toMatchObject({ state: 'drafted' });
    const find = await world.claim(id, 'find', 1);
    await world.move(id, find.call, ABSENT, 'drafted');
    expect(await world.rounds.finishBatches()).toEqual([batchId]);
    expect(await world.stateOf(payee)).toMatchObject({ payout: 'pending', item: 'dropped' });
  });

  test.each(['its card is gone', 'the rest is cancelled'])('is paid, and found, where %s', async (why) => {
    const { world, batchId, id, payee } = await doubtful();
    const { rows } = await world.pool.query<{ card: Buffer }>(
      'select token_encrypted card from payout_destination where id = $1',
      [payee.destinationId],
    );
    await payFirst(
      world,
      id,
      world.encryption.decrypt(rows[0]?.card ?? Buffer.alloc(0), payee.destinationId),
    );
    await (why === 'its card is gone' ? removeCard(world, payee.destinationId) : cancelRest(world, batchId));
    await world.drain();
    expect(await world.stateOf(payee)).toMatchObject({ payout: 'paid', item: 'paid' });
    expect(await world.paid()).toHaveLength(1);
  });

  test('is asked again where the rail does not answer, and people decide at the end', async () => {
    const { world, id, payee } = await doubtful();
    await removeCard(world, payee.destinationId);
    world.box.orderFaults({ effect: 'hang-before', on: 'history', hang_ms: 0 });
    await world.drain();
    expect(await world.dispatch(id)).toMatchObject({ state: 'stuck', reason: 'no-answer' });
    expect(await world.balance(payee.held)).toBe(GROSS * MICROS);
  });
});
