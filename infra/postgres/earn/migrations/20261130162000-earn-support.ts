import { Migration } from '@mikro-orm/migrations';

/**
 * What people ask of support, and what they are answered. Words and no money: the role that runs writes them.
 *
 * Locks: a person, by an advisory lock, where they write; then the request.
 */
export class Migration20261130162000EarnSupport extends Migration {
  override up(): void {
    for (const sql of [requests, messages, tells]) this.addSql(sql);
  }
}

/** As in domain/earn/support/support.ts. */
const SUBJECT_CHARS_MAX = 120;
const TEXT_CHARS_MAX = 2_000;
const MESSAGES_MAX = 100;

const requests = `
create table support_request (
  id uuid primary key default uuidv7(),
  project_id uuid not null references ledger_book,
  -- No foreign key on the person, whose row another context may delete.
  person_id uuid not null,
  subject text not null check (length(subject) between 1 and ${SUBJECT_CHARS_MAX} and not holds_card_number(subject)),
  locale text not null check (locale in ('uz', 'uz-Cyrl', 'ru', 'en', 'kk', 'ky', 'tg')),
  state text not null check (state in ('open', 'answered', 'closed')),
  messages int not null check (messages between 0 and ${MESSAGES_MAX}),
  created_at timestamptz not null,
  state_at timestamptz not null
);
create index support_request_of on support_request (project_id, person_id, id);
create index support_request_in on support_request (project_id, state, id);
create index support_request_closed on support_request (state_at) where state = 'closed'`;

const messages = `
create table support_message (
  id uuid primary key default uuidv7(),
  request_id uuid not null references support_request on delete cascade,
  -- Who of staff answered; null: the person wrote it.
  staff_id uuid references staff,
  text text not null check (length(text) between 1 and ${TEXT_CHARS_MAX} and not holds_card_number(text)),
  at timestamptz not null,
  -- Of an answer: when it was handed to what tells people.
  handed_at timestamptz,
  check (staff_id is not null or handed_at is null)
);
create index support_message_of on support_message (request_id, at);
create index support_message_due on support_message (id) where staff_id is not null and handed_at is null`;

/** Runs as whoever writes the request. */
const tells = `
create function support_tells() returns trigger language plpgsql as $$
begin
  if webhook_is_wanted(new.project_id, 'live', 'support.opened', null) then
    perform webhook_emit(new.project_id, 'live', 'support.opened', new.id, new.state_at, jsonb_build_object(
      'id', new.id, 'recipient_id', (select c.id from recipient c where c.project_id = new.project_id and c.person_id = new.person_id limit 1),
      'locale', new.locale, 'created_at', new.created_at, 'opened_at', new.state_at), null, null);
  end if;
  return null;
end $$;
create trigger support_opened after insert on support_request for each row execute function support_tells();
create trigger support_reopened after update of state on support_request for each row
  when (new.state = 'open' and old.state <> 'open') execute function support_tells();
revoke execute on function support_tells() from public`;
