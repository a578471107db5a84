import type pg from 'pg';
import type { PersonPromos, RedeemRefusal } from '../../../../domain/earn/promo/promo.ts';
import { pageOf } from '../../../../domain/shared/page.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { refusing } from '../../pay/money-faults.ts';

/** What people redeem. One call is one commit: the use, the transfers and the redemption. */
export const personPromos = (pool: pg.Pool, book: ProjectId): PersonPromos => ({
  redeem: async (personId, text) => {
    const { rows } = await refusing(pool.query<RedeemedRow>(redeem, [book, text, personId]));
    const [row] = rows;
    if (!row) throw new Error('a promo code was redeemed and nothing was answered');
    const { outcome, amount, owed, redeemed_at: at } = row;
    if (outcome !== 'redeemed' && outcome !== 'repeated') return { ok: false, reason: outcome };
    if (amount === null || owed === null || at === null)
      throw new Error('a promo code was redeemed for nothing');
    const redeemed = { amount: BigInt(amount), owed: BigInt(owed), at };
    return { ok: true, redeemed, repeated: outcome === 'repeated' };
  },
  list: async (personId, { limit, after }) => {
    const { rows } = await pool.query<RedemptionRow>(list, [book, personId, after, limit + 1]);
    const redemptions = rows.map(({ id, code, amount, owed, at }) => ({
      id,
      text: code,
      amount: BigInt(amount),
      owed: BigInt(owed),
      at,
    }));
    return pageOf(redemptions, limit);
  },
});

interface RedeemedRow {
  readonly outcome: 'redeemed' | 'repeated' | RedeemRefusal;
  readonly amount: string | null;
  readonly owed: string | null;
  readonly redeemed_at: Date | null;
}

const redeem = 'select outcome, amount, owed, redeemed_at from promo_redeem($1, $2, $3)';

interface RedemptionRow {
  readonly id: string;
  readonly code: string;
  readonly amount: string;
  readonly owed: string;
  readonly at: Date;
}

const list = `
select r.id, c.code, r.amount, r.owed, r.at from promo_redemption r join promo_code c on c.id = r.code_id
where c.project_id = $1 and r.person_id = $2 and ($3::uuid is null or r.id < $3) order by r.id desc limit $4`;
