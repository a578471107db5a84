import { createHash } from 'node:crypto';
import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type {
  DueLink,
  LinkOutbox,
  LinkView,
  OpenBinding,
  PayoutLinks,
  SendLinkAgain,
  SentAgain,
} from '../../../../domain/pay/link/port.ts';
import type { Destinations } from '../../../../domain/pay/payout/port.ts';
import type { BoundCard } from '../../../../domain/pay/rail/port.ts';
import { MoneyRefusedError } from '../../../../domain/pay/refusals.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import type { Phone } from '../../../../domain/shared/phone.ts';
import type { Encryption, KeyedHash } from '../../../process/crypto.ts';
import { inTransaction, type Queryable } from '../../engine/transaction.ts';
import { refusing } from '../money-faults.ts';
import { reachedNobody } from './reached.ts';

/** The token has 256 bits of chance: a plain hash of it can't be searched. */
const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/** For the page of a link, and for what the rail tells of its forms. */
export function payoutLinks(pool: pg.Pool, destinations: Pick<Destinations<Queryable>, 'add'>): PayoutLinks {
  return {
    find: async (token, now) => {
      const { rows } = await pool.query<LinkRow>(findLink, [hashOf(token)]);
      return rows[0] ? viewOf(rows[0], now) : null;
    },
    begin: async (token, bindingId) => {
      const { rows } = await pool.query<{ begun: 'begun' | 'gone' | 'too-many' }>(
        'select payout_binding_begin($1, $2) as begun',
        [bindingId, hashOf(token)],
      );
      return rows[0]?.begun ?? 'gone';
    },
    opened: async (bindingId, session) => {
      const { rows } = await pool.query<{ opened: 'opened' | 'gone' }>(
        'select payout_binding_opened($1, $2) as opened',
        [bindingId, session],
      );
      return rows[0]?.opened ?? 'gone';
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
       (select b.id from payout_binding b where b.link_id = l.id and b.session is not null and b.ended_at is null order by b.begun_at desc limit 1) as binding_id
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
where b.id = $1 and b.session is not null`;

export interface LinkMaking {
  readonly pool: pg.Pool;
  readonly hash: KeyedHash;
  readonly encryption: Encryption;
}

/** For whoever sends links. */
export function linkOutbox({ pool, ...secrets }: LinkMaking): LinkOutbox {
  return {
    due: async (limit, now) => {
      const { rows } = await pool.query<DueLink>(readDue, [limit, now]);
      return rows;
    },
    make: async ({ payoutId, phone }, token) => {
      const made = newLink(secrets, phone, token);
      const { rows } = await pool.query<{ made: boolean }>(makeLink, [payoutId, ...made]);
      return rows[0]?.made === true;
    },
  };
}

/** Its id, and of its token the hash, by which it is found, and the encrypted one, until it has left. */
function newLink(
  { hash, encryption }: Pick<LinkMaking, 'hash' | 'encryption'>,
  phone: Phone,
  token: string,
): readonly [string, Buffer, Buffer, Buffer] {
  const id = uuidv7();
  return [id, hashOf(token), encryption.encrypt(token, id), hash('address', phone)];
}

/** As `payout_link_make` decides it, once more and under a lock. */
const readDue = `
select p.id as "payoutId", p.phone
from payout p
left join payout_link l on l.payout_id = p.id and l.used_at is null and l.revoked_at is null
cross join lateral (select ${reachedNobody('l')} as lost) x
where p.state = 'awaiting-card' and p.phone is not null and p.expires_at > $2::timestamptz
  and (l.id is null
    or l.job_id is null and l.sent_at is null and l.made_at <= $2::timestamptz - interval '10 minutes'
    or not x.lost and not l.is_reminder and l.sent_at <= $2::timestamptz - interval '3 days'
    or x.lost and (coalesce(l.failed_at, l.sent_at) <= $2::timestamptz - interval '1 day' or exists (
         select from person_phone f join person_chat h on h.person_id = f.person_id and h.mode = 'live'
         left join telegram_chat c on c.chat_id = h.telegram_id
         where f.address_hash = l.address_hash and f.phone = p.phone and (p.person_id is null or f.person_id = p.person_id)
           and c.closed_reason is null and greatest(f.proven_at, h.proven_at, c.opened_at) > l.made_at)))
  and (select count(*) < 30 and count(k.sent_at) < 6 from payout_link k where k.payout_id = p.id)
order by p.id limit $1`;

const makeLink = `
select payout_link_make($1, $2, $3, $4, $5) as made`;

export function linkAgain({
  pool,
  book,
  ...secrets
}: LinkMaking & { readonly book: ProjectId }): SendLinkAgain {
  return async (payoutId, staffId, token) => {
    const { rows: of } = await pool.query<{ phone: Phone }>(readPhone, [book, payoutId]);
    const [payout] = of;
    if (!payout) return 'unknown';
    const made = newLink(secrets, payout.phone, token);
    try {
      const asked = pool.query<{ sent: SentAgain }>(sendAgain, [book, payoutId, staffId, ...made]);
      const { rows } = await refusing(asked);
      return rows[0]?.sent ?? 'unknown';
    } catch (error) {
      if (error instanceof MoneyRefusedError) return error.refusal;
      throw error;
    }
  };
}

/** Its phone never changes. */
const readPhone = `
select coalesce(phone, '') as phone from payout where project_id = $1 and id = $2`;
const sendAgain = `
select payout_link_again($1, $2, $3, $4, $5, $6, $7) as sent`;
