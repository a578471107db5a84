import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

/** A process for ever: a pid alone may by now be somebody else's, so the system's own mark of its start stands beside it. */
const ProcessRecord = z.object({ pid: z.number().int().positive(), mark: z.string() });
export type ProcessRecord = z.infer<typeof ProcessRecord>;

const OwnerRecord = ProcessRecord.extend({ stopping: z.boolean() });

const ChildRecord = ProcessRecord.extend({ name: z.string() });
export type ChildRecord = z.infer<typeof ChildRecord>;

/** Says when a process began, or undefined when there is none of that pid. */
export type StartMark = (pid: number) => string | undefined;

const OWNER_FILE = 'supervisor.json';
const CHILDREN_FILE = 'children.json';

/** A supervisor whose npm was killed notices it within this time, and says that it stops. */
const NOTICE_MS = 1_500;
/** Longer than the longest stop: a start right after a Ctrl-C waits for it. */
const STOPPING_MS = 90_000;
const LOOK_MS = 100;

class HomeInUse extends Error {
  override readonly name = 'HomeInUse';
  readonly isStopping: boolean;

  constructor(home: string, owner: z.infer<typeof OwnerRecord>) {
    super(
      `Navbat already runs in ${home} (process ${owner.pid}). Stop it, or choose another NAVBAT_HOME and other ports.`,
    );
    this.isStopping = owner.stopping;
  }
}

/** A relative NAVBAT_HOME is the clone's, wherever the shell happens to stand. */
export function homeDirectory(clone: string, setting: string | undefined): string {
  return resolve(clone, setting || '.navbat');
}

/**
 * Makes this process the home's only supervisor. What a killed one left is taken over; a living one is left alone.
 *
 * @throws HomeInUse when another `npm start` runs in this home.
 */
export async function claimHome(home: string, startMark: StartMark): Promise<void> {
  const draft = await draftOwner(home, startMark, false);
  const began = performance.now();
  try {
    // Only one process can make the link; a record of the dead is moved aside first, and looked at again once it is moved.
    while (!(await linked(draft, join(home, OWNER_FILE))))
      await setAsideDeadOwner(home, startMark).catch(async (error: unknown) => {
        const patienceMs = error instanceof HomeInUse && error.isStopping ? STOPPING_MS : NOTICE_MS;
        if (performance.now() - began > patienceMs) throw error;
        await sleep(LOOK_MS);
      });
  } finally {
    await rm(draft, { force: true });
  }
}

/** Tells a start that comes now that the home will soon be free. Only its owner may say so. */
export async function sayStopping(home: string, startMark: StartMark): Promise<void> {
  await rename(await draftOwner(home, startMark, true), join(home, OWNER_FILE));
}

async function draftOwner(home: string, startMark: StartMark, stopping: boolean): Promise<string> {
  const draft = join(home, `${OWNER_FILE}.${process.pid}`);
  const own = { pid: process.pid, mark: startMark(process.pid) ?? '', stopping };
  await writeFile(draft, JSON.stringify(own), { mode: 0o600 });
  return draft;
}

export const releaseHome = (home: string): Promise<void> => rm(join(home, OWNER_FILE), { force: true });

/** Written before anything else happens after a spawn, and at once: what is not written down outlives a `kill -9` of ours. */
export function recordChildren(home: string, children: readonly ChildRecord[]): void {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const path = join(home, CHILDREN_FILE);
  writeFileSync(`${path}.new`, JSON.stringify(children), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Those of a killed supervisor's children that still run, and are the same processes. */
export function leftoverChildren(home: string, startMark: StartMark): ChildRecord[] {
  return readChildren(home).filter((child) => isSame(child, startMark));
}

function readChildren(home: string): ChildRecord[] {
  try {
    return z.array(ChildRecord).parse(JSON.parse(readFileSync(join(home, CHILDREN_FILE), 'utf8')));
  } catch {
    // No file: the first start. An unreadable one names nobody whom we could stop with a good conscience.
    return [];
  }
}

async function setAsideDeadOwner(home: string, startMark: StartMark): Promise<void> {
  const path = join(home, OWNER_FILE);
  await refuseLiving(home, path, startMark);
  const aside = `${path}.dead.${process.pid}`;
  await rename(path, aside).catch(() => undefined);
  try {
    // Between the look and the move another start may have put its own record there: put it back and give way.
    await refuseLiving(home, aside, startMark);
  } catch (error) {
    await linked(aside, path);
    throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

async function refuseLiving(home: string, path: string, startMark: StartMark): Promise<void> {
  const owner = OwnerRecord.safeParse(await readJson(path));
  if (owner.success && isSame(owner.data, startMark)) throw new HomeInUse(home, owner.data);
}

const readJson = (path: string): Promise<unknown> =>
  readFile(path, 'utf8').then(
    (text) => JSON.parse(text) as unknown,
    () => undefined,
  );

const isSame = ({ pid, mark }: ProcessRecord, startMark: StartMark): boolean => startMark(pid) === mark;

const linked = (from: string, to: string): Promise<boolean> =>
  link(from, to).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
      throw error;
    },
  );
