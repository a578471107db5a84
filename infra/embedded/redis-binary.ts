import { access, constants, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Account, bareEnvironment, run } from './process.ts';
import { openDirectory, SYSTEM_DIRECTORY } from './data-directory.ts';

/** How to start a Redis on this machine. */
export interface RedisBinary {
  readonly program: string;
  /** The unpacked packages bring libraries that the system's loader does not know of. */
  readonly env: Readonly<Record<string, string>>;
}

const NAMES = ['redis-server', 'valkey-server'];
/** What Debian's redis-server needs beyond a minimal system (measured on Debian 12). */
const PACKAGES = ['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1', 'libatomic1'];
/** BullMQ needs 5 and advises 6.2, the first with all that our configuration file says. */
const VERSION_MIN = [6, 2] as const;

const PROBE_TIMEOUT_MS = 5_000;
/** The package lists are 10 MB, the packages 1.4 MB: seconds usually, minutes on a poor line. */
const UPDATE_TIMEOUT_MS = 180_000;
const DOWNLOAD_TIMEOUT_MS = 180_000;
const UNPACK_TIMEOUT_MS = 30_000;

const ADVICE =
  'There is no Redis: install one (Debian: apt-get install redis-server; macOS: brew install redis), or set REDIS_URL.';

/** One on the PATH, else Debian's own, fetched once for all homes of this machine; else an Error that says what to install. */
export async function findRedis(account: Account | undefined): Promise<RedisBinary> {
  return (await onPath(account)) ?? (await fetched(account));
}

async function onPath(account: Account | undefined): Promise<RedisBinary | undefined> {
  const directories = (process.env['PATH'] ?? '').split(delimiter).filter((path) => path !== '');
  for (const program of NAMES.flatMap((name) => directories.map((path) => join(path, name)))) {
    const found = { program, env: bareEnvironment() };
    if ((await isExecutable(program)) && (await works(found, account))) return found;
  }
  return undefined;
}

/** Debian's packages, unpacked and not installed: needs neither root nor package lists, only apt-get and dpkg. */
async function fetched(account: Account | undefined): Promise<RedisBinary> {
  const target = join(await cacheDirectory(account), `redis-${await systemName()}`);
  const kept = await unpackedBinary(target);
  if (kept && (await works(kept, account))) return kept;

  await fetchInto(target);
  const fresh = await unpackedBinary(target);
  if (fresh && (await works(fresh, account))) return fresh;
  throw new Error(`${ADVICE} (Debian's own was fetched, but does not run here.)`);
}

/** Built beside and renamed: two processes that fetch at once both end with one whole copy. */
async function fetchInto(target: string): Promise<void> {
  const draft = await mkdtemp(`${target}.draft-`);
  try {
    await download(draft);
    const root = join(draft, 'root');
    for (const file of await readdir(join(draft, 'packages')))
      await run('dpkg', ['-x', join(draft, 'packages', file), root], {
        timeoutMs: UNPACK_TIMEOUT_MS,
      });
    await rename(root, target).catch(async () => {
      // ENOTEMPTY: another process was first, or an older copy no longer runs. Ours is at least as new.
      await rename(target, join(draft, 'replaced')).catch(() => undefined);
      await rename(root, target).catch(() => undefined);
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function download(draft: string): Promise<void> {
  const folders = ['state/lists/partial', 'cache/archives/partial', 'packages', 'root'];
  for (const folder of folders) await mkdir(join(draft, folder), { recursive: true, mode: 0o755 });
  const options = [
    `Dir::State=${join(draft, 'state')}`,
    `Dir::Cache=${join(draft, 'cache')}`,
    // Its sandbox account may not enter a private folder; the signatures are checked all the same.
    'APT::Sandbox::User=root',
    'Acquire::Languages=none',
    'Acquire::Retries=2',
  ].flatMap((option) => ['-o', option]);
  const env = { ...bareEnvironment(), ...proxySettings() };
  // Its own verdict is not asked: one unreachable third-party list fails the update, not the download.
  await run('apt-get', [...options, 'update'], { env, timeoutMs: UPDATE_TIMEOUT_MS });
  const cwd = join(draft, 'packages');
  const got = await run('apt-get', [...options, 'download', ...PACKAGES], {
    env,
    cwd,
    timeoutMs: DOWNLOAD_TIMEOUT_MS,
  });
  const lastLine = got.output.split('\n').at(-1) ?? '';
  if (!got.ok) throw new Error(`${ADVICE} (Debian's own could not be fetched: ${lastLine})`);
}

/** apt-get reaches the archive through the same proxy as the shell. */
const proxySettings = (): Record<string, string> =>
  Object.fromEntries(
    ['http_proxy', 'https_proxy', 'no_proxy'].flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );

async function unpackedBinary(root: string): Promise<RedisBinary | undefined> {
  const program = join(root, 'usr', 'bin', 'redis-server');
  if (!(await isExecutable(program))) return undefined;
  const libraries = join(root, 'usr', 'lib');
  const triplets = (await readdir(libraries)).filter((name) => name.includes('-linux-'));
  const paths = triplets.map((name) => join(libraries, name)).join(':');
  return { program, env: { ...bareEnvironment(), LD_LIBRARY_PATH: paths } };
}

/** Run as the account that will run it: a program in root's own home is of no use to `nobody`. */
async function works({ program, env }: RedisBinary, account: Account | undefined) {
  const asked = await run(program, ['--version'], { account, env, timeoutMs: PROBE_TIMEOUT_MS });
  const [, major, minor] = /v=(\d+)\.(\d+)/.exec(asked.output) ?? [];
  if (!asked.ok || major === undefined || minor === undefined) return false;
  const [majorMin, minorMin] = VERSION_MIN;
  return Number(major) > majorMin || (Number(major) === majorMin && Number(minor) >= minorMin);
}

/** Outside any one home, so that a second home (or a test's) does not fetch again. */
async function cacheDirectory(account: Account | undefined): Promise<string> {
  if (account) {
    await openDirectory(SYSTEM_DIRECTORY);
    return openDirectory(join(SYSTEM_DIRECTORY, 'bin'));
  }
  const clone = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
  const owner = process.getuid?.() ?? 'any';
  const places = [join(clone, 'node_modules', '.cache', 'navbat'), join(tmpdir(), `navbat-${owner}`)];
  for (const place of places) if (await isOurs(place)) return place;
  throw new Error(`${ADVICE} (There is nowhere to unpack Debian's own.)`);
}

/** Made, writable, and nobody else's: a folder that others may write to would let them choose the program that we run. */
async function isOurs(place: string): Promise<boolean> {
  const OTHERS_MAY_WRITE = 0o022;
  try {
    await mkdir(place, { recursive: true, mode: 0o700 });
    await access(place, constants.W_OK);
    const { uid, mode } = await stat(place);
    return uid === process.getuid?.() && (mode & OTHERS_MAY_WRITE) === 0;
  } catch {
    return false;
  }
}

/** A copy fits one release and one processor: a clone on a shared disk may be started from several. */
async function systemName(): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const codename = /^VERSION_CODENAME="?([a-z]+)/m.exec(release)?.[1] ?? process.platform;
  return `${codename}-${process.arch}`;
}

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
