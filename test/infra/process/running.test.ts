import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { RUNNING_FILE, runningVariables, withRunning } from '../../../infra/process/running.ts';

const clone = mkdtempSync(join(tmpdir(), 'navbat-running-'));
afterAll(() => rmSync(clone, { recursive: true }));
const file = join(clone, '.navbat', RUNNING_FILE);
mkdirSync(join(clone, '.navbat'));

test('only what reaches the installation is kept of its environment', () => {
  const env = {
    DATABASE_URL: 'd',
    PEPPER_FILE: 'p',
    PATH: '/bin',
    TWILIO_AUTH_TOKEN: 't',
    NAVBAT_DEMO_KEY: 'k',
  };
  expect(runningVariables(env)).toEqual({ DATABASE_URL: 'd', PEPPER_FILE: 'p' });
});

test('a command that names no database is told that of the installation that runs, and keeps its own words', () => {
  writeFileSync(file, JSON.stringify({ DATABASE_URL: 'kept', PEPPER: 'kept' }));
  expect(withRunning({ PEPPER: 'own' }, clone)).toEqual({ DATABASE_URL: 'kept', PEPPER: 'own' });
});

test('one that names its database gets nothing of another installation', () => {
  for (const env of [{ DATABASE_URL: 'own' }, { DATABASE_URL_FILE: 'own' }])
    expect(withRunning(env, clone)).toEqual(env);
});

test('where none runs, or what it left can not be read, nothing is made up', () => {
  for (const text of ['', '{', '[]', '{"DATABASE_URL":1}']) {
    writeFileSync(file, text);
    expect(withRunning({ A: 'a' }, clone), text).toEqual({ A: 'a' });
  }
  expect(withRunning({ A: 'a', NAVBAT_HOME: 'nowhere' }, clone)).toEqual({ A: 'a', NAVBAT_HOME: 'nowhere' });
});
