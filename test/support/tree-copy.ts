import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');

/** What runs and what tests it, with the one document that a test of a product reads. */
const copied = [
  'apps',
  'domain',
  'infra',
  'workers',
  'test',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
  'docs/operations.md',
] as const;

/** A copy of the tree to change and to run; whoever asks for it removes it. @returns its directory. */
export function copyTree(purpose: string, stays: (path: string) => boolean = () => true): string {
  const to = mkdtempSync(join(tmpdir(), `navbat-${purpose}-`));
  for (const path of copied) cpSync(join(root, path), join(to, path), { recursive: true, filter: stays });
  symlinkSync(join(root, 'node_modules'), join(to, 'node_modules'));
  return to;
}

interface Ran {
  readonly exitCode: number;
  readonly out: string;
}

interface RunOptions {
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs one of the tools of package.json in a copy, for ever where no limit is given. */
export function runIn(
  directory: string,
  tool: 'tsc' | 'vitest',
  args: readonly string[],
  { timeoutMs = 0, env: more = {} }: RunOptions = {},
): Promise<Ran> {
  // Vitest would take itself for a worker of the run that it is started by.
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST'));
  const env = { ...Object.fromEntries(own), ...more };
  return new Promise((done) => {
    const options = { cwd: directory, env, timeout: timeoutMs, killSignal: 'SIGKILL' } as const;
    execFile(join(directory, 'node_modules/.bin', tool), args, options, (error, out, err) => {
      done({ exitCode: typeof error?.code === 'number' ? error.code : error ? 1 : 0, out: out + err });
    });
  });
}
