import type { ListedPayout, Lists, ListView } from '../../../../domain/pay/list/port.ts';
import { importList, type ImportDeps } from './import.ts';
import { reachedNobody } from './reached.ts';
import { repeatedLines } from './repeats.ts';

/** Finance's lists, and what became of their lines. */
export function listStore(deps: ImportDeps): Lists {
  const { pool, book } = deps;
  return {
    import: (order) => importList(deps, order),
    repeats: (lines, now) => repeatedLines(pool, book, lines, now),
    funds: async (funder) => {
      const { rows } = await pool.query<{ tiyin: string }>(readFunds, [book, funder]);
      return BigInt(rows[0]?.tiyin ?? 0);
    },
    page: async (after, limit) => {
      const { rows } = await pool.query<ListRow>(readLists, [book, after, limit + 1]);
      return { rows: rows.slice(0, limit).map(listOf), hasMore: rows.length > limit };
    },
    find: async (id) => {
      const { rows } = await pool.query<ListRow>(readList, [book, id]);
      return rows[0] ? listOf(rows[0]) : null;
    },
    payouts: async (list, after, limit) => {
      const { rows } = await pool.query<PayoutRow>(readPayouts, [list, after, limit + 1]);
      return { rows: rows.slice(0, limit).map(payoutOf), hasMore: rows.length > limit };
    },
  };
}

/** Down to the tiyin: what is less can't be paid out. */
const readFunds = `
select coalesce(sum(floor(balance / 10000.0)), 0)::text as tiyin from ledger_account where project_id = $1 and class = 'funded' and owner = $2`;

interface ListRow {
  readonly id: string;
  readonly name: string;
  readonly funder: string;
  readonly rail: string;
  readonly sha256: Buffer;
  readonly lines: number;
  readonly total: string;
  readonly imported_by: string;
  readonly at: Date;
  readonly states: Readonly<Record<string, number>> | null;
  readonly links: ListView['links'];
}

const listOf = ({ imported_by: importedBy, total, states, ...row }: ListRow): ListView => ({
  ...row,
  total: BigInt(total),
  importedBy,
  states: states ?? {},
});

const listColumns = `
l.id, l.name, l.funder, i.rail::text as rail, l.sha256, l.lines, l.total, l.imported_by, l.at,
  (select jsonb_object_agg(s.state, s.n) from (select p.state, count(*) n from payout p where p.list_id = l.id group by 1) s) as states,
  (select jsonb_build_object('unreachable', count(*) filter (where x.lost), 'sent', count(*) filter (where k.sent_at is not null and not x.lost),
      'waiting', count(*) filter (where k.sent_at is null and not x.lost))
    from payout p left join payout_link k on k.payout_id = p.id and k.used_at is null and k.revoked_at is null
    cross join lateral (select ${reachedNobody('k')} as lost) x
    where p.list_id = l.id and p.state = 'awaiting-card') as links
from payout_list l join payout_list_import i on i.list_id = l.id`;

const readLists = `
select ${listColumns}
where l.project_id = $1 and ($2::uuid is null or l.id < $2::uuid) order by l.id desc limit $3`;
const readList = `
select ${listColumns}
where l.project_id = $1 and l.id = $2`;

interface PayoutRow {
  readonly id: string;
  readonly list_line: number;
  readonly phone: string;
  readonly payee_name: string;
  readonly purpose: string;
  readonly gross: string;
  readonly state: string;
  readonly reason: string | null;
  readonly name_score: number | null;
  readonly holder_name: string | null;
  readonly last4: string | null;
  readonly channel: string | null;
  readonly sent_at: Date | null;
  readonly is_reminder: boolean | null;
  readonly opened_at: Date | null;
  readonly used_at: Date | null;
  readonly link_expires_at: Date | null;
  readonly failed_at: Date | null;
  readonly link_reason: string | null;
}

const payoutOf = (row: PayoutRow): ListedPayout => ({
  id: row.id,
  line: row.list_line,
  phone: row.phone,
  name: row.payee_name,
  purpose: row.purpose,
  amount: BigInt(row.gross),
  state: row.state,
  reason: row.reason,
  nameScore: row.name_score,
  nameOnCard: row.holder_name,
  last4: row.last4,
  link:
    row.link_expires_at === null
      ? null
      : {
          channel: row.channel,
          sentAt: row.sent_at,
          failedAt: row.failed_at,
          reason: row.link_reason,
          isReminder: row.is_reminder === true,
          openedAt: row.opened_at,
          usedAt: row.used_at,
          expiresAt: row.link_expires_at,
        },
});

const readPayouts = `
select p.id, p.list_line, p.phone, p.payee_name::text as payee_name, p.purpose::text as purpose, p.gross, p.state, p.reason::text as reason, p.name_score,
       d.holder_name::text as holder_name, d.last4,
       k.channel, k.sent_at, k.failed_at, k.is_reminder, k.opened_at, k.used_at, k.expires_at as link_expires_at,
       case when k.failed_at is not null then (select j.reason from job j where j.id = k.job_id) when k.sent_at is not null then (
         select coalesce(a.delivery_reason, a.delivery) from attempt a
         where a.job_id = k.job_id and a.outcome = 'completed' and a.delivery in ('failed', 'expired')) end as link_reason
from payout p
left join payout_destination d on d.id = p.destination_id
left join lateral (select x.* from payout_link x where x.payout_id = p.id order by x.id desc limit 1) k on true
where p.list_id = $1 and p.list_line > $2 order by p.list_line limit $3`;
