import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { ConfigError, Environment } from '../process/config.ts';
import { newSecrets } from '../process/new-secrets.ts';
import { runOnce } from '../process/run.ts';

/** Read by `docker-compose.yml` alone: Navbat itself is given whole URLs. */
export const composeOnly = {
  POSTGRES_PASSWORD: 'password of the postgres service of docker-compose.yml',
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
  REDIS_PASSWORD: randomBytes(PASSWORD_BYTES).toString('hex'),
});

function writeNew(path: string): void {
  if (existsSync(path))
    throw new ConfigError(
      `${path} is there already and was left as it is. Edit it, or move it away and run this again.`,
    );
  writeFileSync(path, environmentText(newEnvironment(new Date())), { mode: 0o600, flag: 'wx' });
  console.log(
    `${path} is written, with fresh secrets. Outside Docker, set DATABASE_URL and REDIS_URL in it.`,
  );
}

// `npm run env:example` rewrites the example; `npm run env:new` makes a `.env`, and never writes over one: its keys may be in use.
if (import.meta.main) {
  const fresh = process.argv[2] === 'new';
  if (fresh) await runOnce(async () => writeNew('.env'));
  else writeFileSync('.env.example', environmentText());
}
