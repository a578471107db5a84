import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { demoText, keepDemo, markTold } from '../../../apps/local/demo.ts';
import { credentialLines } from '../../../apps/local/announce.ts';
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
    const servers = { DATABASE_URL: 'postgres://navbat@localhost/navbat', REDIS_URL: 'redis://localhost' };
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

describe("the demo's credentials", () => {
  test('are the same after a start that was killed before anybody was told', async () => {
    const first = await keepDemo(home, undefined, true);
    expect(first.told).toBe(false);
    expect(await keepDemo(home, undefined, true)).toEqual(first);
    await markTold(home, first);
    expect(await keepDemo(home, undefined, true)).toEqual({ ...first, told: true });
    expect(await modeOf('demo.json')).toBe('600');
  });

  test('take the key that is given', async () => {
    await keepDemo(home, undefined, true);
    const key = 'nbt_live_0123456789abcdef';
    expect((await keepDemo(home, key, true)).apiKey).toBe(key);
  });

  test('go to a file of mode 600 where the output is not a terminal, and only its path is printed', async () => {
    const demo = await keepDemo(home, undefined, true);
    const printed = (await credentialLines(home, demo, false)).join('\n');
    expect(printed).toContain(join(home, 'first-start.txt'));
    expect(printed).not.toContain(demo.apiKey);
    expect(printed).not.toContain(demo.boardPassword);
    expect(await modeOf('first-start.txt')).toBe('600');
    expect(await readFile(join(home, 'first-start.txt'), 'utf8')).toBe(demoText(demo));
  });

  test('are printed to a terminal', async () => {
    const demo = await keepDemo(home, undefined, true);
    const printed = (await credentialLines(home, demo, true)).join('\n');
    for (const secret of [demo.apiKey, demo.boardEmail, demo.boardPassword])
      expect(printed).toContain(secret);
  });
});
