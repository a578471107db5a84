import { expect, onTestFinished, test } from 'vitest';
import { BatchState, ItemState } from '../../../../../domain/pay/batch/batch.ts';
import { PayoutSource, PayoutState } from '../../../../../domain/pay/payout/payout.ts';
import { BatchId, DestinationId, PayoutId, PayoutListId, RailId } from '../../../../../domain/pay/ids.ts';
import { openGround } from '../../world.ts';

/** Each is written twice: where rows are kept, and where code is compiled. */
test('the words of the tables are those of the domain', async () => {
  const ground = await openGround();
  onTestFinished(ground.close);
  const { rows } = await ground.pool.query<{ on: string; words: string[] }>(
    `select conrelid::regclass || '.' || a.attname "on",
            array(select m[1] from regexp_matches(pg_get_constraintdef(c.oid), '''([a-z-]+)''', 'g') m) words
       from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and c.conkey = array[a.attnum]
      where contype = 'c' and a.attname in ('state', 'source', 'rail')
        and conrelid in ('payout'::regclass, 'payout_batch'::regclass, 'payout_item'::regclass, 'payout_destination'::regclass) order by 1`,
  );
  expect(rows).toEqual([
    { on: 'payout.rail', words: RailId.options },
    { on: 'payout.source', words: PayoutSource.options },
    { on: 'payout.state', words: PayoutState.options },
    { on: 'payout_batch.rail', words: RailId.options },
    { on: 'payout_batch.state', words: BatchState.options },
    { on: 'payout_destination.rail', words: RailId.options },
    { on: 'payout_item.state', words: ItemState.options },
  ]);
});

test('an id is a UUID', () => {
  for (const id of [PayoutId, BatchId, DestinationId, PayoutListId]) {
    expect(id.safeParse('019ad000-0000-7000-8000-000000000001').success).toBe(true);
    expect(id.safeParse('1').success).toBe(false);
  }
});
