import { readdirSync, readFileSync } from 'node:fs';
import { loadavg } from 'node:os';

/** USER_HZ of Linux, in which /proc counts. */
const TICKS_PER_SECOND = 100;

/** What one process has used until now. */
export const cpuSecondsOf = (pid: number): number => (readStat(pid)?.own ?? Number.NaN) / TICKS_PER_SECOND;

/** Bytes of memory that one process has resident; NaN where it has ended. */
export const residentBytesOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1] ?? Number.NaN) * 1_024;

interface Snapshot {
  readonly atMs: number;
  /** Ticks of each group of processes; a group is a process and all that descend from it. */
  readonly groups: ReadonlyMap<string, number>;
  /** Ticks in which any core did something for anybody. */
  readonly busy: number;
}

/** Cores kept busy by each group since the start, `others` being whatever is no part of the bench. */
export type Cores = Readonly<Record<string, number>>;

/** Watches groups of processes by their first pid. Linux only: elsewhere every figure is NaN. */
export function watchCpu(pids: () => ReadonlyMap<string, number>): () => Cores {
  const before = snapshot(pids());
  return () => {
    const after = snapshot(pids());
    const ticks = ((after.atMs - before.atMs) / 1_000) * TICKS_PER_SECOND;
    const spent = [...after.groups].map(
      ([name, now]) => [name, (now - (before.groups.get(name) ?? 0)) / ticks] as const,
    );
    const ours = spent.reduce((sum, [, cores]) => sum + cores, 0);
    return Object.fromEntries([...spent, ['others', Math.max(0, (after.busy - before.busy) / ticks - ours)]]);
  };
}

interface Stat {
  readonly parent: number;
  /** Its own, in user and system mode. */
  readonly own: number;
  /** Those of its children that have ended. */
  readonly reaped: number;
}

function snapshot(roots: ReadonlyMap<string, number>): Snapshot {
  const stats = new Map<number, Stat>();
  for (const name of entries('/proc')) {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : undefined;
    if (stat) stats.set(Number(name), stat);
  }
  const named = new Map([...roots].map(([name, pid]) => [pid, name]));
  const groups = new Map([...roots.keys()].map((name) => [name, 0]));
  for (const [pid, { own, reaped }] of stats) {
    const name = groupOf(pid, stats, named);
    if (name !== undefined) groups.set(name, (groups.get(name) ?? 0) + own + (named.has(pid) ? reaped : 0));
  }
  return { atMs: performance.now(), groups, busy: busyTicks() };
}

/** The nearest ancestor that is the first of a group: the bench itself is one, so that its children count for themselves. */
function groupOf(
  pid: number,
  stats: ReadonlyMap<number, Stat>,
  named: ReadonlyMap<number, string>,
): string | undefined {
  for (let at = pid; at > 1; at = stats.get(at)?.parent ?? 0) {
    const name = named.get(at);
    if (name !== undefined) return name;
  }
  return undefined;
}

function readStat(pid: number): Stat | undefined {
  const text = read(`/proc/${pid}/stat`);
  // proc(5): after the name in brackets come state, ppid …; fields 14 to 17 are utime, stime, cutime, cstime.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = (index: number) => Number(fields[index - 3]);
  return fields.length > 14
    ? { parent: ticks(4), own: ticks(14) + ticks(15), reaped: ticks(16) + ticks(17) }
    : undefined;
}

function busyTicks(): number {
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (
    read('/proc/stat').split('\n', 1)[0] ?? ''
  )
    .split(/\s+/)
    .map(Number);
  return user + nice + system + irq + softirq;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function entries(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** How busy the machine is with other things, for the head of a report. */
export function machine(): string {
  const nodes = entries('/proc').filter(
    (name) => /^\d+$/.test(name) && /(^|\/)node$/.test(read(`/proc/${name}/cmdline`).split('\0', 1)[0] ?? ''),
  ).length;
  return `load average ${loadavg()
    .map((load) => load.toFixed(2))
    .join(' ')}, ${nodes} node processes`;
}
