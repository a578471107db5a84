import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmod,
  chown,
  lchown,
  link,
  mkdir,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Account } from './process.ts';

/** Where a server's files lie and who runs it. */
export interface Site {
  /** The caller's directory: passwords stay here, readable by nobody else. */
  readonly home: string;
  /** Holds the data directories; the same as `home` unless the servers' account can't get there. */
  readonly directory: string;
  readonly account: Account | undefined;
}

/** Everything that root's servers need stands here, because they run as somebody who may not look into /root. */
export const SYSTEM_DIRECTORY = '/var/lib/navbat';

/** 24 bytes, 32 characters: beyond guessing, and plain in a URL. */
const SECRET_BYTES = 24;

/**
 * Postgres refuses to run as root, and Redis should not. `nobody` exists on every Linux and macOS, so that `npm start`
 * adds no account to the machine.
 */
function serverAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** 0711 as root: its servers pass through to their own data, and nobody else may list what lies here. Else 0700. */
export async function makeHome(home: string): Promise<void> {
  await mkdir(home, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
}

/** Makes the directory and says where its servers' data goes; the same answer on every start of the same directory. */
export async function prepareSite(home: string): Promise<Site> {
  const account = serverAccount();
  await makeHome(home);
  const settled = await realpath(resolve(home));
  if (account === undefined || (await isOpenToAll(settled)))
    return { home: settled, directory: settled, account };

  // The mark is kept in the home: whoever deletes the home starts afresh and does not meet data whose password is gone.
  const mark = await keptSecret(settled, 'servers.id');
  const key = createHash('sha256').update(`${settled}\n${mark}`).digest('hex').slice(0, 16);
  await openDirectory(SYSTEM_DIRECTORY);
  await openDirectory(join(SYSTEM_DIRECTORY, 'homes'));
  const directory = await openDirectory(join(SYSTEM_DIRECTORY, 'homes', key));
  return { home: settled, directory, account };
}

/** A directory that every account may enter, whatever root's umask is. */
export async function openDirectory(path: string): Promise<string> {
  await mkdir(path, { recursive: true });
  await chmod(path, 0o755);
  return path;
}

/** A directory of the site that belongs to the servers' account alone. */
export async function ownedDirectory(site: Site, name: string): Promise<string> {
  const path = join(site.directory, name);
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (site.account) await chown(path, site.account.uid, site.account.gid);
  return path;
}

/** Gives the server what root put there, such as a file restored by hand. */
export async function giveAll(path: string, account: Account | undefined): Promise<void> {
  if (account === undefined) return;
  await lchown(path, account.uid, account.gid);
  for (const entry of await readdir(path, { recursive: true }))
    await lchown(join(path, entry), account.uid, account.gid);
}

/** A random secret in a file of mode 0600, made at its first use. Of two processes at once only one creates it, and whole: both read that one. */
export async function keptSecret(directory: string, name: string): Promise<string> {
  const path = join(directory, name);
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, randomBytes(SECRET_BYTES).toString('base64url'), { mode: 0o600 });
  // EEXIST, the usual case: it was made before. Any other failure shows in the read.
  await link(draft, path).catch(() => undefined);
  await rm(draft);
  return (await readFile(path, 'utf8')).trim();
}

/** May every account pass through this directory and all above it? */
async function isOpenToAll(path: string): Promise<boolean> {
  const OTHERS_MAY_PASS = 0o001;
  for (let at = path; ; at = dirname(at)) {
    if (((await stat(at)).mode & OTHERS_MAY_PASS) === 0) return false;
    if (at === dirname(at)) return true;
  }
}
