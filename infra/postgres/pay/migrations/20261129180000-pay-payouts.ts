import { Migration } from '@mikro-orm/migrations';

/**
 * What is paid, and how finance groups it: destinations, lists, payouts, batches with their items, and what staff did with them
 * (docs/adr/0027-four-eyes-in-sql.md).
 *
 * Amounts are bigint of tiyin. The ledger has micros: 1 tiyin is 10 000 of them. Rows are written by functions of later migrations
 * only. Triggers hold those functions, and the owner, to what never changes.
 */
export class Migration20261129180000PayPayouts extends Migration {
  override up(): void {
    for (const sql of [
      texts,
      destinations,
      lists,
      payouts,
      batches,
      items,
      actions,
      notices,
      ...kept,
      noneForPublic,
    ])
      this.addSql(sql);
  }
}

/** Digits with a plus, as `domain/shared/phone.ts` writes them. */
const PHONE = String.raw`'^\+[1-9][0-9]{6,14}$'`;
/** Of a batch's total: what two people at one screen can answer for. 1 000 M UZS. */
const BATCH_TOTAL_MAX = '100000000000';
/** What one batch may hold. */
const BATCH_ITEMS_MAX = '100000';

const texts = `
-- What people write about a payment: one line, and no card number in it.
create domain payout_text as text
  check (length(value) between 1 and 200 and value !~ '[[:cntrl:]]')
  check (not holds_card_number(value));
-- A word of ours: a state, a reason, an action.
create domain payout_word as text check (length(value) between 1 and 40 and value ~ '^[a-z]' and value !~ '[^a-z-]')`;

const destinations = `
-- Where money can go: a card or an account, bound on the rail's own form or given to finance by its owner. Never changed; distrusted or
-- removed once. The token's plain text stands nowhere.
create table payout_destination (
  id uuid primary key default uuidv7(),
  project_id uuid not null references ledger_book,
  -- Exactly one: a person, or a payee who is known by their phone alone.
  person_id uuid,
  phone text check (phone ~ ${PHONE}),
  rail money_text not null check (rail in ('multicard', 'bank-file')),
  token_encrypted bytea not null,
  -- HMAC-SHA256 of the rail's token or account: what an item freezes, and how a card is found that several people share.
  holder_hash bytea not null check (length(holder_hash) = 32),
  last4 text not null check (last4 ~ '^[0-9]{4}$'),
  holder_name payout_text,
  -- Whether the rail says that the card has this payee's phone. Null: it says nothing.
  phone_matches boolean,
  pinfl_hash bytea check (length(pinfl_hash) = 32),
  -- Nothing is paid to it before: whose account was taken over has that long to notice.
  usable_from timestamptz not null,
  made_at timestamptz not null,
  distrusted_at timestamptz,
  removed_at timestamptz,
  check (num_nonnulls(person_id, phone) = 1)
);
create index payout_destination_person on payout_destination (person_id) where person_id is not null;
create index payout_destination_phone on payout_destination (phone) where phone is not null;
create index payout_destination_holder on payout_destination (holder_hash)`;

const lists = `
-- A file of finance's own, imported whole.
create table payout_list (
  id uuid primary key default uuidv7(),
  project_id uuid not null references ledger_book,
  -- The project whose money pays it.
  funder uuid not null,
  name payout_text not null,
  sha256 bytea not null check (length(sha256) = 32),
  lines int not null check (lines > 0),
  total bigint not null check (total > 0),
  imported_by uuid not null references staff,
  at timestamptz not null
);
create index payout_list_sha256 on payout_list (project_id, sha256)`;

