import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryHome, redisIn, redis, sessionOf, stranger } from './homes.ts';
import { isAlive } from '../../../infra/embedded/process.ts';

describe('an embedded Redis', () => {
  test('evicts nothing, appends every write and asks for its password', async () => {
    const server = await redisIn(await temporaryHome());
    const settings = await redis(server.url, async (client) => [
      await client.config('GET', 'appendonly'),
      await client.config('GET', 'appendfsync'),
      await client.config('GET', 'maxmemory-policy'),
      await client.config('GET', 'bind'),
    ]);
    expect(settings).toEqual([
      ['appendonly', 'yes'],
      ['appendfsync', 'everysec'],
      ['maxmemory-policy', 'noeviction'],
      ['bind', '127.0.0.1'],
    ]);
    const open = new URL(server.url);
    open.password = '';
    await expect(redis(open.href, (client) => client.ping())).rejects.toThrow('NOAUTH');
    expect(sessionOf(server.pid)).toBe(server.pid);
  });

  test('keeps its keys over a stop and over a kill, at the same address', async () => {
    const home = await temporaryHome();
    const first = await redisIn(home);
    await redis(first.url, (client) => client.set('a', '1'));
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);

    const second = await redisIn(home, first.port);
    expect(second.url).toBe(first.url);
    await redis(second.url, (client) => client.set('b', '2'));
    await second.kill();

    const third = await redisIn(home, first.port);
    expect(await redis(third.url, (client) => client.mget('a', 'b'))).toEqual(['1', '2']);
  });

  test('comes back from an older file that was put in its place', async () => {
    const home = await temporaryHome();
    const first = await redisIn(home);
    await redis(first.url, (client) => client.set('old', '1'));
    const appended = join(first.dataDirectory, 'appendonlydir');
    await cp(appended, join(home, 'older'), { recursive: true });
    await redis(first.url, (client) => client.set('new', '1'));
    await first.kill();

    await rm(appended, { recursive: true });
    await cp(join(home, 'older'), appended, { recursive: true });
    const second = await redisIn(home, first.port);
    expect(await redis(second.url, (client) => client.mget('old', 'new'))).toEqual(['1', null]);
  });

  test('leaves a stranger alone whose pid stands in its pid file', async () => {
    const home = await temporaryHome();
    const first = await redisIn(home);
    await first.stop();
    const other = stranger();
    await writeFile(join(first.dataDirectory, 'server.pid'), `${other.pid}\n`);
    await redisIn(home);
    expect(isAlive(other.pid)).toBe(true);
  });
});
