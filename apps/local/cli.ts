import { execFile } from 'node:child_process';
import type { Variables } from './secrets.ts';

export interface CliAnswer {
  readonly ok: boolean;
  readonly output: string;
}

/** A command opens the database, hashes a password and ends: a second or two. */
const TIMEOUT_MS = 60_000;

/** Runs one `npm run navbat` command as a process of its own: apps know nothing of each other. */
export function runCli(clone: string, env: Variables, args: readonly string[]): Promise<CliAnswer> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['apps/cli/main.ts', ...args, '--json'],
      { cwd: clone, env: { ...env }, timeout: TIMEOUT_MS, killSignal: 'SIGKILL' },
      (error, stdout, stderr) =>
        resolve({ ok: error === null, output: `${stdout}${stderr || (error?.message ?? '')}`.trim() }),
    );
  });
}