const payouts = `
-- One payment to one payee. While it is open its gross is held in the ledger, under its id.
create table payout (
  id uuid primary key default uuidv7(),
  project_id uuid not null references ledger_book,
  source text not null check (source in ('withdrawal', 'list', 'api')),
  -- The project whose 'funded' pays; null: the person's own 'available'.
  funder uuid,
  person_id uuid,
  phone text check (phone ~ ${PHONE}),
  payee_name payout_text,
  purpose payout_text,
  -- The customer's own.
  reference payout_text check (reference !~ '[^!-~]'),
  list_id uuid references payout_list,
  list_line int check (list_line > 0),
  destination_id uuid references payout_destination,
  rail money_text not null check (rail in ('multicard', 'bank-file')),
  gross bigint not null,
  fee bigint not null check (fee >= 0),
  net bigint not null check (net > 0),
  state text not null check (state in
    ('confirming', 'awaiting-card', 'pending', 'batched', 'paid', 'failed', 'returned', 'cancelled')),
  reason payout_word,
  -- Counts the changes; a trigger does.
  version int not null default 1,
  -- Of the challenge that the person's device answers.
  verification_id uuid unique,
  -- 'person', 'staff:ID', 'key:ID'.
  asked_by money_text not null check (asked_by ~ '^(person|(staff|key):[0-9a-f-]{36})$'),
  -- 0 to 100: the name on the card against that of the list.
  name_score smallint check (name_score between 0 and 100),
  created_at timestamptz not null,
  state_at timestamptz not null,
  -- Of confirming and awaiting-card: until when somebody is waited for.
  expires_at timestamptz,
  unique (list_id, list_line),
  check (gross = net + fee),
  check ((source = 'withdrawal') = (funder is null)),
  check (source <> 'withdrawal' or person_id is not null),
  check ((source = 'list') = (list_id is not null)),
  check ((list_id is null) = (list_line is null)),
  check (num_nonnulls(person_id, phone) > 0),
  check ((state in ('confirming', 'awaiting-card')) = (expires_at is not null)),
  check (state in ('awaiting-card', 'cancelled') or destination_id is not null)
) with (fillfactor = 80);
create unique index payout_reference on payout (funder, reference) where source = 'api';
create index payout_phone on payout (phone) where phone is not null;
create index payout_person on payout (person_id, created_at) where person_id is not null;
create index payout_open on payout (project_id, rail, state, id) where state in ('confirming', 'awaiting-card', 'pending', 'batched');
create index payout_expiry on payout (expires_at) where expires_at is not null;
create index payout_destination_of on payout (destination_id) where destination_id is not null`;

const batches = `
create table payout_batch (
  id uuid primary key default uuidv7(),
  project_id uuid not null references ledger_book,
  rail money_text not null check (rail in ('multicard', 'bank-file')),
  name payout_text not null,
  state text not null default 'draft' check (state in ('draft', 'submitted', 'approved', 'running', 'paused', 'done', 'closed')),
  -- Of what staff read: each change of the content or of the state by a person counts. Approving needs the version that was read.
  version int not null default 1,
  count int not null default 0 check (count between 0 and ${BATCH_ITEMS_MAX}),
  -- Net: what leaves by the rail.
  total bigint not null default 0 check (total between 0 and ${BATCH_TOTAL_MAX}),
  -- SHA-256 over the rows that were submitted. From then on they do not change.
  content_hash bytea check (length(content_hash) = 32),
  approvals_needed smallint not null default 1 check (approvals_needed between 1 and 2),
  made_by uuid not null references staff,
  made_at timestamptz not null,
  submitted_at timestamptz,
  -- When it is to start by itself.
  run_at timestamptz,
  started_at timestamptz,
  done_at timestamptz,
  closed_at timestamptz,
  check ((state = 'draft') = (content_hash is null)),
  check (run_at is null or state = 'approved'),
  check ((state in ('done', 'closed')) = (done_at is not null)),
  check ((state = 'closed') = (closed_at is not null))
);
create index payout_batch_state on payout_batch (rail, state, id)`;

const items = `
-- A payout in a batch, as it was when it was added. What leaves is what stands here.
create table payout_item (
  batch_id uuid not null references payout_batch,
  n int not null check (n > 0),
  payout_id uuid not null references payout,
  net bigint not null check (net > 0),
  -- holder_hash of its destination.
  token_hash bytea not null check (length(token_hash) = 32),
  last4 text not null check (last4 ~ '^[0-9]{4}$'),
  person_id uuid,
  phone text check (phone ~ ${PHONE}),
  state text not null default 'ready' check (state in ('ready', 'dispatched', 'paid', 'failed', 'returned', 'dropped')),
  dispatch_id uuid,
  primary key (batch_id, n),
  check (state not in ('dispatched', 'paid', 'returned') or dispatch_id is not null)
) with (fillfactor = 80);
-- No payout stands in two batches, nor twice in one.
create unique index payout_item_once on payout_item (payout_id) where state not in ('dropped', 'failed');
create index payout_item_ready on payout_item (batch_id, n) where state = 'ready';
create index payout_item_dispatched on payout_item (batch_id) where state = 'dispatched';
create index payout_item_dispatch on payout_item (dispatch_id) where dispatch_id is not null`;

