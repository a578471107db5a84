import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { Environment } from './config-schema.ts';
import { ENV_FILE, isLoopback } from './config-values.ts';

const clone = resolve(import.meta.dirname, '../..');

/** The file that is read for what the environment leaves unset; null where none is. */
export const envFileOf = ({ NAVBAT_ENV_FILE: named }: NodeJS.ProcessEnv): string | null =>
  named === '' ? null : resolve(clone, named ?? ENV_FILE);

export type ConfigName = keyof z.infer<typeof Environment>;
/** What a process reads of it, and which variables it was given at all, read or not. */
export type ConfigOf<Names extends ConfigName> = Pick<z.infer<typeof Environment>, Names> & {
  readonly given: ReadonlySet<ConfigName>;
};
export type Config = ConfigOf<ConfigName>;

/** One sentence a variable: its name and what was expected, never its value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const configNames = Environment.keyof().options;

/**
 * Reads the environment once, in a `main.ts`. An empty variable counts as unset.
 * `NAME_FILE` is read for a missing `NAME`, as container secrets are mounted.
 *
 * @param names what the process reads (`process-variables.ts`); what it does not read may be anything.
 * @throws ConfigError naming every variable that is missing or wrong.
 */
export function readConfig<Name extends ConfigName = ConfigName>(
  env: NodeJS.ProcessEnv,
  names: readonly Name[] = configNames as readonly ConfigName[] as readonly Name[],
): ConfigOf<Name> {
  const values = Object.fromEntries(
    names.flatMap((name) => {
      const file = env[`${name}_FILE`];
      const value = env[name] || (file ? readFileSync(file, 'utf8').trim() : '');
      return value ? [[name, value]] : [];
    }),
  );
  const read: ReadonlySet<ConfigName> = new Set(names);
  // In the order of `.env.example`.
  const shape = Object.fromEntries(
    configNames.filter((name) => read.has(name)).map((name) => [name, Environment.shape[name]]),
  );
  const parsed = z.object(shape).safeParse(values, { reportInput: false });
  if (!parsed.success)
    throw new ConfigError(
      [...Map.groupBy(parsed.error.issues, ({ path }) => String(path[0]))]
        .map(([name, issues]) => configLine(name, issues, name in values, env))
        .join('\n'),
    );
  const given = new Set(configNames.filter((name) => env[name] || env[`${name}_FILE`]));
  const config = { ...parsed.data, given } as unknown as ConfigOf<Name>;
  refuseSharedKid(config);
  if (parsed.data['NODE_ENV'] === 'production') {
    refuseSandbox(config);
    refusePlainWitness(config);
  }
  return config;
}

/** Which variable, what was expected of it, and what to do: one line, without its value. */
function configLine(
  name: string,
  issues: readonly z.core.$ZodIssue[],
  isGiven: boolean,
  env: NodeJS.ProcessEnv,
): string {
  const meaning = Environment.shape[name as keyof typeof Environment.shape]?.description ?? '';
  return isGiven
    ? `${name}: ${issues.map(expectation).join('; ')} (${meaning}). Correct it ${placeToSet(env)}.`
    : `${name}: missing. Expected: ${meaning}. Set it ${placeToSet(env)}.`;
}

/** Where a file is already, `npm run env:new` would not help. */
function placeToSet(env: NodeJS.ProcessEnv): string {
  const file = envFileOf(env);
  if (file === null) return 'in the environment';
  const command = existsSync(file) ? '' : ' (npm run env:new writes one, with new secrets)';
  return `in ${env['NAVBAT_ENV_FILE'] ?? ENV_FILE}${command} or in the environment`;
}

/** In words for whoever runs it. What the schema says itself is kept; zod's own words speak of types. */
function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type')
    return `expected ${issue.expected === 'int' ? 'a whole number' : `a ${issue.expected}`}`;
  if (issue.code === 'invalid_value') return `expected one of ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'too_big') return `expected at most ${issue.maximum}`;
  if (issue.code === 'too_small') return `expected at least ${issue.minimum}`;
  return issue.message;
}

/** A kid names one key, or a token could be checked with another than signed it. */
function refuseSharedKid({ JWT_PRIVATE_JWK: current, JWT_PREVIOUS_JWKS: previous }: Partial<Config>): void {
  if (!current || !previous) return;
  const kids = [current, ...previous].map(({ kid }) => kid);
  if (new Set(kids).size < kids.length)
    throw new ConfigError('JWT_PREVIOUS_JWKS: expected each kid once, and not that of JWT_PRIVATE_JWK');
}

const sandboxOnly = [
  'TWILIO_API_URL',
  'ESKIZ_API_URL',
  'PLAY_MOBILE_API_URL',
  'SANDBOX_PLAY_MOBILE_REPORTS',
  'TELEGRAM_API_ROOT',
  'TELEGRAM_GATEWAY_URL',
  'FCM_SANDBOX_URL',
  'MULTICARD_API_URL',
  'NAVBAT_DEMO_KEY',
  'SANDBOX_CLOCK',
] as const;

/** Codes that go to a sandbox reach nobody, and a key in a script is no secret. */
function refuseSandbox(config: Partial<Config>): void {
  const set = sandboxOnly.filter((name) => config[name] !== undefined);
  if (set.length > 0)
    throw new ConfigError(
      set.map((name) => `${name}: expected nothing when NODE_ENV is production`).join('\n'),
    );
}

/** Whoever is on the way could take a head and answer 2xx: it would count as sent. */
function refusePlainWitness({ LEDGER_WITNESS_URL: text }: Partial<Config>): void {
  const url = text === undefined ? null : new URL(text);
  if (url?.protocol === 'http:' && !isLoopback(url.hostname))
    throw new ConfigError(
      'LEDGER_WITNESS_URL: expected https:// when NODE_ENV is production; http:// is for a server on this machine',
    );
}
