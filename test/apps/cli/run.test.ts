import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RUNNING_FILE, runningVariables } from '../../../infra/process/running.ts';
import { openCli } from './open-cli.ts';
import { testEnvironment } from '../../support/environment.ts';

const { env, navbat } = await openCli();

test('without a configuration or a database a command ends with one sentence', async () => {
  const unset = await navbat(['project', 'list'], { variables: { ...env, PEPPER: '' } });
  expect(unset).toMatchObject({ code: 1, err: expect.stringMatching(/^PEPPER: .*\n$/) });
  const away = await navbat(['project', 'list'], { variables: testEnvironment() });
  expect(away).toMatchObject({ code: 1, err: expect.stringMatching(/^Postgres does not answer.*\n$/) });
  const url = new URL(env['DATABASE_URL'] ?? '');
  url.password = 'wrong';
  const refused = await navbat(['project', 'list'], { variables: { ...env, DATABASE_URL: url.href } });
  expect(refused).toMatchObject({
    code: 1,
    err: 'DATABASE_URL: The password is wrong, or there is no such user.\n',
  });
});

test('beside a running npm start a command needs no environment of its own', async () => {
  const home = await mkdtemp(join(tmpdir(), 'navbat-cli-'));
  await writeFile(join(home, RUNNING_FILE), JSON.stringify(runningVariables(env)), { mode: 0o600 });
  const beside = await navbat(['project', 'create', 'beside'], { variables: { NAVBAT_HOME: home } });
  expect(beside).toMatchObject({ code: 0, err: '' });
  expect((await navbat(['project', 'list'])).out).toContain('beside');
  await rm(home, { recursive: true });
  const alone = await navbat(['project', 'list'], { variables: { NAVBAT_HOME: home } });
  expect(alone).toMatchObject({ code: 1, err: expect.stringContaining('DATABASE_URL') });
});
