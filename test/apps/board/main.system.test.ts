import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { otherPort } from '../../../domain/shared/listen-fault.ts';
import { freePort } from '../../../infra/embedded/port.ts';
import { baseVariables } from '../../support/environment.ts';
import { freshDatabase, freshRedis } from '../../support/servers.ts';
import { EVENTUALLY_MS } from '../../support/eventually.ts';

const root = join(import.meta.dirname, '../../..');
let child: ChildProcess | undefined;
afterEach(() => {
  if (child?.exitCode === null) child.kill('SIGKILL');
});

const key = () => randomBytes(32).toString('base64url');

async function start(port: number): Promise<ChildProcess> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const env = {
    ...baseVariables,
    DATABASE_URL: (await freshDatabase()).url,
    REDIS_URL: await freshRedis(),
    BIND_HOST: '127.0.0.1',
    BOARD_PORT: String(port),
    CODE_KEYS: `k1:${key()}`,
    ENCRYPTION_KEYS: `s1:${key()}`,
    PEPPER: key(),
    JWT_PRIVATE_JWK: JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid: 'j1' }),
  };
  child = spawn(process.execPath, ['apps/board/main.ts'], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return child;
}

test('the board answers, and on SIGTERM it drains and ends with 0', async () => {
  const port = await freePort();
  const board = await start(port);
  const said = text(board.stdout!);
  await expect
    .poll(
      () =>
        fetch(`http://127.0.0.1:${port}/health`).then(
          (answer) => answer.status,
          () => 0,
        ),
      { timeout: EVENTUALLY_MS },
    )
    .toBe(200);
  board.kill('SIGTERM');
  expect(await once(board, 'exit')).toEqual([0, null]);
  expect(await said).toMatch(/"board ready".*"board stopped"/s);
});

test('on a port that is taken it ends with one sentence that names BOARD_PORT', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const board = await start(port);
  const [said, [code]] = await Promise.all([text(board.stderr!), once(board, 'exit')]);
  taken.close();
  expect([code, said]).toEqual([
    1,
    `BOARD_PORT: port ${port} is taken. Stop the program that listens there, or set BOARD_PORT to another port, such as ${otherPort(port)}.\n`,
  ]);
});
