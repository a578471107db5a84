import type { PayoutBlock } from '../../../domain/pay/payout-block.ts';
import type { Queryable } from '../engine/transaction.ts';

/** What keeps the person from being paid, the oldest first. While there is one, nothing is paid to them. */
export async function blocksOf(db: Queryable, personId: string, now: Date): Promise<readonly PayoutBlock[]> {
  const { rows } = await db.query<PayoutBlock>(inForce, [personId, now]);
  return rows;
}

const inForce = `
select id, reason, until, made_at as "madeAt" from payout_block
where person_id = $1 and lifted_at is null and (until is null or until > $2) order by made_at, id`;
