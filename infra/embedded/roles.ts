import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Client } from 'pg';

const SCRIPT = resolve(import.meta.dirname, '../deploy/roles.sql');

interface Passwords {
  readonly owner: string;
  readonly app: string;
}

/** Makes both roles with these passwords, and hands over what a version with one role made; `url` is the superuser's. */
export async function makeRoles(url: string, { owner, app }: Passwords): Promise<void> {
  const script = await readFile(SCRIPT, 'utf8');
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(
      `select set_config('navbat.owner_password', $1, false), set_config('navbat.app_password', $2, false)`,
      [owner, app],
    );
    await client.query(script);
  } finally {
    await client.end();
  }
}
