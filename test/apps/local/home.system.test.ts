import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  claimHome,
  homeDirectory,
  leftoverChildren,
  recordChildren,
  releaseHome,
  sayStopping,
} from '../../../apps/local/home.ts';
import { startMark } from '../../../infra/embedded/process.ts';

const script = fileURLToPath(new URL('./claim-home.ts', import.meta.url));
const started: ChildProcess[] = [];
let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'navbat-home-'));
});
afterEach(async () => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  await rm(home, { recursive: true });
});

async function claimant(): Promise<{ child: ChildProcess & { pid: number }; said: string }> {
  const child = spawn(process.execPath, [script, home], { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  const [said] = await once(createInterface(child.stdout), 'line');
  if (child.pid === undefined) throw new Error('the claimant did not start');
  return { child: Object.assign(child, { pid: child.pid }), said: String(said) };
}

test('a home has one supervisor: a second is refused and told which process has it', async () => {
  const first = await claimant();
  expect(first.said).toBe('claimed');
  await expect(claimHome(home, startMark)).rejects.toThrow(`process ${first.child.pid}`);
  expect((await claimant()).said).toBe('HomeInUse');
});

test('a home whose supervisor was killed is taken over, by one of all that try at once', async () => {
  const killed = await claimant();
  killed.child.kill('SIGKILL');
  await once(killed.child, 'exit');
  const said = (await Promise.all([claimant(), claimant(), claimant(), claimant()])).map((each) => each.said);
  expect(said.toSorted()).toEqual(['HomeInUse', 'HomeInUse', 'HomeInUse', 'claimed']);
});

test('the record of a living owner is whole at each moment in which it takes over', async () => {
  const killed = await claimant();
  killed.child.kill('SIGKILL');
  await once(killed.child, 'exit');
  const taking = claimant();
  let isTaken = false;
  void taking.then(() => (isTaken = true));
  const seen = new Set<string>();
  while (!isTaken) {
    for (const name of await readdir(home))
      if (!/json\.\d+\./.test(name)) seen.add(await readFile(join(home, name), 'utf8').catch(() => 'gone'));
    await sleep(0);
  }
  expect((await taking).said).toBe('claimed');
  expect([...seen].filter((text) => !text.endsWith('}') && text !== 'gone')).toEqual([]);
});

test('of the dead in a line only the last has an heir, and a line that has ended has none', async () => {
  const [first, second] = [await claimant(), { pid: process.pid, mark: 'of another start', stopping: false }];
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  const owner = JSON.parse(await readFile(join(home, 'supervisor.json'), 'utf8')) as {
    pid: number;
    mark: string;
  };
  const heir = join(home, `supervisor.json.after-${owner.pid}-${Buffer.from(owner.mark).toString('hex')}`);
  // Killed between its link and its move to the owner file.
  await writeFile(heir, JSON.stringify(second));
  const said = (await Promise.all([claimant(), claimant(), claimant()])).map((each) => each.said);
  expect(said.toSorted()).toEqual(['HomeInUse', 'HomeInUse', 'claimed']);
  expect(await readdir(home)).toEqual(['supervisor.json']);
});

test('owner files that cannot be read, also one after another, keep nobody out', async () => {
  await writeFile(join(home, 'supervisor.json'), '{');
  const mark = createHash('sha256').update('supervisor.json').digest('base64url');
  await writeFile(join(home, `supervisor.json.after-0-${Buffer.from(mark).toString('hex')}`), '');
  await claimHome(home, startMark);
  expect(await readdir(home)).toEqual(['supervisor.json']);
  await expect(claimHome(home, startMark)).rejects.toThrow(`process ${process.pid}`);
});

/** A supervisor that is dead as seen from `marks`, and its heir's file. */
const dead = { pid: 4_000_001, mark: 'dead', stopping: false };
const living = { pid: 4_000_002, mark: 'living', stopping: false };
const ownerFile = () => join(home, 'supervisor.json');
const heirOf = ({ pid, mark }: { pid: number; mark: string }) =>
  join(home, `supervisor.json.after-${pid}-${Buffer.from(mark).toString('hex')}`);

test('an heir of a line that has ended while it was read takes its link back, and is refused by the living owner', async () => {
  await writeFile(ownerFile(), JSON.stringify(dead));
  const marks = (pid: number) => {
    // Between the look and the link another start has taken over, and cleared the line behind it.
    if (pid === dead.pid) writeFileSync(ownerFile(), JSON.stringify(living));
    return pid === living.pid ? living.mark : undefined;
  };
  await expect(claimHome(home, marks)).rejects.toThrow(`process ${living.pid}`);
  expect(await readdir(home)).toEqual(['supervisor.json']);
});

test('an owner that is its own heir is refused, by the file that names it', async () => {
  await writeFile(ownerFile(), JSON.stringify(dead));
  await writeFile(heirOf(dead), JSON.stringify(dead));
  await expect(claimHome(home, () => undefined)).rejects.toThrow(
    `${heirOf(dead)} names an owner that is its own heir`,
  );
});

test('who is refused by a record that cannot be read is told of no process', async () => {
  await writeFile(ownerFile(), JSON.stringify(dead));
  // At each look another start is first with the link, and its record is damaged.
  let next = heirOf(dead);
  const marks = (pid: number) => {
    if (pid === process.pid) return 'ours';
    writeFileSync(next, '');
    next = heirOf({ pid: 0, mark: createHash('sha256').update(basename(next)).digest('base64url') });
    return undefined;
  };
  const refused = claimHome(home, marks).catch((error: unknown) => String(error));
  expect(await refused).toBe(
    `HomeInUse: Navbat already runs in ${home}. Stop it, or choose another NAVBAT_HOME and other ports.`,
  );
});

test('a stranger with the pid of a dead supervisor does not keep the home', async () => {
  const stranger = await claimant();
  await writeFile(
    join(home, 'supervisor.json'),
    JSON.stringify({ pid: stranger.child.pid, mark: 'of another start', stopping: false }),
  );
  await claimHome(home, startMark);
  await expect(claimHome(home, startMark)).rejects.toThrow(`process ${process.pid}`);
});

test('a home that was released is free', async () => {
  await claimHome(home, startMark);
  await releaseHome(home);
  expect((await claimant()).said).toBe('claimed');
});

test('a start right after a Ctrl-C waits until the home is free', async () => {
  await claimHome(home, startMark);
  await sayStopping(home, startMark);
  const next = claimant();
  const early = await Promise.race([next.then(({ said }) => said), sleep(3_000, 'still waiting')]);
  expect(early).toBe('still waiting');
  await releaseHome(home);
  expect((await next).said).toBe('claimed');
});

test('of recorded children only those that still run, as the same processes, are left over', async () => {
  const [living, dead] = [await claimant(), await claimant()];
  const record = (name: string, { child }: typeof living) => ({
    name,
    pid: child.pid,
    mark: startMark(child.pid) ?? '',
  });
  const api = record('api', living);
  recordChildren(home, [api, record('board', dead), { ...api, name: 'stranger', mark: 'of another start' }]);
  dead.child.kill('SIGKILL');
  await once(dead.child, 'exit');
  expect(leftoverChildren(home, startMark)).toEqual([api]);
});

test("a relative NAVBAT_HOME is the clone's, an empty one is .navbat in it", () => {
  expect(homeDirectory('/clone', undefined)).toBe('/clone/.navbat');
  expect(homeDirectory('/clone', '')).toBe('/clone/.navbat');
  expect(homeDirectory('/clone', 'data/one')).toBe('/clone/data/one');
  expect(homeDirectory('/clone', '/var/data')).toBe('/var/data');
});
