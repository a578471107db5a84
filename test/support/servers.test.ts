import { Redis } from 'ioredis';
import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { freshDatabase, freshRedis } from './servers.ts';

async function tablesOf(url: string): Promise<string[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const found = await client.query<{ name: string }>(
    `select table_name name from information_schema.tables where table_schema = 'public'`,
  );
  await client.end();
  return found.rows.map((row) => row.name);
}

describe("a test file's own servers", () => {
  test('a fresh database is migrated, and what one writes no other sees', async () => {
    const [one, two] = await Promise.all([freshDatabase(), freshDatabase()]);
    expect(await tablesOf(one.url)).toContain('job');

    const client = new Client({ connectionString: one.ownerUrl });
    await client.connect();
    await client.query('create table mine()');
    await client.end();
    expect(await tablesOf(one.ownerUrl)).toContain('mine');
    expect(await tablesOf(two.ownerUrl)).not.toContain('mine');

    await one.drop();
    await expect(tablesOf(one.url)).rejects.toThrow('does not exist');
    await two.drop();
  });

  test('a fresh Redis is empty, and what one writes no other sees', async () => {
    const urls = await Promise.all([freshRedis(), freshRedis()]);
    const clients = urls.map((url) => new Redis(url));
    await clients[0]?.set('mine', '1');
    expect(await Promise.all(clients.map((client) => client.dbsize()))).toEqual([1, 0]);
    await Promise.all(clients.map((client) => client.quit()));
  });
});
