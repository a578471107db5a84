import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findRedis } from '../../../infra/embedded/redis-binary.ts';

/** A directory of programs that say this version and do nothing else. */
async function directoryOf(programs: Readonly<Record<string, string>>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'navbat-path-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o755);
  for (const [name, version] of Object.entries(programs)) {
    await writeFile(
      join(directory, name),
      `#!/bin/sh\necho "Server v=${version} sha=00000000:0 malloc=libc bits=64"\n`,
    );
    await chmod(join(directory, name), 0o755);
  }
  return directory;
}

function usePath(...directories: readonly string[]): void {
  const { PATH } = process.env;
  onTestFinished(() => {
    process.env['PATH'] = PATH;
  });
  process.env['PATH'] = [...directories, PATH].join(delimiter);
}

test('the first on the PATH that is new enough is taken; one that is too old or only a file is passed over', async () => {
  const [old, notExecutable, good] = [
    await directoryOf({ 'redis-server': '6.0.16' }),
    await directoryOf({ 'redis-server': '7.2.4' }),
    await directoryOf({ 'redis-server': '6.2.0', 'valkey-server': '8.0.1' }),
  ];
  await chmod(join(notExecutable, 'redis-server'), 0o644);
  usePath(old, notExecutable, good);
  expect((await findRedis(undefined)).program).toBe(join(good, 'redis-server'));
});

test('a Redis is told nothing of this process’s environment', async () => {
  usePath(await directoryOf({ 'redis-server': '7.0.15' }));
  process.env['NAVBAT_TEST_SECRET'] = 'secret';
  onTestFinished(() => void delete process.env['NAVBAT_TEST_SECRET']);
  expect(JSON.stringify((await findRedis(undefined)).env)).not.toContain('secret');
});
