import { createHash } from 'node:crypto';
import type pg from 'pg';
import type {
  DueLink,
  LinkOutbox,
  LinkView,
  MadeLink,
  OpenBinding,
  PayoutLinks,
} from '../../../../domain/pay/link/port.ts';
import type { Destinations } from '../../../../domain/pay/payout/port.ts';
import type { BoundCard } from '../../../../domain/pay/rail/port.ts';
import { MoneyRefusedError } from '../../../../domain/pay/refusals.ts';
import type { Phone } from '../../../../domain/shared/phone.ts';
import { inTransaction, type Queryable } from '../../engine/transaction.ts';
import { refusing } from '../money-faults.ts';

/** The token has 256 bits of chance: a plain hash of it can't be searched. */
const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/** For the page of a link, and for what the rail tells of its forms. */
export function payoutLinks(pool: pg.Pool, destinations: Pick<Destinations<Queryable>, 'add'>): PayoutLinks {
  return {
    find: async (token, now) => {
      const { rows } = await pool.query<LinkRow>(findLink, [hashOf(token)]);
      return rows[0] ? viewOf(rows[0], now) : null;
    },
    begin: async (token, bindingId, session) => {
      const { rows } = await pool.query<{ begun: 'begun' | 'gone' | 'too-many' }>(
        'select payout_binding_begin($1, $2, $3) as begun',
        [bindingId, hashOf(token), session],
      );
      return rows[0]?.begun ?? 'gone';
    },
    binding: (bindingId) => findBinding(pool, bindingId),
    bind: (bindingId, card, of) => bind(pool, destinations, { bindingId, card, ...of }),
  };
}

interface Bound {
  readonly bindingId: string;
  readonly card: BoundCard;
  readonly phone: Phone;
  readonly nameScore: number | null;
}

async function bind(
  pool: pg.Pool,
  destinations: Pick<Destinations<Queryable>, 'add'>,
  { bindingId, card, phone, nameScore }: Bound,
): ReturnType<PayoutLinks['bind']> {
  const { token, last4, holderName, pinfl } = card;
  const phoneMatches = card.phone === null ? null : card.phone === phone;
  try {
    await inTransaction(pool, async (tx) => {
      const of = { payee: { phone }, rail: 'multicard', last4, holderName, phoneMatches, pinfl } as const;
      const destinationId = await destinations.add(tx, { ...of, token: token.reveal() });
      await refusing(
        tx.query('select payout_link_bind($1, $2, $3::smallint)', [bindingId, destinationId, nameScore]),
      );
    });
    return { ok: true };
  } catch (error) {
    if (error instanceof MoneyRefusedError) return { ok: false, refusal: error.refusal };
    throw error;
  }
}

interface LinkRow {
  readonly payout_id: string;
  readonly state: string;
  readonly gross: string;
  readonly payer: string;
  readonly purpose: string | null;
  readonly phone: string;
  readonly last4: string | null;
  readonly expires_at: Date;
  readonly revoked_at: Date | null;
  readonly used_at: Date | null;
  readonly binding_id: string | null;
}

const findLink = `
select l.payout_id, p.state, p.gross, coalesce(o.settings ->> 'display_name', o.slug) as payer, p.purpose::text as purpose, p.phone, d.last4, l.expires_at,
       l.revoked_at, l.used_at,
       (select b.id from payout_binding b where b.link_id = l.id and b.ended_at is null order by b.begun_at desc limit 1) as binding_id
from payout_link l join payout p on p.id = l.payout_id join project o on o.id = p.funder left join payout_destination d on d.id = p.destination_id
where l.token_hash = $1`;

const viewOf = (row: LinkRow, now: Date): LinkView => ({
  payoutId: row.payout_id,
  state: stateOf(row, now),
  amount: BigInt(row.gross),
  payer: row.payer,
  purpose: row.purpose,
  phone: row.phone as Phone,
  // Whoever opens a link that binds nothing any more is shown no card.
  last4: row.used_at === null ? null : row.last4,
  expiresAt: row.expires_at,
  bindingId: row.binding_id,
});

function stateOf(
  { state, revoked_at: revokedAt, expires_at: expiresAt }: LinkRow,
  now: Date,
): LinkView['state'] {
  if (state === 'cancelled') return expiresAt <= now ? 'expired' : 'cancelled';
  if (state === 'failed' || state === 'returned') return 'failed';
  if (state === 'paid') return 'paid';
  if (state !== 'awaiting-card') return 'bound';
  if (revokedAt !== null) return 'replaced';
  return expiresAt <= now ? 'expired' : 'live';
}

async function findBinding(pool: pg.Pool, bindingId: string): Promise<OpenBinding | null> {
  const { rows } = await pool.query<{
    session: string;
    phone: string;
    payee_name: string | null;
    ended: boolean;
  }>(readBinding, [bindingId]);
  const [row] = rows;
  if (!row) return null;
  return { session: row.session, phone: row.phone as Phone, payeeName: row.payee_name, isEnded: row.ended };
}

const readBinding = `
select b.session::text as session, p.phone, p.payee_name::text as payee_name, b.ended_at is not null as ended
from payout_binding b join payout_link l on l.id = b.link_id join payout p on p.id = l.payout_id
where b.id = $1`;

/** For whoever sends links. */
export function linkOutbox(pool: pg.Pool): LinkOutbox {
  return {
    due: async (limit, withoutChat, now) => {
      const { rows } = await pool.query<DueRow>(readDue, [limit, withoutChat, now]);
      return rows.map(dueOf);
    },
    make: async (payoutId, token, channel) => {
      const { rows } = await pool.query<MadeLink>(makeLink, [payoutId, hashOf(token), channel]);
      return rows[0] ?? null;
    },
    sent: async (linkId) => {
      await pool.query('select payout_link_sent($1)', [linkId]);
    },
  };
}

interface DueRow {
  readonly payout_id: string;
  readonly phone: string;
  readonly gross: string;
  readonly payer: string;
  readonly purpose: string | null;
  readonly expires_at: Date;
  readonly chats: readonly string[];
}

const dueOf = ({
  payout_id: payoutId,
  gross,
  expires_at: expiresAt,
  chats,
  phone,
  ...row
}: DueRow): DueLink => ({
  payoutId,
  phone: phone as Phone,
  amount: BigInt(gross),
  payer: row.payer,
  purpose: row.purpose,
  expiresAt,
  chatIds: chats,
});

/** As `payout_link_make` decides it, once more and under a lock. */
const readDue = `
select p.id as payout_id, p.phone, p.gross, coalesce(o.settings ->> 'display_name', o.slug) as payer, p.purpose::text as purpose, p.expires_at, c.chats
from payout p
join project o on o.id = p.funder
left join lateral (
  select x.* from payout_link x where x.payout_id = p.id and x.used_at is null and x.revoked_at is null limit 1) l on true
cross join lateral (
  select coalesce(array_agg(h.telegram_id::text order by h.proven_at), '{}') as chats
  from person_phone f join person_chat h on h.person_id = f.person_id and h.mode = 'live' where f.phone = p.phone and f.person_id = p.person_id) c
where p.state = 'awaiting-card' and p.phone is not null and p.expires_at > $3::timestamptz
  and (l.id is null
    or l.sent_at is null and l.made_at <= $3::timestamptz - interval '10 minutes'
    or l.sent_at <= $3::timestamptz - interval '3 days' and not l.is_reminder)
  and (select count(*) from payout_link x where x.payout_id = p.id) < 6
  and ($2 or c.chats <> '{}')
order by p.id limit $1`;

const makeLink = `
select id, is_reminder as "isReminder" from payout_link_make($1, $2, $3)`;
