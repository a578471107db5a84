import { Migration } from '@mikro-orm/migrations';

/**
 * Before a payment is let go, each attempt that may have been paid is looked for once more, as before another attempt is confirmed
 * (docs/adr/0028-a-dispatch-is-asked-not-repeated.md). And drafts that are never sent end: people look.
 */
export class Migration20261130170000PayLookedFor extends Migration {
  override up(): void {
    for (const sql of [look, may, drop, noneForPublic]) this.addSql(sql);
  }
}

/** `DRAFTS_MAX` and `DRAFTS_IN_ALL_MAX` in domain/pay/dispatch/decide.ts. */
const DRAFTS_MAX = 5;
const DRAFTS_IN_ALL_MAX = 200;

const inner = `
language plpgsql set search_path = pg_catalog, public, pg_temp`;

const look = `
-- The first attempt that may have been paid and is to be looked for once more before the money of this dispatch is given back or paid
-- anew. Null: none. Of one that waits, whose next draft is never made, the newest attempt counts too.
create function dispatch_look_for(d payout_dispatch) returns int
language sql stable set search_path = pg_catalog, public, pg_temp as $$
  select min(c.attempt) from rail_call c
  where c.dispatch_id = d.id and c.what = 'draft' and (c.attempt < d.attempt or d.state = 'waiting')
    and (coalesce(c.outcome, '') not in ('refused', 'unsent') or c.because in ('not-found', 'already-applied'))
    and not exists (
      select from rail_call f where f.dispatch_id = d.id and f.what = 'find' and f.attempt = c.attempt and f.outcome = 'answered'
        and f.opened_at >= case d.state when 'waiting' then d.state_at
          else (select max(x.closed_at) from rail_call x where x.dispatch_id = d.id and x.what = 'draft' and x.attempt = d.attempt) end) $$`;

const may = `
-- Whether this arrow is one, by what the calls say. c: the call that has just ended; all null where none has.
create or replace function dispatch_may(d payout_dispatch, target text, c rail_call) returns boolean
${inner} as $$
declare
  is_open constant boolean := d.state in ('waiting', 'drafting', 'drafted', 'confirming', 'unknown', 'asking');
  -- One that waits has nothing at the rail but what is looked for before it is let go.
  is_under_way constant boolean := is_open and (d.state <> 'waiting' or coalesce(c.what = 'find', false));
  draft rail_call%rowtype;
begin
  case target
    when 'paid' then return is_under_way and c.outcome = 'answered' and c.status = 'success';
    when 'returned' then return is_under_way and c.outcome = 'answered' and c.status = 'revert';
    when 'stuck' then
      return is_under_way and c.n is not null
        or d.state = 'waiting' and (
          select count(*) filter (where x.outcome <> 'unsent') >= ${DRAFTS_MAX} or count(*) >= ${DRAFTS_IN_ALL_MAX}
          from rail_call x where x.dispatch_id = d.id and x.what = 'draft');
    when 'unknown' then return is_under_way and c.n is not null and (d.state in ('confirming', 'unknown') or d.rail_uuid is not null or c.status in ('progress', 'billing', 'error'));
    when 'asking' then return d.state = 'drafting' and c.n is not null or d.state = 'confirming' and c.status = 'error' or d.state = 'asking';
    when 'drafted' then
      return d.state = 'drafting' and c.outcome = 'answered' and c.status = 'draft'
        or d.state = 'drafted' and c.what = 'find'
        or d.state = 'confirming' and c.outcome = 'unsent' and dispatch_confirms(d.id) = 0;
    when 'waiting' then
      -- From here it is drafted anew: never once it may have been confirmed.
      return dispatch_confirms(d.id) = 0 and (
        d.state = 'drafting' and c.outcome in ('refused', 'unsent')
        or d.state = 'drafted'
        or d.state = 'waiting' and c.what = 'find'
        or d.state = 'asking' and dispatch_said_twice(d.id, array['absent', 'draft', 'error']));
    when 'failed' then
      if d.state = 'waiting' then return dispatch_unpayable(d.id) is not null and dispatch_look_for(d) is null; end if;
      if not is_under_way then return false; end if;
      select x.* into draft from rail_call x where x.dispatch_id = d.id and x.what = 'draft' order by x.n desc limit 1;
      if d.state in ('drafting', 'asking') and dispatch_confirms(d.id) = 0 then
        return draft.outcome = 'refused' and draft.because in ('card', 'fields', 'limit') and not dispatch_in_doubt(d);
      end if;
      return d.rail_uuid is not null and dispatch_said_twice(d.id, array['error']);
    else return false;
  end case;
end $$`;

const drop = `
-- Of a batch whose rest was cancelled, what is not yet confirmed and has no call under way is taken out too: its payout is pending again.
-- One with an attempt that may have been paid stays until it was looked for: its worker does so.
create or replace function dispatch_drop_rest(batch uuid) returns int
${inner} as $$
declare
  ids uuid[];
  payouts uuid[];
begin
  perform from payout_dispatch d where d.batch_id = batch and d.state in ('waiting', 'drafted') order by d.id for no key update;
  select array_agg(d.id) into ids from payout_dispatch d
    where d.batch_id = batch and d.state in ('waiting', 'drafted') and dispatch_confirms(d.id) = 0 and dispatch_look_for(d) is null
      and not exists (select from rail_call c where c.dispatch_id = d.id and c.closed_at is null);
  if ids is null then return 0; end if;
  perform from payout_item i where i.dispatch_id = any (ids) and i.state = 'dispatched' order by i.batch_id, i.n for no key update;
  select array_agg(i.payout_id order by i.payout_id) into payouts from payout_item i where i.dispatch_id = any (ids) and i.state = 'dispatched';
  perform from payout p where p.id = any (payouts) order by p.id for no key update;
  update payout_dispatch d set state = 'dropped' where d.id = any (ids);
  update payout_item i set state = 'dropped' where i.dispatch_id = any (ids) and i.state = 'dispatched';
  update payout p set state = 'pending' where p.id = any (payouts);
  return cardinality(ids);
end $$`;

const noneForPublic = `
revoke execute on function dispatch_look_for(payout_dispatch) from public`;
