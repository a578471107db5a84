import { Migration } from '@mikro-orm/migrations';

/** A SQLSTATE of its own: NB001 is the ledger's, and a request refused for money must not read as one for too many people. */
export class Migration20261129150310IdentityPeopleCeiling extends Migration {
  override up(): void {
    this.addSql(counting);
  }
}

const counting = `
create or replace function count_new_people() returns trigger language plpgsql as $$
declare
  full_project record;
begin
  insert into project_rows_change (project_id, what, n) select project_id, 'people', count(*) from people_after group by 1;
  -- Sees what is committed and its own: two at once may each be the last one.
  select p.id, (p.ceilings ->> 'people')::bigint ceiling, counted.n into full_project
  from (select distinct project_id from people_after) a join project p on p.id = a.project_id
  cross join lateral (select coalesce(sum(n), 0) n from (
    select n from project_rows where project_id = p.id and what = 'people'
    union all select n from project_rows_change where project_id = p.id and what = 'people') c) counted
  where counted.n > coalesce((p.ceilings ->> 'people')::bigint, 500000) limit 1;
  if full_project.id is not null then
    raise exception 'ceiling people is reached' using errcode = 'NB101',
      detail = json_build_object('limit', coalesce(full_project.ceiling, 500000), 'used', full_project.n - 1)::text;
  end if;
  return null;
end
$$;
`;
