import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { freshDatabase } from '../../support/servers.ts';

interface Kept {
  readonly table: string;
  /** Some column of it. */
  readonly column: string;
  /** A trigger on it. */
  readonly trigger: string;
  /** Rows are added by the role that runs, and not by a function alone. */
  readonly isAddedTo: boolean;
}

const PRIVILEGE = '42501';

/** For each table that nobody may rewrite: what navbat_app is refused in SQL. */
export function describeKept(tables: readonly Kept[]): void {
  describe.each(tables)('as navbat_app, $table', ({ table, column, trigger, isAddedTo }) => {
    const changes: readonly (readonly [string, string])[] = [
      ['update', `update ${table} set ${column} = ${column}`],
      ['update of no row', `update ${table} set ${column} = ${column} where false`],
      ['delete', `delete from ${table}`],
      ['truncate', `truncate ${table} cascade`],
      ['a lock', `select from ${table} for update`],
      ['alter', `alter table ${table} add column more int`],
      ['drop', `drop table ${table} cascade`],
      ['disabling a trigger', `alter table ${table} disable trigger ${trigger}`],
      ['dropping a trigger', `drop trigger ${trigger} on ${table}`],
      ['a trigger of its own', `create trigger mine before insert on ${table} execute function ${trigger}()`],
      ['session_replication_role', 'set session_replication_role = replica'],
      ['the owner by set role', 'set role navbat_owner'],
      ['the owner by set session authorization', 'set session authorization navbat_owner'],
      ['a table in front of it', `create temp table ${table} (n int)`],
      ['a function', `create function mine() returns int language sql as 'select 1'`],
      ...(isAddedTo ? [] : [['insert', `insert into ${table} default values`] as const]),
    ];
    test.each(changes)('refuses %s', async (_what, sql) => {
      const database = await kept();
      await expect(database.query(sql)).rejects.toMatchObject({ code: PRIVILEGE });
    });

    test.runIf(isAddedTo)('may be added to', async () => {
      const database = await kept();
      // Past the privileges, to what the table itself asks for.
      await expect(database.query(`insert into ${table} default values`)).rejects.toMatchObject({
        code: '23502',
      });
    });
  });
}

let opened: Promise<pg.Pool> | undefined;
/** One for all tables: nothing is changed in it. */
const kept = (): Promise<pg.Pool> =>
  (opened ??= freshDatabase().then(
    ({ url }) => new pg.Pool({ connectionString: url, max: 1, allowExitOnIdle: true }),
  ));