const actions = `
-- Who did what to money, written in the commit that did it. What two people do are two rows: 'x-asked' and 'x-agreed' of one subject.
create table payout_action (
  id uuid primary key default uuidv7(),
  batch_id uuid references payout_batch,
  -- What it was done to: the id of a batch, a dispatch, a list, or the name of a rail.
  subject money_text not null,
  -- Of the batch, as it was read.
  version int,
  staff_id uuid not null references staff,
  action payout_word not null,
  hash bytea check (length(hash) = 32),
  count int,
  total bigint,
  reason text check (length(reason) between 1 and 500 and not holds_card_number(reason)),
  proof_id uuid unique references staff_proof,
  at timestamptz not null
);
create index payout_action_batch on payout_action (batch_id, at) where batch_id is not null;
create index payout_action_subject on payout_action (subject, at);
-- One person approves one version once.
create unique index payout_action_approval on payout_action (batch_id, version, staff_id) where action = 'approve'`;

const notices = `
-- What somebody is to be told of a payout, written in the commit in which it happened, and handed to messages later.
create table payout_notice (
  payout_id uuid not null references payout,
  what text not null check (what in ('receipt-paid', 'receipt-failed', 'receipt-returned', 'link', 'link-reminder')),
  at timestamptz not null,
  handed_at timestamptz,
  primary key (payout_id, what)
);
create index payout_notice_waiting on payout_notice (at) where handed_at is null`;

