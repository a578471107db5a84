import { expect, test } from 'vitest';
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
  expect(JSON.parse(two.out).PEPPER).not.toBe(secrets.PEPPER);
});
