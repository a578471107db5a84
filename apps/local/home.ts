import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
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
      `Navbat already runs in ${home}${owner.pid === UNREADABLE.pid ? '' : ` (process ${owner.pid})`}. Stop it, or choose another NAVBAT_HOME and other ports.`,
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
    for (;;) {
      const refusal = await claim(home, draft, startMark);
      if (refusal === null) return;
      const patienceMs = refusal.isStopping ? STOPPING_MS : NOTICE_MS;
      if (performance.now() - began > patienceMs) throw refusal;
      await sleep(LOOK_MS);
    }
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Each dead owner has one heir: who makes the link that is named after it, which only one process can. Heirs may die too, so the
 * owner is the last of a line that begins at the owner file. A link that was made after its line had ended is not in the line, and is
 * taken back. No record is ever moved away, so that no living owner is without one.
 */
async function claim(home: string, draft: string, startMark: StartMark): Promise<HomeInUse | null> {
  const line = await lineOf(home);
  const last = line.at(-1);
  if (last && isSame(last.owner, startMark)) return new HomeInUse(home, last.owner);
  const path = last ? heirFile(home, last.owner) : join(home, OWNER_FILE);
  const isMade = await linked(draft, path);
  const heir = (await lineOf(home)).at(-1);
  if (!isMade || heir?.path !== path) {
    if (isMade) await rm(path, { force: true });
    return new HomeInUse(home, heir?.owner ?? UNREADABLE);
  }
  // The owner file first: a line that begins with us needs none of its ancestors. The draft is moved and not written again, since
  // the link that others read is the same file.
  if (last) await rename(draft, join(home, OWNER_FILE));
  for (const { owner } of line) await rm(heirFile(home, owner), { force: true });
  return null;
}

interface InLine {
  readonly path: string;
  readonly owner: z.infer<typeof OwnerRecord>;
}

/** The owner file's record, its heir, the heir of that, and so on. */
async function lineOf(home: string): Promise<InLine[]> {
  const line: InLine[] = [];
  for (let path = join(home, OWNER_FILE); ;) {
    const text = await readFile(path, 'utf8').catch(() => null);
    if (text === null) return line;
    const owner = readOwner(text, path);
    line.push({ path, owner });
    path = heirFile(home, owner);
    if (line.some((earlier) => earlier.path === path))
      throw new Error(`${path} names an owner that is its own heir. Remove it and start again.`);
  }
}

const heirFile = (home: string, { pid, mark }: ProcessRecord): string =>
  join(home, `${OWNER_FILE}.after-${pid}-${Buffer.from(mark).toString('hex')}`);

/** Tells a start that comes now that the home will soon be free. Only its owner may say so. */
export async function sayStopping(home: string, startMark: StartMark): Promise<void> {
  await rename(await draftOwner(home, startMark, true), join(home, OWNER_FILE));
}

async function draftOwner(home: string, startMark: StartMark, stopping: boolean): Promise<string> {
  const draft = join(home, `${OWNER_FILE}.${process.pid}.${randomUUID()}`);
  const own = { pid: process.pid, mark: startMark(process.pid) ?? '', stopping };
  await writeFile(draft, JSON.stringify(own), { mode: 0o600, flag: 'wx' });
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

/** No process has its pid. */
const UNREADABLE = { pid: 0, mark: 'unreadable', stopping: false } as const;

/** What cannot be read, as after a power cut, names nobody who lives; each such file has an heir of its own. */
function readOwner(text: string, path: string): z.infer<typeof OwnerRecord> {
  try {
    return OwnerRecord.parse(JSON.parse(text));
  } catch {
    return { ...UNREADABLE, mark: createHash('sha256').update(basename(path)).digest('base64url') };
  }
}

const isSame = ({ pid, mark }: ProcessRecord, startMark: StartMark): boolean => startMark(pid) === mark;

const linked = (from: string, to: string): Promise<boolean> =>
  link(from, to).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
      throw error;
    },
  );
