import { expect, test } from 'vitest';
import { navbatCommand } from '../../support/command-line.ts';

test('help is no failure, and needs no configuration', async () => {
  const help = await navbatCommand(['project', '--help'], {});
  expect(help).toEqual({ code: 0, err: '', out: expect.stringContaining('ceilings') });
});

test('an unknown command or option, and a missing argument, are told on standard error alone', async () => {
  for (const args of [['projects'], ['project', 'create', 'shop', '--force'], ['project', 'create'], []]) {
    const { code, out, err } = await navbatCommand(args, {});
    expect([args, code, out]).toEqual([args, 1, '']);
    expect(err).toMatch(/error:|Usage:/);
  }
});
