import { Migration } from '@mikro-orm/migrations';

/** What a test key sends is finished as it is written, and is told of as what live keys send is when it ends. */
export class Migration0026TestEvents extends Migration {
  override up(): void {
    this.addSql(testEvents);
  }
}

const testEvents = `
create function webhook_on_test_jobs() returns trigger language plpgsql as $$
declare
  done job;
begin
  for done in
    select n.* from job_after n
    where n.mode = 'test' and n.finished_at is not null and n.state <> 'cancelled' and n.kind in ('telegram-message', 'push')
      and exists (select from webhook_endpoint e where e.project_id = n.project_id and e.mode = n.mode)
  loop
    perform webhook_on_message(done);
  end loop;
  return null;
end
$$;
create trigger webhook_on_test_jobs after insert on job referencing new table as job_after
  for each statement execute function webhook_on_test_jobs();
`;
