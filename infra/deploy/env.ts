import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { z } from 'zod';
import { ConfigError } from '../process/config.ts';
import { Environment } from '../process/config-schema.ts';
import { newSecrets } from '../process/new-secrets.ts';
import { runOnce } from '../process/run.ts';

/** Read by `docker-compose.yml` alone: Navbat itself is given whole URLs. */
export const composeOnly = {
  POSTGRES_PASSWORD: 'password of the superuser of the postgres service of docker-compose.yml',
  POSTGRES_OWNER_PASSWORD: 'password of navbat_owner there, who migrates',
  POSTGRES_APP_PASSWORD: 'password of navbat_app there, as whom every process runs',
  REDIS_PASSWORD: 'password of the redis service of docker-compose.yml',
} as const;

const PASSWORD_BYTES = 24;

const Shape = z.object({
  properties: z.record(
    z.string(),
    z.object({ description: z.string(), default: z.union([z.string(), z.number(), z.boolean()]).optional() }),
  ),
  required: z.array(z.string()),
});

/**
 * The text of `.env.example`, from the schema that validates the environment: a variable that must be set stands empty, one with a
 * default or a provider that is off stands as a comment. A test holds the file to it.
 *
 * @param values what to write behind the names, for a `.env` that is ready to use.
 */
export function environmentText(values: Readonly<Record<string, string>> = {}): string {
  const { properties, required } = Shape.parse(
    z.toJSONSchema(Environment, { io: 'input', unrepresentable: 'any' }),
  );
  const lines = Object.entries(properties).map(([name, { description, default: preset }]) => {
    const must = required.includes(name) || name in values;
    return `# ${description}\n${must ? '' : '# '}${name}=${values[name] ?? preset ?? ''}\n`;
  });
  const compose = Object.entries(composeOnly).map(
    ([name, description]) => `# ${description}\n${name}=${values[name] ?? ''}\n`,
  );
  return [...lines, ...compose].join('\n');
}

/** Everything secret that a `.env` for `docker-compose.yml` needs. */
export const newEnvironment = (now: Date): Readonly<Record<string, string>> => ({
  ...newSecrets(now),
  POSTGRES_PASSWORD: randomBytes(PASSWORD_BYTES).toString('hex'),
  POSTGRES_OWNER_PASSWORD: randomBytes(PASSWORD_BYTES).toString('hex'),
  POSTGRES_APP_PASSWORD: randomBytes(PASSWORD_BYTES).toString('hex'),
  REDIS_PASSWORD: randomBytes(PASSWORD_BYTES).toString('hex'),
});

function writeNew(path: string): void {
  const fresh = newEnvironment(new Date());
  if (existsSync(path)) return checkKept(path, Object.keys(fresh));
  writeFileSync(path, environmentText(fresh), { mode: 0o600, flag: 'wx' });
  console.log(
    `${path} is written, with new secrets. Outside Docker, set DATABASE_URL, MIGRATE_DATABASE_URL and REDIS_URL in it, then run npm run migrate.`,
  );
}

/** A deployment may run the command each time: a file that has every secret is left as it is. */
function checkKept(path: string, names: readonly string[]): void {
  const kept = parseEnv(readFileSync(path, 'utf8'));
  const missing = names.filter((name) => !kept[name] && !kept[`${name}_FILE`]);
  if (missing.length > 0)
    throw new ConfigError(
      `${path} is there already and was left as it is. It has no ${missing.join(', ')}: add a line for each (npm run navbat -- secrets prints new values), or move the file away and run this again.`,
    );
  console.log(`${path} is there already, with every secret, and was left as it is.`);
}

// `npm run env:example` rewrites the example; `npm run env:new` makes a `.env`, and never writes over one: its keys may be in use.
if (import.meta.main) {
  const fresh = process.argv[2] === 'new';
  if (fresh) await runOnce(async () => writeNew('.env'));
  else writeFileSync('.env.example', environmentText());
}
