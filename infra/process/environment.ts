import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { composeOnly } from '../deploy/env.ts';
import { ConfigError, envFileOf } from './config.ts';
import { Environment } from './config-schema.ts';
import { nearName } from './near-name.ts';

/**
 * The environment of a process: what was set for it (`variables`), and for what was not, the clone's `.env`, from whatever directory it is
 * started. `NAVBAT_ENV_FILE` names another file, or, empty, none. `npm start` reads none, for it keeps secrets of its own.
 */
export function environment(variables = process.env): NodeJS.ProcessEnv {
  const named = variables['NAVBAT_ENV_FILE'];
  const file = envFileOf(variables);
  if (file === null) return variables;
  try {
    const read = parseEnv(readFileSync(file, 'utf8'));
    for (const line of misspelled(Object.keys(read))) process.stderr.write(`${line}\n`);
    return { ...read, ...variables };
  } catch (error) {
    if (named === undefined && error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return variables;
    throw new ConfigError(
      `NAVBAT_ENV_FILE: ${file} can't be read. Expected a file of NAME=value lines; an empty NAVBAT_ENV_FILE reads none.`,
    );
  }
}

const knownNames = [...Environment.keyof().options, ...Object.keys(composeOnly)];
/** Nobody but Navbat has variables of these fronts. */
const ownFronts = /^(NAVBAT|TELEGRAM|TWILIO|ESKIZ|SMS|RETENTION|SANDBOX|BOARD|WEBHOOK|FCM)_/i;

/** A line for each name in a file that looks like ours and is not: it sets nothing. */
function misspelled(names: readonly string[]): string[] {
  return names.flatMap((name) => {
    if (knownNames.some((known) => name === known || name === `${known}_FILE`)) return [];
    const near = nearName(name.replace(/_FILE$/, ''), knownNames);
    if (near !== null) return [`${name}: no such variable. Did you mean ${near}?`];
    return ownFronts.test(name)
      ? [`${name}: no such variable. .env.example lists all that Navbat reads.`]
      : [];
  });
}
