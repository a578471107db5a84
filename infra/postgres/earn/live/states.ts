import type pg from 'pg';
import { z } from 'zod';
import { SessionId } from '../../../../domain/earn/ids.ts';
import {
  LIVE_SESSIONS_MAX,
  LIVE_WITHDRAWALS_MAX,
  type LiveStates,
  type LiveTexts,
} from '../../../../domain/earn/live/port.ts';
import { DestinationId, PayoutId, RailId } from '../../../../domain/pay/ids.ts';
import { PayoutState } from '../../../../domain/pay/payout/payout.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';

/** What those who follow see of their money, by one statement for all of them. */
export const liveStates = (pool: pg.Pool, book: ProjectId): LiveStates => ({
  texts: async (personIds) => {
    const { rows } = await pool.query<LiveRow>(look, [
      book,
      personIds,
      LIVE_SESSIONS_MAX,
      LIVE_WITHDRAWALS_MAX,
    ]);
    return new Map(rows.map(({ person_id, ...texts }) => [person_id, texts]));
  },
  read: {
    balance: (text) => Balance.parse(JSON.parse(text)),
    session: (text) => Sessions.parse(JSON.parse(text)).map(sessionOf),
    price: (text) => Price.parse(JSON.parse(text)),
    withdrawal: (text) => Withdrawals.parse(JSON.parse(text)).map(withdrawalOf),
  },
});

interface LiveRow extends LiveTexts {
  readonly person_id: string;
}

/** Texts of digits, since JSON's own numbers end at 2^53 in JavaScript. */
const Whole = z.string().transform(BigInt);
const Time = z.string().transform((text) => new Date(text));

const Balance = z.object({ available: Whole, held: Whole, receivable: Whole });

const Sessions = z.array(
  z.object({
    id: SessionId,
    installation_id: z.string(),
    started_at: Time,
    reports: z.int(),
    bytes: Whole,
    amount: Whole,
    review: Whole,
  }),
);

const sessionOf = ({ installation_id, started_at, ...one }: z.infer<typeof Sessions>[number]) => ({
  ...one,
  installationId: installation_id,
  startedAt: started_at,
});

const Price = z
  .object({ day: z.string(), tiyin_per_mb: z.int(), carried: z.boolean() })
  .transform(({ day, tiyin_per_mb, carried }) => ({ day, tiyinPerMb: tiyin_per_mb, carried }))
  .nullable();

const Withdrawals = z.array(
  z.object({
    id: PayoutId,
    state: z.enum([...PayoutState.options, 'review']),
    reason: z.string().nullable(),
    gross: Whole,
    fee: Whole,
    net: Whole,
    destination_id: DestinationId,
    rail: RailId,
    last4: z.string(),
    created_at: Time,
    state_at: Time,
  }),
);

const withdrawalOf = ({
  destination_id: id,
  rail,
  last4,
  created_at: createdAt,
  state_at: stateAt,
  ...one
}: z.infer<typeof Withdrawals>[number]) => ({
  ...one,
  destination: { id, rail, last4 },
  createdAt,
  stateAt,
});

/**
 * For each person one look into each index: of accounts by class and owner, of open sessions by person, of payouts by person. Nothing of what
 * lies further back is read, however long somebody has earned. What can be withdrawn is rounded down, what is owed up.
 */
const look = `
with price_now as materialized (
  select coalesce((
    select json_build_object('day', p.day, 'tiyin_per_mb', p.tiyin_per_mb,
      'carried', p.carried or p.day <> (navbat_now() at time zone 'Asia/Tashkent')::date)::text
    from price p where p.project_id = $1 and p.day <= (navbat_now() at time zone 'Asia/Tashkent')::date order by p.day desc limit 1), 'null') as text)
select f.id::text as person_id, price_now.text as price,
  (select json_build_object(
      'available', coalesce(sum(floor(a.balance / 10000.0)) filter (where a.class = 'available'), 0)::text,
      'held', coalesce(sum(floor(a.balance / 10000.0)) filter (where a.class = 'held'), 0)::text,
      'receivable', coalesce(sum(ceil(-a.balance / 10000.0)) filter (where a.class = 'receivable'), 0)::text)::text
    from ledger_account a where a.project_id = $1 and a.owner = f.id and a.class in ('available', 'held', 'receivable')) as balance,
  (select coalesce(json_agg(json_build_object('id', s.id, 'installation_id', s.installation_id, 'started_at', s.started_at, 'reports', s.reports,
      'bytes', m.bytes::text, 'amount', m.amount::text, 'review', m.review::text) order by s.id desc), '[]')::text
    from (
      select t.id, t.installation_id, t.started_at, t.reports from traffic_session t
      where t.project_id = $1 and t.person_id = f.id and t.ended_at is null order by t.id desc limit $3) s
    cross join lateral (
      select coalesce(sum(d.bytes), 0) as bytes, floor(coalesce(sum(d.micros) filter (where d.verdict = 'pay'), 0) / 10000.0)::bigint as amount,
        floor(coalesce(sum(d.micros) filter (where d.verdict = 'review'), 0) / 10000.0)::bigint as review
      from session_day d where d.session_id = s.id) m) as session,
  (select coalesce(json_agg(json_build_object('id', w.id, 'state', w.state, 'reason', w.reason, 'gross', w.gross::text, 'fee', w.fee::text,
      'net', w.net::text, 'destination_id', e.id, 'rail', e.rail, 'last4', e.last4, 'created_at', w.created_at, 'state_at', w.state_at)
      order by w.created_at desc, w.id desc), '[]')::text
    from (
      select p.id, p.reason, p.gross, p.fee, p.net, p.destination_id, p.created_at, p.state_at, case when p.state = 'pending' and exists (
          select from payout_block b where b.person_id = f.id and b.lifted_at is null and (b.until is null or b.until > navbat_now()))
        then 'review' else p.state end as state
      from payout p where p.project_id = $1 and p.person_id = f.id and p.source = 'withdrawal' order by p.created_at desc limit $4) w
    join payout_destination e on e.id = w.destination_id) as withdrawal
from unnest($2::uuid[]) f(id) cross join price_now`;
