import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { attackKeys, runStrangers } from './strangers.ts';

/** The short form of `npm run chaos -- strangers`: as many numbers for each address. */
test.each(attackKeys)(
  'while strangers with two keys %s attack numbers at random, each owner signs in at their first try, and no more is paid than an address may ask for',
  async (keys) => {
    const directory = await mkdtemp(join(tmpdir(), 'navbat-strangers-'));
    await chmod(directory, 0o711);
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const run = { keys, order: 'at random', numbers: 40, addresses: 4, requests: 400, seed: 1 } as const;
    const report = await runStrangers(run, directory);
    expect(report.problems, JSON.stringify(report)).toEqual([]);
  },
);
