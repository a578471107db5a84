import type pg from 'pg';
import { PayoutId } from '../../../../domain/pay/ids.ts';
import type { DueReceipt, Receipts } from '../../../../domain/pay/payout/receipt.ts';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import { type Locale, LOCALE_DEFAULT } from '../../../../domain/shared/locale.ts';
import { inTransaction } from '../../engine/transaction.ts';

interface ReceiptRow {
  readonly id: string;
  readonly what: string;
  readonly net: string;
  readonly last4: string | null;
  readonly own: boolean;
  readonly locale: Locale | null;
  readonly chats: readonly string[];
  readonly recipients: readonly string[];
}

const whats = { 'receipt-paid': 'paid', 'receipt-failed': 'failed', 'receipt-returned': 'returned' } as const;
const whatOf = (what: string): DueReceipt['what'] | undefined =>
  Object.entries(whats).find(([name]) => name === what)?.[1];

/** What `payout_notice` holds for payees. */
export function receipts(pool: pg.Pool): Receipts {
  return {
    take: async (limit, tell) => {
      // Nearly every look finds nothing, and then holds nothing.
      const { rows: waiting } = await pool.query({ name: 'receipts-wait', text: anyWaiting });
      if (waiting.length === 0) return 0;
      return inTransaction(pool, async (tx) => {
        const { rows } = await tx.query<ReceiptRow>(takeDue, [limit, PLATFORM_PROJECT_ID]);
        await tell(rows.flatMap(receiptOf));
        return rows.length;
      });
    },
  };
}

const anyWaiting = 'select from payout_notice where handed_at is null limit 1';

/** To the person, or to whoever has the payee's phone now. */
const takeDue = `
select p.id, n.what, p.net, d.last4, p.source = 'withdrawal' own,
  (select r.locale from recipient r where r.project_id = $2 and r.person_id = who.id limit 1) locale,
  coalesce((select json_agg(c.telegram_id::text) from person_chat c where c.person_id = who.id and c.mode = 'live'), '[]') chats,
  coalesce((select json_agg(r.id) from device v join recipient r on r.id = v.recipient_id join person o on o.id = v.person_id
    where v.person_id = who.id and o.mode = 'live' and v.bound_at is not null and v.revoked_at is null and r.push_token_encrypted is not null), '[]') recipients
from payout_notice_take($1) n join payout p on p.id = n.payout_id left join payout_destination d on d.id = p.destination_id
cross join lateral (select coalesce(p.person_id, (
  select f.person_id from person_phone f join person q on q.id = f.person_id where f.phone = p.phone and q.mode = 'live' limit 1)) id) who
order by n.at`;

function receiptOf(row: ReceiptRow): DueReceipt[] {
  const what = whatOf(row.what);
  if (what === undefined) return [];
  return [
    {
      payoutId: PayoutId.parse(row.id),
      what,
      net: BigInt(row.net),
      last4: row.last4 ?? '••••',
      isOwn: row.own,
      locale: row.locale ?? LOCALE_DEFAULT,
      chatIds: row.chats,
      recipientIds: row.recipients,
    },
  ];
}
