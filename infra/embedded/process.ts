import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** An operating system account; `undefined` everywhere means "the one that runs us". */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface Finished {
  readonly ok: boolean;
  /** What it printed, both streams, for the sentence that explains a failure. */
  readonly output: string;
}

interface RunOptions {
  readonly account?: Account | undefined;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly timeoutMs: number;
}

/** How often a wait looks again: fast enough to go unnoticed, slow enough to cost nothing. */
const POLL_MS = 20;

/**
 * What the servers see of our environment: PGPORT, LC_ALL or NODE_OPTIONS of the developer's shell must not change them.
 * The system directories come last, because `sh`, `dpkg` and `apt-get` live there whatever the shell says.
 */
export const bareEnvironment = (): Record<string, string> => ({
  PATH: `${process.env['PATH'] ?? ''}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
  TZ: 'UTC',
});

/** Runs one program to its end. A program that is missing, fails or outlasts `timeoutMs` answers `ok: false`; it never throws. */
export function run(program: string, args: readonly string[], options: RunOptions): Promise<Finished> {
  const { account, timeoutMs, env = bareEnvironment(), cwd = '/' } = options;
  return new Promise((resolve) => {
    execFile(
      program,
      args,
      { ...account, env, cwd, timeout: timeoutMs, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        const why = error && !stderr ? error.message : '';
        resolve({ ok: error === null, output: `${stdout}${stderr}${why}`.trim() });
      },
    );
  });
}

/** A zombie (killed, not yet collected by its parent) counts as gone: it holds no file and no port. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  return processState(pid)?.[0] !== 'Z';
}

/**
 * When the process began, in the system's own words: together with the pid it names one process for ever, where a pid
 * alone may by now be somebody else's. `undefined` when there is no such process. It does not yield, so that a spawn can be
 * written down before anything else happens.
 */
export function startMark(pid: number): string | undefined {
  if (!isAlive(pid)) return undefined;
  // proc(5): field 22 is the start time in clock ticks since boot; the state is field 3.
  const ticks = processState(pid)?.[19];
  if (ticks !== undefined) return `${bootId()}/${ticks}`;
  const listed = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', timeout: 5_000 });
  return listed.status === 0 ? listed.stdout.trim() : undefined;
}

/** The program's short name and its parent; `undefined` where the system does not say. */
export function processFacts(pid: number): { name: string; parent: number } | undefined {
  const name = readText(`/proc/${pid}/comm`)?.trim();
  const parent = Number(processState(pid)?.[1]);
  return name !== undefined && Number.isSafeInteger(parent) ? { name, parent } : undefined;
}

/**
 * Was this process started with this argument? A server's own data directory or configuration file stands on its command
 * line, which tells it from a stranger that got its pid. (Where it works, /proc/<pid>/cwd, says so too, but not to root in a
 * container, which lacks CAP_SYS_PTRACE.)
 */
export function isRunningWith(pid: number, argument: string): boolean {
  if (!isAlive(pid)) return false;
  const line = readText(`/proc/${pid}/cmdline`);
  if (line !== undefined) return line.split('\0').includes(argument);
  const listed = spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], {
    encoding: 'utf8',
    timeout: 5_000,
  });
  return listed.stdout.includes(argument);
}

/** True once the process is gone, false when `timeoutMs` passed first. */
export async function waitUntilGone(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (isAlive(pid)) {
    if (performance.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/** SIGTERM, a bounded wait, SIGKILL. A stopped (SIGSTOP) process is woken first, or it would never hear the SIGTERM. */
export async function endProcess(pid: number, graceMs: number): Promise<void> {
  signal(pid, 'SIGCONT');
  signal(pid, 'SIGTERM');
  if (await waitUntilGone(pid, graceMs)) return;
  await killProcess(pid);
}

export async function killProcess(pid: number): Promise<void> {
  signal(pid, 'SIGKILL');
  // The kernel needs no more than a moment, unless the process hangs in the disk; then nothing we do helps.
  await waitUntilGone(pid, 10_000);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Already gone: that is what the signal was for.
  }
}

/** The fields of /proc/<pid>/stat from the third (state) on; the second, a name in brackets, may itself hold spaces. */
function processState(pid: number): string[] | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

const bootId = (): string => readText('/proc/sys/kernel/random/boot_id')?.trim() ?? '';

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
