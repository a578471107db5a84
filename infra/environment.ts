import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { ConfigError } from './config.ts';

const clone = resolve(import.meta.dirname, '..');

/**
 * The environment of a process: what was set for it (`variables`), and for what was not, the clone's `.env`, from whatever directory it is
 * started. `NAVBAT_ENV_FILE` names another file, or, empty, none. `npm start` reads none, for it keeps secrets of its own.
 */
export function environment(variables = process.env): NodeJS.ProcessEnv {
  const named = variables['NAVBAT_ENV_FILE'];
  if (named === '') return variables;
  try {
    return { ...parseEnv(readFileSync(resolve(clone, named ?? '.env'), 'utf8')), ...variables };
  } catch (error) {
    if (named === undefined && error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return variables;
    throw new ConfigError(
      `NAVBAT_ENV_FILE: ${named ?? '.env'} can't be read. Expected a file of NAME=value lines; an empty NAVBAT_ENV_FILE reads none.`,
    );
  }
}
