import pg from 'pg';
import { ConfigError } from '../../process/config.ts';

/** What whoever set the URL can mend: by Postgres's own code. */
const mendable: Readonly<Record<string, string>> = {
  '28P01': 'The password is wrong, or there is no such user.',
  '28000': 'That user may not log in.',
  '3D000': 'There is no such database. Create it first.',
};
/** Where Postgres checks the database of a new session; it has one code for everything that is not permitted. */
const CONNECT_CHECK = 'CheckMyDatabase';
const NOT_PERMITTED = '42501';

/** Why Postgres let a session not begin, in a sentence, or null: it was reached, so that waiting changes nothing. */
export function loginFault(variable: string, error: unknown): ConfigError | null {
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return null;
  const advice =
    error.code === NOT_PERMITTED && error.routine === CONNECT_CHECK
      ? 'That user may not connect to this database. Run: npm run migrate, which grants it to navbat_app.'
      : mendable[error.code];
  return advice === undefined ? null : new ConfigError(`${variable}: ${advice}`, { cause: error });
}

/** For the first statement of a process. */
export const refuseLogin =
  (variable: string) =>
  (error: unknown): never => {
    throw loginFault(variable, error) ?? error;
  };
