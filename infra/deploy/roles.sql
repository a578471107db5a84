-- The two roles of Navbat: navbat_owner owns its tables and migrates, navbat_app runs its processes. For a superuser, connected to
-- Navbat's database; may be run again. The database, schema public and what is in it are handed to navbat_owner, and nothing of it
-- changes. What other roles were granted on the database and on schema public is taken back, and so is every role that navbat_app may
-- act as; a notice names each. Passwords of other roles stay.
-- The passwords are settings of the session: set navbat.owner_password and navbat.app_password first.
do $roles$
declare
  alteration text;
begin
  if coalesce(current_setting('navbat.owner_password', true), '') = '' or coalesce(current_setting('navbat.app_password', true), '') = '' then
    raise exception 'navbat.owner_password or navbat.app_password is not set'
      using hint = 'In this session, before this file: set navbat.owner_password = ''...''; set navbat.app_password = ''...'';';
  end if;
  if not exists (select from pg_roles where rolname = 'navbat_owner') then
    create role navbat_owner;
  end if;
  if not exists (select from pg_roles where rolname = 'navbat_app') then
    create role navbat_app;
  end if;
  execute format('alter role navbat_owner login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password %L',
    current_setting('navbat.owner_password'));
  execute format('alter role navbat_app login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password %L',
    current_setting('navbat.app_password'));
  execute format('alter database %I owner to navbat_owner', current_database());
  -- As in a new database: whoever owns the database owns its schema.
  alter schema public owner to pg_database_owner;
  -- Not `reassign owned`: a cluster's first superuser owns the catalogs too, and Postgres refuses it. Sequences and indexes follow
  -- their tables; what an extension brought is the extension's.
  for alteration in
    select format('alter %s %s owner to navbat_owner', o.kind, o.name) from (
      select case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' else 'table' end kind,
        c.oid::regclass::text as name, c.oid, 'pg_class'::regclass catalog, c.relowner owner
      from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'S')
        and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i')
          and d.refclassid = 'pg_class'::regclass and c.relkind = 'S')
      union all
      select 'routine', p.oid::regprocedure::text, p.oid, 'pg_proc'::regclass, p.proowner
      from pg_proc p where p.pronamespace = 'public'::regnamespace
      union all
      select 'type', t.oid::regtype::text, t.oid, 'pg_type'::regclass, t.typowner
      from pg_type t where t.typnamespace = 'public'::regnamespace and t.typtype in ('e', 'd')) o
    where o.owner <> 'navbat_owner'::regrole
      and not exists (select from pg_depend d where d.classid = o.catalog and d.objid = o.oid and d.deptype = 'e')
  loop
    execute alteration;
  end loop;
  -- What everybody and navbat_app may do, `migrate` sets.
  for alteration in
    select distinct format('revoke all on %s from %s cascade', o.what, acl.grantee::regrole) from (
      select format('database %I', datname) what, datacl acl, datdba owner from pg_database where datname = current_database()
      union all
      select 'schema public', nspacl, nspowner from pg_namespace where nspname = 'public') o, aclexplode(o.acl) acl
    where acl.grantee not in (0, o.owner, 'navbat_owner'::regrole, 'navbat_app'::regrole)
    union all
    select format('revoke %s from navbat_app granted by %s cascade', roleid::regrole, grantor::regrole)
    from pg_auth_members where member = 'navbat_app'::regrole
  loop
    execute alteration;
    raise notice '%', alteration;
  end loop;
end
$roles$;
