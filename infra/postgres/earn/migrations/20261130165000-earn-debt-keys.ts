import { Migration } from '@mikro-orm/migrations';

/** A day that was paid late to who owed, taken back and given again posts what is owed under a key of its own each time. */
export class Migration20261130165000EarnDebtKeys extends Migration {
  override up(): void {
    for (const sql of [key, post, noneForPublic]) this.addSql(sql);
  }
}

const inner = `
language plpgsql set search_path = pg_catalog, public, pg_temp`;

const key = `
-- Of the part that is owed: earn-debt:{person}:{day}, earn-late-debt:{session}:{day}, earn-again-debt:{session}:{day}. One paid late by an older
-- version stands as earn-debt:{session}:{day}.
create function earn_debt_key(key text) returns text language sql immutable strict parallel safe set search_path = pg_catalog, public, pg_temp as $$
  select regexp_replace(key, ':', '-debt:') $$`;

const post = `
-- Inner: what people earned, each under keys of its own: first what they owe, then what they have. The caller holds the days. The book is
-- locked before a balance is read.
create or replace function earn_post(book uuid, people uuid[], micros bigint[], keys text[], subjects uuid[], of_day date, actor text) returns void
${inner} as $$
declare
  at constant timestamptz := earn_closes_at(of_day) - interval '2 days';
  earnings bigint;
  p_people uuid[]; p_accounts bigint[]; p_amounts bigint[]; p_keys text[]; p_subjects uuid[];
begin
  if coalesce(cardinality(people), 0) = 0 then return; end if;
  perform from ledger_book b where b.project_id = book for no key update;
  select o.account into earnings from ledger_open(book, array['earnings'], array[null::uuid], array[null::text]) o;

  select array_agg(a.id order by w.i), array_agg(least(w.micros, -a.balance) order by w.i), array_agg(earn_debt_key(w.key) order by w.i),
      array_agg(w.subject order by w.i)
    into p_accounts, p_amounts, p_keys, p_subjects
    from unnest(people, micros, keys, subjects) with ordinality w(person, micros, key, subject, i)
    cross join lateral (
      select x.id, x.balance from ledger_account x where x.project_id = book and x.class = 'receivable' and x.owner = w.person and x.rail is null limit 1) a
    where a.balance < 0;
  perform earn_post_to(book, p_accounts, p_amounts, p_keys, p_subjects, earnings, at, actor);

  select array_agg(w.person order by w.i), array_agg(w.micros - coalesce(d.amount, 0) order by w.i), array_agg(w.key order by w.i), array_agg(w.subject order by w.i)
    into p_people, p_amounts, p_keys, p_subjects
    from unnest(people, micros, keys, subjects) with ordinality w(person, micros, key, subject, i)
    left join unnest(p_keys, p_amounts) d(key, amount) on d.key = earn_debt_key(w.key)
    where w.micros > coalesce(d.amount, 0);
  if p_people is null then return; end if;
  select array_agg(o.account order by o.item) into p_accounts
    from ledger_open(book, array_fill('available'::text, array[cardinality(p_people)]), p_people, array_fill(null::text, array[cardinality(p_people)])) o;
  perform earn_post_to(book, p_accounts, p_amounts, p_keys, p_subjects, earnings, at, actor);
end $$`;

const noneForPublic = `revoke execute on function earn_debt_key(text) from public`;
