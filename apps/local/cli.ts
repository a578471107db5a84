import { execFile } from 'node:child_process';
import type { Variables } from './secrets.ts';
import { parseJson } from '../../domain/shared/json.ts';

/** A command's JSON, or the sentence with which it failed. */
export type CliAnswer =
  | { readonly ok: true; readonly json: unknown }
  | { readonly ok: false; readonly sentence: string };

/** Runs one command, given what it is to read from its standard input. */
export type Cli = (args: readonly string[], stdin?: string) => Promise<CliAnswer>;

/** A command opens the database, hashes a password and ends: a second or two. */
const TIMEOUT_MS = 60_000;

/** `npm run navbat` commands, each as a process of its own: apps know nothing of each other. */
export function commandLine(clone: string, env: Variables): Cli {
  return (args, stdin = '') =>
    new Promise((resolve) => {
      const child = execFile(
        process.execPath,
        ['apps/cli/main.ts', ...args, '--json'],
        { cwd: clone, env: { ...env }, timeout: TIMEOUT_MS, killSignal: 'SIGKILL' },
        (error, stdout, stderr) => {
          if (error) resolve({ ok: false, sentence: stderr.trim() || error.message });
          else resolve({ ok: true, json: parseJson(stdout) });
        },
      );
      // A command that has ended reads nothing any more, and says so by its own failure.
      child.stdin?.on('error', () => undefined).end(stdin);
    });
}
