import { Migration } from '@mikro-orm/migrations';

/** The audit sets its own time: `navbat_app`, as which this runs, may not write that column (`staff/grants.ts`). */
export class Migration20261129150700WebhookDisabledAudit extends Migration {
  override up(): void {
    this.addSql(`
create or replace function webhook_on_disabled() returns trigger language plpgsql as $$
begin
  insert into audit (actor, action, subject, detail) values ('navbat', 'webhook.disabled', new.id::text,
    jsonb_build_object('project', new.project_id, 'host', new.host, 'reason', new.disabled_reason));
  if webhook_is_wanted(new.project_id, new.mode, 'endpoint.disabled', null) then
    perform webhook_emit(new.project_id, new.mode, 'endpoint.disabled', new.id, new.disabled_at,
      jsonb_build_object('id', new.id, 'host', new.host, 'reason', new.disabled_reason, 'failing_since', new.failing_since,
        'disabled_at', new.disabled_at), null, null);
  end if;
  return null;
end
$$`);
  }
}
