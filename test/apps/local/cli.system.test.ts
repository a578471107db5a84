import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { commandLine } from '../../../apps/local/cli.ts';
import { baseVariables } from '../../support/environment.ts';

const cli = commandLine(resolve(import.meta.dirname, '../../..'), baseVariables);

test('a command is answered as its JSON, or as the sentence with which it failed', async () => {
  const [secrets, refused] = await Promise.all([
    cli(['secrets']),
    // What is written to a command that reads nothing is no failure of ours.
    cli(['project', 'list'], 'x'.repeat(1_000_000)),
  ]);
  expect(secrets).toEqual({ ok: true, json: expect.objectContaining({ PEPPER: expect.any(String) }) });
  expect(refused).toEqual({ ok: false, sentence: expect.stringMatching(/^DATABASE_URL: /) });
});
