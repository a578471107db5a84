import type pg from 'pg';
import type { EarlierBatch, Risk, Sum } from '../../../../domain/pay/finance/batches.ts';
import { BatchId } from '../../../../domain/pay/ids.ts';
import { NAME_SCORE_DOUBTFUL } from '../../../../domain/pay/list/name-score.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { type ItemRow, itemOf } from './items.ts';

/** A card that is new to us is where a thief's first payment goes. */
const NEW_DAYS = 7;
const LARGEST = 5;
const EARLIER = 3;

interface RiskRow {
  readonly sign: keyof typeof signs;
  readonly count: number;
  readonly total: string;
}

/** By the name that SQL gives each. */
const signs = {
  new: 'newDestinations',
  shared: 'sharedCards',
  first: 'firstPayouts',
  low: 'lowNames',
  unknown: 'unknownNames',
  blocked: 'blocked',
  repeated: 'repeatedPayees',
  revoked: 'revokedKeys',
} as const satisfies Record<string, keyof Risk>;

export async function riskOf(pool: pg.Pool, book: ProjectId, id: BatchId): Promise<Risk> {
  const [sums, largest, before] = await Promise.all([
    pool.query<RiskRow>(readSigns, [id, NEW_DAYS, NAME_SCORE_DOUBTFUL]),
    pool.query<ItemRow>(readLargest, [id, LARGEST]),
    pool.query<EarlierRow>(readEarlier, [book, id, EARLIER]),
  ]);
  const found = new Map(
    sums.rows.map(({ sign, count, total }) => [sign, { count, total: BigInt(total) } satisfies Sum]),
  );
  const bySign = Object.entries(signs).map(([sign, name]) => [
    name,
    found.get(sign as keyof typeof signs) ?? { count: 0, total: 0n },
  ]);
  return {
    ...(Object.fromEntries(bySign) as Pick<Risk, (typeof signs)[keyof typeof signs]>),
    largest: largest.rows.map(itemOf),
    before: before.rows.map(earlierOf),
  };
}

/** One pass over the lines; each look besides is by an index. */
const readSigns = `
with lines as (
  select i.n, i.net, i.token_hash, i.person_id, i.phone, p.name_score, p.source, p.asked_by, d.made_at,
    count(*) over (partition by i.person_id, i.phone) as of_payee
  from payout_item i join payout p on p.id = i.payout_id join payout_destination d on d.id = p.destination_id
  where i.batch_id = $1 and i.state <> 'dropped'),
told as (
  select l.net,
    l.made_at > navbat_now() - $2 * interval '1 day' as is_new,
    -- A line may name its payee by both; a card is of one of them.
    exists (select from payout_destination o where o.holder_hash = l.token_hash
      and (o.person_id = l.person_id) is not true and (o.phone = l.phone) is not true) as is_shared,
    not case when l.person_id is not null
      then exists (select from payout x where x.person_id = l.person_id and x.state = 'paid')
      else exists (select from payout x where x.phone = l.phone and x.state = 'paid') end as is_first,
    coalesce(l.name_score < $3, false) as is_low,
    l.source <> 'withdrawal' and l.name_score is null as is_unknown,
    exists (select from payout_block b where b.person_id = l.person_id and b.lifted_at is null and (b.until is null or b.until > navbat_now())) as is_blocked,
    l.of_payee > 1 as is_repeated,
    exists (select from api_key k where k.id = case when l.asked_by like 'key:%' then substr(l.asked_by, 5)::uuid end and k.revoked_at is not null) as is_revoked
  from lines l)
select s.sign, count(*)::int as count, coalesce(sum(t.net), 0)::text as total
from told t cross join lateral (values
  ('new', t.is_new), ('shared', t.is_shared), ('first', t.is_first), ('low', t.is_low), ('unknown', t.is_unknown),
  ('blocked', t.is_blocked), ('repeated', t.is_repeated), ('revoked', t.is_revoked)) s(sign, holds)
where s.holds group by s.sign`;

const readLargest = `
select i.n, i.payout_id, i.net, i.last4, i.state, i.person_id, i.phone, p.payee_name, p.purpose, p.reference, p.name_score, p.reason
from payout_item i join payout p on p.id = i.payout_id
where i.batch_id = $1 and i.state <> 'dropped' order by i.net desc, i.n limit $2`;

interface EarlierRow {
  readonly id: string;
  readonly name: string;
  readonly count: number;
  readonly total: string;
  readonly started_at: Date;
}

const earlierOf = ({ id, name, count, total, started_at }: EarlierRow): EarlierBatch => ({
  id: BatchId.parse(id),
  name,
  count,
  total: BigInt(total),
  startedAt: started_at,
});

const readEarlier = `
select e.id, e.name, e.count, e.total, e.started_at from payout_batch e join payout_batch b on b.id = $2
where e.project_id = $1 and e.rail = b.rail and e.id <> b.id and e.started_at is not null
order by e.started_at desc, e.id desc limit $3`;