/** Triggers hold the functions too, and the owner. */
const kept = [
  `
create function payout_refuse_change() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  raise exception '% on %: this is never changed', lower(tg_op), tg_table_name using errcode = 'NB009';
end $$`,
  ...['payout_list', 'payout_action'].map(
    (table) => `
create trigger ${table}_kept before update or delete or truncate on ${table} for each statement execute function payout_refuse_change()`,
  ),
  ...['payout_destination', 'payout', 'payout_batch', 'payout_item', 'payout_notice'].map(
    (table) => `
create trigger ${table}_kept before delete or truncate on ${table} for each statement execute function payout_refuse_change()`,
  ),
  // A token is encrypted anew when its key is; its hash, which items freeze, stays.
  `
create trigger payout_destination_same before update of id, project_id, person_id, phone, rail, holder_hash, last4, holder_name, phone_matches,
    pinfl_hash, usable_from, made_at on payout_destination
  for each statement execute function payout_refuse_change()`,
  `
create trigger payout_destination_ends_once before update on payout_destination for each row
  when (old.removed_at is not null and new.removed_at is distinct from old.removed_at
    or old.distrusted_at is not null and new.distrusted_at is distinct from old.distrusted_at)
  execute function payout_refuse_change()`,
  `
create trigger payout_same before update of id, project_id, source, funder, person_id, phone, payee_name, purpose, reference, list_id, list_line,
    gross, fee, net, asked_by, created_at on payout
  for each statement execute function payout_refuse_change()`,
  `
create trigger payout_notice_same before update of payout_id, what, at on payout_notice
  for each statement execute function payout_refuse_change()`,
  `
create trigger payout_notice_handed_once before update on payout_notice for each row
  when (old.handed_at is not null) execute function payout_refuse_change()`,
  `
-- Its arrows. A destination is bound once, while the card is waited for. version, state_at and the end of expires_at are written here.
create function payout_changes() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if new.state <> old.state and (old.state, new.state) not in (
       ('confirming', 'pending'), ('confirming', 'cancelled'),
       ('awaiting-card', 'pending'), ('awaiting-card', 'cancelled'),
       ('pending', 'batched'), ('pending', 'cancelled'),
       ('batched', 'pending'), ('batched', 'paid'), ('batched', 'failed'),
       ('paid', 'returned')) then
    raise exception 'a payout that is % can not become %', old.state, new.state using errcode = 'NB010', detail = old.state;
  end if;
  if (new.destination_id, new.rail, new.name_score) is distinct from (old.destination_id, old.rail, old.name_score)
     and (old.state <> 'awaiting-card' or old.destination_id is not null) then
    raise exception 'where a payout goes is bound once' using errcode = 'NB009';
  end if;
  if old.verification_id is not null and new.verification_id is distinct from old.verification_id then
    raise exception 'a payout is confirmed by one challenge' using errcode = 'NB009';
  end if;
  new.version := old.version + 1;
  if new.state <> old.state then
    new.state_at := greatest(ledger_clock(), old.state_at);
    if new.state not in ('confirming', 'awaiting-card') then new.expires_at := null; end if;
  end if;
  return new;
end $$`,
  `create trigger payout_changes before update on payout for each row execute function payout_changes()`,
  `
create function payout_batch_changes() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if old.state = 'closed'
     or (new.id, new.project_id, new.rail, new.made_by, new.made_at) is distinct from (old.id, old.project_id, old.rail, old.made_by, old.made_at)
     or old.state <> 'draft' and new.name <> old.name
     or new.version not in (old.version, old.version + 1) then
    raise exception 'this of a batch is never changed' using errcode = 'NB009';
  end if;
  if new.state <> old.state and (old.state, new.state) not in (
       ('draft', 'submitted'), ('submitted', 'draft'), ('submitted', 'approved'), ('approved', 'running'), ('approved', 'done'),
       ('running', 'paused'), ('paused', 'running'), ('running', 'done'), ('paused', 'done'), ('done', 'closed')) then
    raise exception 'a batch that is % can not become %', old.state, new.state using errcode = 'NB027', detail = old.state;
  end if;
  if 'draft' not in (old.state, new.state)
     and (new.content_hash, new.count, new.total, new.approvals_needed, new.submitted_at)
       is distinct from (old.content_hash, old.count, old.total, old.approvals_needed, old.submitted_at) then
    raise exception 'what was submitted is not changed' using errcode = 'NB009';
  end if;
  return new;
end $$`,
  `create trigger payout_batch_changes before update on payout_batch for each row execute function payout_batch_changes()`,
  `
-- Added to a draft only. From then on only the state and the dispatch change; both are over with dropped, failed and returned.
create function payout_item_changes() returns trigger language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  batch_state text := (select b.state from payout_batch b where b.id = new.batch_id);
begin
  if tg_op = 'INSERT' then
    if batch_state is distinct from 'draft' or new.state <> 'ready' then
      raise exception 'items are added to a draft' using errcode = 'NB027', detail = batch_state;
    end if;
    return new;
  end if;
  if (new.batch_id, new.n, new.payout_id, new.net, new.token_hash, new.last4, new.person_id, new.phone)
     is distinct from (old.batch_id, old.n, old.payout_id, old.net, old.token_hash, old.last4, old.person_id, old.phone) then
    raise exception 'an item is never changed' using errcode = 'NB009';
  end if;
  if new.state <> old.state and (old.state, new.state) not in (
       ('ready', 'dispatched'), ('ready', 'dropped'), ('dispatched', 'dropped'),
       ('dispatched', 'paid'), ('dispatched', 'failed'), ('paid', 'returned'))
     or new.state = 'dispatched' and old.state = 'ready' and batch_state <> 'running'
     or new.state = 'dropped' and batch_state not in ('draft', 'approved', 'paused')
     or old.state <> 'ready' and new.dispatch_id is distinct from old.dispatch_id then
    raise exception 'an item that is % can not become % in a batch that is %', old.state, new.state, batch_state
      using errcode = 'NB030', detail = old.state;
  end if;
  return new;
end $$`,
  `create trigger payout_item_changes before insert or update on payout_item for each row execute function payout_item_changes()`,
];

/** By name: functions are executable by everybody until somebody says otherwise. */
const noneForPublic = `
revoke execute on function payout_refuse_change(), payout_changes(), payout_batch_changes(), payout_item_changes() from public`;
