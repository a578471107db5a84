import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { grants } from '../../../infra/postgres/grants.ts';
import { readKeys, written } from '../../../infra/postgres/runtime-shape.ts';
import { freshDatabase } from '../../support/servers.ts';
import { openRoleGround } from './role-ground.ts';

const database = await freshDatabase();
const owner = new pg.Pool({ connectionString: database.ownerUrl, max: 1 });
afterAll(async () => {
  await owner.end();
  await database.drop();
});

const INSTEAD =
  'Write it as the other migrations do: create [or replace] function … as $$ … $$; create trigger … execute function ….';

test('each function and trigger of a migrated database is read out of the migrations', async () => {
  const { functions, triggers } = written();
  const { rows: made } = await owner.query<{ name: string }>(
    `select proname::text name from pg_proc where pronamespace = 'public'::regnamespace and proname <> 'navbat_now' order by 1`,
  );
  expect(functions.map(({ name }) => name).toSorted(), INSTEAD).toEqual(
    made.map(({ name }) => name).toSorted(),
  );
  const { rows: fired } = await owner.query<{ name: string }>(
    `select c.relname || '.' || t.tgname name from pg_trigger t join pg_class c on c.oid = t.tgrelid where not t.tgisinternal order by 1`,
  );
  expect(triggers.map(({ table, name }) => `${table}.${name}`).toSorted(), INSTEAD).toEqual(
    fired.map(({ name }) => name).toSorted(),
  );
});

test('each unique key of the tables that are named with some is named', async () => {
  const { rows } = await owner.query<{ table: string; columns: string }>(readKeys);
  for (const [table, keys] of grants.flatMap(({ keys = {} }) => Object.entries(keys)))
    expect(
      rows
        .filter((row) => row.table === table)
        .map(({ columns }) => columns)
        .toSorted(),
      `keys of ${table}, in the keys of its context (grants.ts)`,
    ).toEqual(keys.toSorted());
});

const { saidAfter } = await openRoleGround();
const changed = (what: string) =>
  `As navbat_owner, make it as infra/postgres has it (docs/operations.md, "Database roles"). First difference: ${what}`;

test.each([
  [
    'drop trigger audit_is_kept on audit',
    'the trigger audit_is_kept on audit is not as the migrations made it.',
  ],
  [
    'drop trigger audit_is_kept on audit; create trigger audit_is_kept before truncate on audit for each statement execute function audit_is_kept()',
    'the trigger audit_is_kept on audit is not',
  ],
  [
    `drop trigger audit_is_kept on audit; create trigger audit_is_kept before update or delete or truncate on audit for each statement when (false) execute function audit_is_kept()`,
    'the trigger audit_is_kept on audit is not',
  ],
  [
    `set local role navbat_owner; create function mine() returns trigger language plpgsql as $$ begin return null; end $$; create trigger mine before insert on staff_proof for each row execute function mine()`,
    'the trigger mine on staff_proof was made by no migration.',
  ],
  [
    `set local role navbat_owner; create function staff_proof_outcome(int) returns int language sql as 'select 1'; revoke execute on function staff_proof_outcome(int) from public; grant execute on function staff_proof_outcome(int) to navbat_app`,
    'the function staff_proof_outcome is not as',
  ],
  [
    'alter table staff_proof drop constraint staff_proof_staff_id_step_key',
    'the unique key staff_proof (staff_id, step) is gone.',
  ],
  [
    'create rule mine as on insert to audit do instead nothing',
    'the rule mine on audit changes what statements do.',
  ],
  [
    `create function public.mine() returns event_trigger language plpgsql as $$ begin end $$; alter function mine() owner to navbat_owner; revoke execute on function mine() from public; create event trigger mine on login execute function mine()`,
    'the event trigger mine runs code at each login.',
  ],
  [
    'drop trigger staff_proof_kept on staff_proof',
    'the trigger staff_proof_kept on staff_proof is not as the migrations made it.',
  ],
  ['alter function staff_proof_outcome security invoker', 'the function staff_proof_outcome is not as'],
  ['alter function staff_proof_outcome reset search_path', 'the function staff_proof_outcome is not as'],
  [
    'alter table staff_proof enable row level security',
    'the table staff_proof has row level security, which hides rows.',
  ],
])('%s: no process starts', async (sql, said) => {
  expect(await saidAfter(sql)).toContain(changed(said));
});

test('an older schema is told as that', async () => {
  const older =
    'delete from mikro_orm_migrations where id = (select max(id) from mikro_orm_migrations); drop trigger audit_is_kept on audit';
  expect(await saidAfter(older)).toMatch(
    /the schema is of an older version\. Run: npm run migrate\. First difference: the trigger audit_is_kept/,
  );
});
