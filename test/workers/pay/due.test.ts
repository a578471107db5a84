import { expect, onTestFinished, test } from 'vitest';
import { batchesDue } from '../../../infra/postgres/pay/batch/store.ts';
import { payoutsDue } from '../../../infra/postgres/pay/payout/store.ts';
import { due } from '../../../workers/pay/due.ts';
import { GROSS, openDispatchWorld } from '../../infra/postgres/pay/dispatch-world.ts';

const MICROS = 10_000n;

test('what was planned for now runs, and what nobody confirmed in time gives its money back', async () => {
  const world = await openDispatchWorld();
  onTestFinished(() => world.close());
  const { id, payees } = await world.batch(2);
  const [late] = payees;
  if (!late) throw new Error('an empty batch');
  await world.owner.query(
    `alter table payout disable trigger user; alter table payout_batch disable trigger user`,
  );
  await world.owner.query(
    `update payout set state = 'confirming', expires_at = now() - interval '1 minute' where id = $1`,
    [late.payoutId],
  );
  await world.owner.query(
    `update payout_batch set state = 'approved', run_at = now(),
       (content_hash, count, total) = (select hash, count, total from payout_batch_content($1)) where id = $1`,
    [id],
  );
  await world.owner.query(
    `alter table payout enable trigger user; alter table payout_batch enable trigger user`,
  );
  await world.owner.query(
    `insert into payout_action (batch_id, subject, version, staff_id, action, at) values ($1, $2, 1, $3, 'plan', now())`,
    [id, id, world.maker],
  );
  const started: string[] = [];
  const look = due({
    payouts: payoutsDue(world.pool),
    batches: batchesDue(world.pool),
    onStarted: (batches) => started.push(...batches),
  });
  expect(await look()).toBeGreaterThan(0);
  expect(started).toEqual([id]);
  expect(await world.stateOf(late)).toMatchObject({ payout: 'cancelled', reason: 'expired' });
  expect(await world.balance(late.available)).toBe(GROSS * MICROS);
});
