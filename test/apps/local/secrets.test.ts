import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keepSecrets, newSandboxCredentials } from '../../../apps/local/secrets.ts';
import { readConfig } from '../../../infra/process/config.ts';
import { newSecrets } from '../../../infra/process/new-secrets.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'navbat-home-'));
});
afterEach(() => rm(home, { recursive: true }));

const modeOf = async (name: string): Promise<string> =>
  ((await stat(join(home, name))).mode & 0o777).toString(8);
const fresh = () => ({ ...newSecrets(new Date('2026-01-15T10:00:00Z')), ...newSandboxCredentials() });

describe("a home's secrets", () => {
  test('are readable by their owner alone, also where the file was readable by all before', async () => {
    await keepSecrets(home, fresh());
    expect(await modeOf('secrets.json')).toBe('600');

    await writeFile(join(home, 'secrets.json'), '{}');
    await chmod(join(home, 'secrets.json'), 0o644);
    await keepSecrets(home, fresh());
    expect(await modeOf('secrets.json')).toBe('600');
  });

  test('stay the same over starts, and one that a later version adds joins them', async () => {
    const first = await keepSecrets(home, fresh());
    expect(await keepSecrets(home, fresh())).toEqual(first);

    const later = await keepSecrets(home, { ...fresh(), ADDED: 'new' });
    expect(later).toEqual({ ...first, ADDED: 'new' });
    expect(await keepSecrets(home, { ...fresh(), ADDED: 'newer' })).toEqual(later);
  });

  test('are what the configuration expects', async () => {
    const database = 'postgres://navbat@localhost/navbat';
    const servers = {
      DATABASE_URL: database,
      MIGRATE_DATABASE_URL: database,
      REDIS_URL: 'redis://localhost',
    };
    const config = readConfig({ ...(await keepSecrets(home, fresh())), ...servers });
    expect(config.CODE_KEYS.keys.size).toBe(1);
  });

  test('are not made anew over a file that cannot be read, and the error names the file, not its content', async () => {
    await writeFile(join(home, 'secrets.json'), '{"PEPPER": "half a secr');
    const failure = await keepSecrets(home, fresh()).catch((error: unknown) => String(error));
    expect(failure).toContain(join(home, 'secrets.json'));
    expect(failure).not.toContain('half a secr');
    expect(await readFile(join(home, 'secrets.json'), 'utf8')).toContain('half a secr');
  });
});
