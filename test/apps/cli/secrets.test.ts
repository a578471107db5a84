import { expect, test } from 'vitest';
import { composeOnly } from '../../../infra/deploy/env.ts';
import { readConfig } from '../../../infra/process/config.ts';
import { navbatCommand } from '../../support/command-line.ts';
import { testEnvironment } from '../../support/environment.ts';

test('secrets need no database, differ each time, and are what the configuration expects', async () => {
  const [one, two] = [await navbatCommand(['secrets'], {}), await navbatCommand(['secrets', '--json'], {})];
  const lines = one.out
    .trim()
    .split('\n')
    .map((line) => /^([A-Z_]+)='(.*)'$/.exec(line)?.slice(1) ?? []);
  const secrets = Object.fromEntries(lines);
  expect(() => readConfig({ ...testEnvironment(), ...secrets })).not.toThrow();
  // What Compose reads of the same file is there too, for one of an older version.
  expect(Object.keys(secrets)).toEqual(expect.arrayContaining(Object.keys(composeOnly)));
  expect(JSON.parse(two.out).PEPPER).not.toBe(secrets.PEPPER);
});
