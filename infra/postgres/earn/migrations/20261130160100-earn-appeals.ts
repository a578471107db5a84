import { Migration } from '@mikro-orm/migrations';

/**
 * A person asks that somebody looks at a day again, and a member of staff answers.
 *
 * Locks: the session's day first, then its appeal; then the book.
 */
export class Migration20261130160100EarnAppeals extends Migration {
  override up(): void {
    for (const sql of [review, appeals, kept, ...own, make, decide, forget, noneForPublic]) this.addSql(sql);
  }
}

/** As in domain/earn/day/appeal.ts: reports are kept for ten days more. */
const APPEAL_WITHIN = '30 days';

const definer = `
language plpgsql security definer
set search_path = pg_catalog, public, pg_temp
set lock_timeout = '3s'`;

const review = `
create index session_day_review on session_day (project_id, session_id) where verdict = 'review'`;

const appeals = `
create table traffic_appeal (
  id uuid primary key default uuidv7(),
  session_id uuid not null,
  day date not null,
  project_id uuid not null,
  person_id uuid not null,
  -- What the person says; null once it is forgotten with them.
  text text check (length(text) between 1 and 500 and not holds_card_number(text)),
  state text not null default 'open' check (state in ('open', 'upheld', 'overturned')),
  asked_at timestamptz not null,
  ended_at timestamptz,
  ended_by uuid references staff,
  -- For the person.
  answer text check (length(answer) between 1 and 500 and not holds_card_number(answer)),
  unique (session_id, day),
  foreign key (session_id, day) references session_day,
  check ((state = 'open') = (ended_at is null)),
  check ((ended_at is null) = (ended_by is null)),
  check ((ended_at is null) = (answer is null))
);
create index traffic_appeal_state on traffic_appeal (project_id, state, id)`;

const kept = `
create trigger traffic_appeal_kept before delete or truncate or update of id, session_id, day, project_id, person_id, asked_at on traffic_appeal
  for each statement execute function earn_refuse_change()`;

/** Whoever calls the functions that decide days and take them back. */
const own = [
  `
create function earn_refuse_own(of_staff uuid, of_person uuid) returns void
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if exists (select from payout_handler h join person_phone x on x.phone = h.phone where h.staff_id = of_staff and x.person_id = of_person) then
    raise exception 'it is the money of one who handles it' using errcode = 'NB025';
  end if;
end $$`,
  `
-- Nobody decides about their own money. Where an appeal waits, the decision is its answer, whichever way it was made.
create function session_day_acted() returns trigger
${definer} as $$
begin
  perform earn_refuse_own(new.staff_id, d.person_id) from session_day d where d.session_id = new.session_id and d.day = new.day;
  update traffic_appeal a
    set state = case when new.action in ('pay', 'give-again') then 'overturned' else 'upheld' end, ended_at = new.at, ended_by = new.staff_id, answer = new.reason
    where a.session_id = new.session_id and a.day = new.day and a.state = 'open' and new.action <> 'take-back';
  return new;
end $$`,
  `
create trigger session_day_acted before insert on session_day_action for each row execute function session_day_acted()`,
];

const make = `
-- Once a day of a session, and for so long as what it was metered of is there. Twice at once: the second waits for the day, and finds the first.
create function traffic_appeal_make(book uuid, of_person uuid, of_session uuid, of_day date, words text) returns text
${definer} as $$
declare
  d session_day%rowtype;
begin
  perform from session_day x where x.session_id = of_session and x.day = of_day and x.project_id = book and x.person_id = of_person for no key update;
  select x.* into d from session_day x where x.session_id = of_session and x.day = of_day and x.project_id = book and x.person_id = of_person;
  if d.session_id is null then return 'unknown-day'; end if;
  if exists (select from traffic_appeal a where a.session_id = of_session and a.day = of_day) then return 'appealed'; end if;
  if d.verdict = 'pay' and d.taken_micros = d.given_micros then return 'day-paid'; end if;
  if ledger_clock() >= (of_day + 1)::timestamp at time zone 'Asia/Tashkent' + interval '${APPEAL_WITHIN}' then return 'appeal-late'; end if;
  insert into traffic_appeal (session_id, day, project_id, person_id, text, asked_at) values (of_session, of_day, book, of_person, words, ledger_clock());
  return 'appealed-now';
end $$`;

const decide = `
-- Overturned: the day is paid, or given again, as session_day_decide does it. Upheld: it is not, and no rule changes that any more. Twice: the
-- second finds it ended, and says how.
create function traffic_appeal_decide(book uuid, of_appeal uuid, overturns boolean, by_staff uuid, words text) returns text
${definer} as $$
declare
  a traffic_appeal%rowtype;
  d session_day%rowtype;
begin
  perform payout_staff_may(by_staff, array['finance', 'admin']);
  select x.* into a from traffic_appeal x where x.id = of_appeal and x.project_id = book;
  if a.id is null then return 'unknown-appeal'; end if;
  perform from session_day x where x.session_id = a.session_id and x.day = a.day for no key update;
  select x.* into d from session_day x where x.session_id = a.session_id and x.day = a.day;
  select x.* into a from traffic_appeal x where x.id = of_appeal;
  if a.state <> 'open' then return case when (a.state = 'overturned') = overturns then a.state else 'appeal-ended' end; end if;
  perform earn_refuse_own(by_staff, a.person_id);
  -- It has become payable by itself: a gateway reported late.
  if not overturns and d.verdict = 'pay' and d.taken_micros = d.given_micros then return 'day-paid'; end if;
  perform session_day_decide(book, a.session_id, a.day, overturns, by_staff, words);
  -- Where the day was as is decided, nobody has acted on it.
  update traffic_appeal x set state = case when overturns then 'overturned' else 'upheld' end, ended_at = ledger_clock(), ended_by = by_staff, answer = words
    where x.id = of_appeal and x.state = 'open';
  return case when overturns then 'overturned' else 'upheld' end;
end $$`;

const forget = `
-- With the person: their words.
create function traffic_appeal_forget(book uuid, of_person uuid) returns void
${definer} as $$
begin
  update traffic_appeal a set text = null where a.project_id = book and a.person_id = of_person and a.text is not null;
end $$`;

const noneForPublic = `
revoke execute on function
  earn_refuse_own(uuid, uuid), session_day_acted(), traffic_appeal_make(uuid, uuid, uuid, date, text),
  traffic_appeal_decide(uuid, uuid, boolean, uuid, text), traffic_appeal_forget(uuid, uuid)
from public`;
