import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { isRoot, undo, initialisedHome, postgresIn, redisIn, sql, redis } from './homes.ts';
import { z } from 'zod';
import { isAlive, killProcess, waitUntilGone } from '../../../infra/embedded/process.ts';

const supervisorLine = z.object({
  postgresPid: z.number(),
  ownerUrl: z.string(),
  redisPid: z.number(),
  redisUrl: z.string(),
});

/** A supervisor of its own, under `wrapper` where one is given. */
async function supervisorIn(home: string, wrapper: readonly string[] = []) {
  const script = fileURLToPath(new URL('./small-supervisor.ts', import.meta.url));
  const [program, ...args] = [...wrapper, process.execPath, script, home];
  const supervisor = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  undo.push(async () => supervisor.kill('SIGKILL'));
  const [line] = await once(createInterface(supervisor.stdout), 'line');
  const servers = supervisorLine.parse(JSON.parse(String(line)));
  undo.push(() => Promise.all([killProcess(servers.postgresPid), killProcess(servers.redisPid)]));
  return { supervisor, ...servers };
}

async function killedSupervisor(home: string) {
  const left = await supervisorIn(home);
  await sql(left.ownerUrl, 'create table kept (n int)');
  await redis(left.redisUrl, (client) => client.set('kept', '1'));
  left.supervisor.kill('SIGKILL');
  await once(left.supervisor, 'exit');
  const servers = [left.postgresPid, left.redisPid];
  expect(await Promise.all(servers.map((pid) => waitUntilGone(pid, 500)))).toEqual([false, false]);
  return left;
}

test('after a kill -9 of whoever started them, the next start stops what was left and has its data', async () => {
  const home = await initialisedHome();
  const left = await killedSupervisor(home);
  const [postgres, store] = await Promise.all([postgresIn(home), redisIn(home)]);
  expect([isAlive(left.postgresPid), isAlive(left.redisPid)]).toEqual([false, false]);
  expect(await sql(postgres.ownerUrl, 'select n from kept')).toEqual([]);
  expect(await redis(store.url, (client) => client.get('kept'))).toBe('1');
});

const setpriv = '/usr/bin/setpriv';
test.runIf(isRoot && existsSync(setpriv))(
  'what was left is stopped by a root that may not look into processes, as in a container',
  async () => {
    const home = await initialisedHome();
    const left = await killedSupervisor(home);
    const next = await supervisorIn(home, [setpriv, '--bounding-set=-sys_ptrace']);
    expect([isAlive(left.postgresPid), isAlive(left.redisPid)]).toEqual([false, false]);
    expect(await sql(next.ownerUrl, 'select n from kept')).toEqual([]);
    expect(await redis(next.redisUrl, (client) => client.get('kept'))).toBe('1');
  },
);
