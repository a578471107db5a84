import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MESSAGES_FILE } from '../../../apps/sandbox/inbox.ts';
import { startSandbox } from '../../../apps/sandbox/start-sandbox.ts';
import { BOT_TOKEN, temporaryDirectory } from './support.ts';

describe('production', () => {
  test('is refused by the factory and by the process, which exits with 1 and says why', async () => {
    const before = process.env['NODE_ENV'];
    try {
      process.env['NODE_ENV'] = 'production';
      await expect(startSandbox({ port: 0, directory: await temporaryDirectory() })).rejects.toThrow(
        'never starts when NODE_ENV is production',
      );
    } finally {
      process.env['NODE_ENV'] = before;
    }
    const child = spawn(process.execPath, ['apps/sandbox/main.ts'], {
      env: { ...process.env, NODE_ENV: 'production' },
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(1);
    expect(said).toContain('never starts when NODE_ENV is production');
  });
});

test('the process starts, serves, logs no text and stops on SIGTERM', async () => {
  const directory = await temporaryDirectory();
  const port = await freePort();
  const child = spawn(process.execPath, ['apps/sandbox/main.ts'], {
    env: {
      ...process.env,
      NODE_ENV: 'test',
      NAVBAT_HOME: directory,
      SANDBOX_PORT: String(port),
      LOG_LEVEL: 'debug',
    },
  });
  let said = '';
  const ready = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('sandbox ready')) resolve();
    });
  });
  await ready;
  const url = `http://127.0.0.1:${port}`;
  expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok' });
  await fetch(`${url}/bot${BOT_TOKEN}/sendMessage?chat_id=5&text=very-private`);
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(0);
  expect(said).not.toContain('very-private');
  expect(await readFile(join(directory, 'sandbox', MESSAGES_FILE), 'utf8')).toContain('very-private');
});

async function freePort(): Promise<number> {
  const sandbox = await startSandbox({ port: 0, directory: await temporaryDirectory() });
  await sandbox.close();
  return sandbox.port;
}
