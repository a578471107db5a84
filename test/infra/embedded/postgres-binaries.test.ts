import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { postgresBinaries } from '../../../infra/embedded/postgres-binaries.ts';
import { prepareSite } from '../../../infra/embedded/data-directory.ts';

test('two who start at one moment get the same whole programs, which the servers’ account may run', async () => {
  const home = await mkdtemp(join(tmpdir(), 'navbat-binaries-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  await chmod(home, 0o711);
  const { account } = await prepareSite(home);
  const [one, other] = await Promise.all([postgresBinaries(account), postgresBinaries(account)]);
  expect(other).toEqual(one);
  for (const program of [one.initdb, one.pgCtl])
    expect(execFileSync(program, ['--version'], { ...account, encoding: 'utf8', cwd: '/' })).toMatch(
      /\(PostgreSQL\) 18\./,
    );
});
