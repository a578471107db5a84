import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { freshDatabase } from '../../../support/servers.ts';

test('a process outlives the loss of a connection in the middle of its transaction', async () => {
  const { url } = await freshDatabase();
  const program = fileURLToPath(new URL('./lost-connection.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program, url]);
  expect(stdout.trim().split('\n')).toEqual([
    'rejected: terminating connection due to administrator command',
    'and works on',
  ]);
});
