import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { staffAccounts } from '../../../infra/postgres/staff/accounts.ts';
import { type Ended } from '../../support/command-line.ts';
import { openCli } from './open-cli.ts';

const main = fileURLToPath(new URL('../../../apps/cli/main.ts', import.meta.url));
const { ground, env } = await openCli();

/** As a process of its own: what the commands in this one can't show. */
function navbatProcess(args: readonly string[], { input = '', variables = env } = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...args], { env: variables }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
    child.stdin?.end(input);
  });
}

describe('as a process', () => {
  test('a command reads its standard input, answers on standard output and ends with 0', async () => {
    const args = ['staff', 'create', 'process@example.uz', '--role', 'viewer', '--password-stdin', '--json'];
    const made = await navbatProcess(args, { input: 'correct horse battery\n' });
    expect(made).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(made.out)).toMatchObject({ email: 'process@example.uz' });
    const accounts = staffAccounts(ground.orm.em);
    expect(
      await accounts.verifyPassword('process@example.uz', 'correct horse battery', new Date()),
    ).toMatchObject({ kind: 'accepted' });
  });

  test('a refusal stands on standard error alone and ends with 1', async () => {
    const refused = await navbatProcess(['staff', 'create', 'eve@example.uz', '--role', 'king']);
    expect(refused).toEqual({ code: 1, out: '', err: expect.stringContaining('king') });
  });
});
