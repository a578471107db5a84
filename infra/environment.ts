import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { ConfigError } from './config.ts';

const clone = resolve(import.meta.dirname, '..');

/**
 * The environment of this process: what was set for it, and for what was not, the clone's `.env`, from whatever directory it is
 * started. `NAVBAT_ENV_FILE` names another file, or, empty, none. `npm start` reads none, for it keeps secrets of its own.
 */
export function environment(): NodeJS.ProcessEnv {
  const named = process.env['NAVBAT_ENV_FILE'];
  if (named === '') return process.env;
  try {
    return { ...parseEnv(readFileSync(resolve(clone, named ?? '.env'), 'utf8')), ...process.env };
  } catch (error) {
    if (named === undefined && error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return process.env;
    throw new ConfigError(
      `NAVBAT_ENV_FILE: ${named ?? '.env'} can't be read. Expected a file of NAME=value lines; an empty NAVBAT_ENV_FILE reads none.`,
    );
  }
}
