import { Client } from 'pg';
import { keepServers, type Servers } from '../support/kept-servers.ts';
import type { Mutation } from './mutation.ts';

/** Whatever is changed there may change what a database is made of. */
const DATABASE = 'infra/postgres/';

/** One Postgres and one Redis for many runs, one after the other: to start them takes longer than most of the tests. */
export async function sharedServers() {
  const { servers, stop } = await keepServers();
  let template = '';
  return {
    stop,
    /** As `test/support/global-setup.ts` takes them. What the run before left is gone; the migrated template stays while it is the same. */
    async ready({ edits }: Mutation): Promise<string> {
      const wanted = JSON.stringify(edits.filter(({ file }) => file.startsWith(DATABASE)));
      await drop(servers, wanted === template ? 'test\\_%' : '%');
      template = wanted;
      return JSON.stringify(servers);
    },
  };
}

async function drop({ postgres }: Servers, like: string): Promise<void> {
  const admin = new Client({ connectionString: postgres.superuserUrl });
  await admin.connect();
  try {
    const { rows } = await admin.query<{ name: string }>(
      `select datname as name from pg_database where datname like $1 and (datname like 'test\\_%' or datname like 'navbat\\_template%')`,
      [like],
    );
    for (const { name } of rows) await admin.query(`drop database ${name} with (force)`);
  } finally {
    await admin.end();
  }
}

/** A test that changes roles or settings of the whole server has one of its own: it may leave them changed. */
export const isOfServer = (testText: string): boolean =>
  /\b(?:alter|create|drop) role\b|\balter (?:system|database)\b/i.test(testText);
