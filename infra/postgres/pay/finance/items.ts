import type { ItemState } from '../../../../domain/pay/batch/batch.ts';
import type { ItemView } from '../../../../domain/pay/finance/batches.ts';
import { PayoutId } from '../../../../domain/pay/ids.ts';

export interface ItemRow {
  readonly n: number;
  readonly payout_id: string;
  readonly net: string;
  readonly last4: string;
  readonly state: ItemState;
  readonly person_id: string | null;
  readonly phone: string | null;
  readonly payee_name: string | null;
  readonly purpose: string | null;
  readonly reference: string | null;
  readonly name_score: number | null;
  readonly reason: string | null;
}

export const itemOf = (row: ItemRow): ItemView => ({
  n: row.n,
  payoutId: PayoutId.parse(row.payout_id),
  net: BigInt(row.net),
  last4: row.last4,
  state: row.state,
  personId: row.person_id,
  phone: row.phone,
  payee: row.payee_name,
  purpose: row.purpose,
  reference: row.reference,
  nameScore: row.name_score,
  reason: row.reason,
});
