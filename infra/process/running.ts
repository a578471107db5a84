import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';

/** Stands in the home of `npm start` while it runs, readable by its owner only. */
export const RUNNING_FILE = 'running.json';

/** What a command in another terminal needs in order to reach the same installation. */
const names = [
  'DATABASE_URL',
  // For the clock of the sandbox.
  'MIGRATE_DATABASE_URL',
  'SANDBOX_CLOCK',
  'REDIS_URL',
  'CODE_KEYS',
  'ENCRYPTION_KEYS',
  'PEPPER',
  'JWT_PRIVATE_JWK',
  'JWT_PREVIOUS_JWKS',
  'PUBLIC_URL',
  'PLAY_MOBILE_PASSWORD',
  // Whose book the money is in, and where the sandbox's phones are.
  'MONEY_PROJECT',
  'SANDBOX_PORT',
  'SANDBOX_TRAFFIC_PORT',
].flatMap((name) => [name, `${name}_FILE`]);

/** The part of the environment that goes into the file. */
export function runningVariables(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => names.includes(name)));
}

/** The environment of a command: its own, and where that names no database, that of the `npm start` that runs. */
export function withRunning(env: NodeJS.ProcessEnv, clone: string): NodeJS.ProcessEnv {
  if (env['DATABASE_URL'] || env['DATABASE_URL_FILE']) return env;
  const kept = readKept(join(resolve(clone, env['NAVBAT_HOME'] || '.navbat'), RUNNING_FILE));
  return { ...kept, ...env };
}

function readKept(path: string): Record<string, string> {
  try {
    return z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // None runs here: what is missing is then named as missing.
    return {};
  }
}
