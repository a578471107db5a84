import { Migrator } from '@mikro-orm/migrations';
import { MikroORM } from '@mikro-orm/postgresql';
import { entities, migrations } from '../schema.ts';
import { connection } from './session.ts';

/** Connections that MikroORM may hold in one process: everyday reads and writes only, hot statements have their own pool. */
const ORM_CONNECTIONS_MAX = 5;

export function openOrm(databaseUrl: string): Promise<MikroORM> {
  const { connectionString, options } = connection(databaseUrl);
  return MikroORM.init({
    clientUrl: connectionString,
    entities,
    extensions: [Migrator],
    driverOptions: { options },
    pool: { min: 0, max: ORM_CONNECTIONS_MAX },
    migrations: {
      migrationsList: [...migrations],
      snapshot: false,
      transactional: true,
      silent: true,
    },
    forceUtcTimezone: true,
    discovery: { warnWhenNoEntities: false },
  });
}
