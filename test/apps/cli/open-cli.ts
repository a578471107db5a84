import { afterAll, expect } from 'vitest';
import { openGround } from '../../support/api.ts';
import { type Ended, navbatCommand } from '../../support/command-line.ts';
import { testEnvironment } from '../../support/environment.ts';

/** The command line over a database of this file's own. */
export async function openCli() {
  const ground = await openGround();
  afterAll(() => ground.close());
  const env = testEnvironment({ DATABASE_URL: ground.databaseUrl, REDIS_URL: ground.redisUrl });

  const navbat = (args: readonly string[], { input = '', variables = env } = {}): Promise<Ended> =>
    navbatCommand(args, variables, input);

  /** What a command answers that succeeds. */
  async function json(args: readonly string[], input?: string) {
    const { code, out, err } = await navbat([...args, '--json'], input === undefined ? {} : { input });
    expect(err).toBe('');
    expect(code).toBe(0);
    return JSON.parse(out);
  }

  /** The sentence of one that does not. */
  async function refusal(args: readonly string[], input?: string): Promise<string> {
    const { code, out, err } = await navbat(args, input === undefined ? {} : { input });
    expect(code).toBe(1);
    expect(out).toBe('');
    return err.trim();
  }
  return { ground, env, navbat, json, refusal };
}
