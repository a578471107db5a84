import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  isRoot,
  undo,
  temporaryHome,
  initialisedHome,
  postgresIn,
  sql,
  sessionOf,
  stranger,
} from './homes.ts';
import { freePort } from '../../../infra/embedded/port.ts';
import { startPostgres } from '../../../infra/embedded/postgres.ts';
import { isAlive } from '../../../infra/embedded/process.ts';

describe('an embedded Postgres', () => {
  test('keeps committed rows over a stop and over a kill, at the same address', async () => {
    const home = await initialisedHome();
    const first = await postgresIn(home);
    await sql(first.ownerUrl, 'create table kept (n int); insert into kept values (1)');
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);

    const second = await postgresIn(home, first.port);
    expect(second.url).toBe(first.url);
    await sql(second.ownerUrl, 'insert into kept values (2)');
    await second.kill();
    expect(isAlive(second.pid)).toBe(false);

    const third = await postgresIn(home, first.port);
    expect(await sql(third.ownerUrl, 'select n from kept order by n')).toEqual([{ n: 1 }, { n: 2 }]);
  });

  test('is UTF8, durable and in a session of its own, whatever the environment says', async () => {
    const { LANG, PGPORT } = process.env;
    delete process.env['LANG'];
    process.env['PGPORT'] = '1';
    undo.push(async () => {
      if (LANG !== undefined) process.env['LANG'] = LANG;
      if (PGPORT === undefined) delete process.env['PGPORT'];
      else process.env['PGPORT'] = PGPORT;
    });
    const server = await postgresIn(await temporaryHome());
    const settings = await sql<{ name: string; setting: string }>(
      server.url,
      `select name, setting from pg_settings where name in
         ('server_encoding', 'fsync', 'synchronous_commit', 'listen_addresses', 'max_connections')`,
    );
    expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual({
      server_encoding: 'UTF8',
      fsync: 'on',
      synchronous_commit: 'on',
      listen_addresses: '127.0.0.1',
      max_connections: '200',
    });
    expect(sessionOf(server.pid)).toBe(server.pid);
    expect(sessionOf(server.pid)).not.toBe(sessionOf(process.pid));
  });

  test('lets nobody in without the password', async () => {
    const server = await postgresIn(await initialisedHome());
    const guess = new URL(server.url);
    guess.password = 'guess';
    await expect(sql(guess.href, 'select 1')).rejects.toThrow('password authentication failed');
  });

  test('starts although its pid file names a stranger, and leaves the stranger alone', async () => {
    const home = await initialisedHome();
    const first = await postgresIn(home);
    const pidFile = join(first.dataDirectory, 'postmaster.pid');
    const text = readFileSync(pidFile, 'utf8');
    await first.stop();
    const other = stranger();
    await writeFile(pidFile, text.replace(/^\d+/, String(other.pid)));

    const second = await postgresIn(home);
    expect(await sql(second.url, 'select 1 as n')).toEqual([{ n: 1 }]);
    expect(isAlive(other.pid)).toBe(true);
  });

  test('says in its log why it could not start at a port that is taken', async () => {
    const home = await initialisedHome();
    const port = await freePort();
    const occupier = createServer().listen(port, '127.0.0.1');
    await once(occupier, 'listening');
    undo.push(async () => void occupier.close());
    await expect(startPostgres({ directory: home, port })).rejects.toThrow('Address already in use');
  });

  test.runIf(isRoot)(
    'runs for root in a home that only root may enter, and finds its data again',
    async () => {
      const outer = await temporaryHome();
      const home = join(outer, 'home');
      await mkdir(home);
      await chmod(home, 0o700);
      const first = await postgresIn(home);
      expect(first.dataDirectory).toMatch(/^\/var\/lib\/navbat\/homes\//);
      undo.unshift(() => rm(join(first.dataDirectory, '..'), { recursive: true }));
      await sql(first.ownerUrl, 'create table kept (n int)');
      await first.stop();

      const second = await postgresIn(home);
      expect(second.dataDirectory).toBe(first.dataDirectory);
      expect(await sql(second.ownerUrl, 'select n from kept')).toEqual([]);
    },
  );
});
