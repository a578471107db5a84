import pg from 'pg';
import { afterAll } from 'vitest';
import { APP_ROLE } from '../../../infra/postgres/engine/grants.ts';
import { refuseOtherRole } from '../../../infra/postgres/runtime-role.ts';
import { freshDatabase } from '../../support/servers.ts';

interface Roles {
  /** Who runs the statements: the superuser where none is named. */
  readonly by?: string;
  /** To whom it is said. */
  readonly to?: string;
}

/** What processes are told of their role, in a database of this file's own. */
export async function openRoleGround() {
  const database = await freshDatabase();
  const superuser = new pg.Client({ connectionString: database.superuserUrl });
  await superuser.connect();
  afterAll(async () => {
    await superuser.end();
    await database.drop();
  });
  /** Said after these statements, which are not committed: roles are of the whole server, where other tests run. */
  const saidAfter = async (statements: string, { by, to = APP_ROLE }: Roles = {}): Promise<string> => {
    await superuser.query('begin');
    if (by) await superuser.query(`set local role ${by}`);
    await superuser.query(statements);
    await superuser.query(`reset role; set session authorization ${to}`);
    const said = await refuseOtherRole(superuser).then(String, String);
    await superuser.query('rollback');
    return said;
  };
  return { saidAfter };
}
