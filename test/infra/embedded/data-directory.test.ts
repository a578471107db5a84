import { chmod, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { keptSecret, ownedDirectory, prepareSite } from '../../../infra/embedded/data-directory.ts';

const isRoot = process.getuid?.() === 0;

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'navbat-site-'));
  await chmod(directory, 0o711);
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

test('of twenty who need one secret at one moment all read the same, which nobody else may', async () => {
  const home = await temporaryDirectory();
  const secrets = await Promise.all(Array.from({ length: 20 }, () => keptSecret(home, 'password')));
  expect(new Set(secrets).size).toBe(1);
  expect(secrets[0]).toMatch(/^[\w-]{32}$/);
  expect(await modeOf(join(home, 'password'))).toBe(0o600);
  expect(await readdir(home)).toEqual(['password']);
});

test('a site is the same at each start, and its servers’ data is theirs alone', async () => {
  const home = join(await temporaryDirectory(), 'home');
  const site = await prepareSite(home);
  expect(await prepareSite(home)).toEqual(site);
  const data = await ownedDirectory(site, 'postgres');
  expect(await modeOf(data)).toBe(0o700);
  expect((await stat(data)).uid).toBe(site.account?.uid ?? process.getuid?.());
});

test.runIf(isRoot)(
  'a home that only root may enter keeps its password, and its data goes where its servers get to',
  async () => {
    const home = join(await temporaryDirectory(), 'home');
    await mkdir(home, { mode: 0o700 });
    const site = await prepareSite(home);
    onTestFinished(() => rm(site.directory, { recursive: true, force: true }));
    expect(site.home).toBe(home);
    expect(site.directory).not.toContain(home);
    // A home that was deleted and made again is another one: its password is another.
    await rm(home, { recursive: true });
    await mkdir(home, { mode: 0o700 });
    const again = await prepareSite(home);
    onTestFinished(() => rm(again.directory, { recursive: true, force: true }));
    expect(again.directory).not.toBe(site.directory);
  },
);
