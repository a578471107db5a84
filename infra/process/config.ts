import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';
import { defaultProducts, needsOf, type Product, products } from '../../domain/products.ts';
import { Slug } from '../../domain/project/project.ts';
import { CHAT_GAP_MS, MESSAGES_PER_SECOND } from '../limits/telegram-slots.ts';
import { parseJson } from '../../domain/shared/json.ts';

const clone = resolve(import.meta.dirname, '../..');
const ENV_FILE = '.env';

/** The file that is read for what the environment leaves unset; null where none is. */
export const envFileOf = ({ NAVBAT_ENV_FILE: named }: NodeJS.ProcessEnv): string | null =>
  named === '' ? null : resolve(clone, named ?? ENV_FILE);

const PORT_MAX = 65_535;
const KEY_BYTES = 32;
/** No limit in effect: for a sandbox, or a Bot API server of one's own. */
const MESSAGES_PER_SECOND_MAX = 100_000;
const CHAT_GAP_MS_MAX = 60_000;

const port = (value: number) => z.coerce.number().int().min(1).max(PORT_MAX).default(value);
const urlOf = (protocol: RegExp, form: string) =>
  z.url({ protocol, error: `expected a URL that begins with ${form}` });
const httpUrl = urlOf(/^https?$/, 'http:// or https://');
const isLoopback = (hostname: string) => hostname === 'localhost' || /^(127\.[\d.]+|\[::1\])$/.test(hostname);
/** WebAuthn §5.1.3: a site is named by a domain, never by an address, and browsers offer passkeys over TLS and on this machine alone. */
const passkeyOrigin = z.string().refine(
  (text) => {
    const url = URL.parse(text);
    if (!url || url.origin !== text || isIP(url.hostname.replaceAll(/[[\]]/g, '')) !== 0) return false;
    return url.protocol === 'https:' || (url.protocol === 'http:' && url.hostname === 'localhost');
  },
  {
    error:
      'expected https:// with a host name and no path, such as https://board.example.uz, or http://localhost with a port',
  },
);
const base64urlBytes = (bytes: number) =>
  z.string().refine((text) => Buffer.from(text, 'base64url').length === bytes, {
    error: `expected ${bytes} bytes in base64url`,
  });

export interface KeyRing {
  /** New values are made with this one. */
  readonly current: string;
  readonly keys: ReadonlyMap<string, Buffer>;
}

const keyRing = z.string().transform((text, ctx): KeyRing => {
  const pairs = text.split(',').map((pair) => pair.split(':', 2));
  const keys = new Map(pairs.map(([kid = '', key = '']) => [kid, Buffer.from(key, 'base64url')]));
  const [current] = keys.keys();
  if (!current || keys.has('') || [...keys.values()].some((key) => key.length !== KEY_BYTES))
    ctx.addIssue({
      code: 'custom',
      message: `expected kid:${KEY_BYTES} bytes in base64url, comma separated, the current one first`,
    });
  return { current: current ?? '', keys };
});

const jwkText = z.string().transform((text, ctx) => {
  const parsed = z
    .object({
      kty: z.literal('OKP'),
      crv: z.literal('Ed25519'),
      x: z.string(),
      d: z.string(),
      kid: z.string(),
    })
    .safeParse(parseJson(text));
  if (!parsed.success)
    ctx.addIssue({ code: 'custom', message: 'expected an Ed25519 private key as JSON Web Key with a kid' });
  return parsed.data ?? z.NEVER;
});

/** Keys that were before, or that come next: more than a few at once are a mistake. */
const PREVIOUS_KEYS_MAX = 8;

/** Public halves alone: a private key that is not in use has no business in the environment. */
const publicJwks = z.string().transform((text, ctx) => {
  const parsed = z
    .array(
      z.strictObject({
        kty: z.literal('OKP'),
        crv: z.literal('Ed25519'),
        x: base64urlBytes(KEY_BYTES),
        kid: z.string().min(1),
        alg: z.literal('EdDSA').optional(),
        use: z.literal('sig').optional(),
      }),
    )
    .max(PREVIOUS_KEYS_MAX)
    .safeParse(parseJson(text));
  if (!parsed.success)
    ctx.addIssue({
      code: 'custom',
      message: `expected a JSON array of up to ${PREVIOUS_KEYS_MAX} Ed25519 public keys as JSON Web Keys, each with a kid and without d`,
    });
  return parsed.data ?? z.NEVER;
});

const productNames = z.string().transform((text, ctx): ReadonlySet<Product> => {
  const named = text.split(',').map((name) => name.trim());
  const known = products.filter((product) => named.includes(product));
  if (known.length < new Set(named).size)
    ctx.addIssue({ code: 'custom', message: `expected any of ${products.join(', ')}, comma separated` });
  for (const product of known)
    for (const need of needsOf(product).filter((each) => !known.includes(each)))
      ctx.addIssue({ code: 'custom', message: `expected ${need} too, which ${product} needs` });
  return new Set(known);
});

const jsonObject = z.string().transform((text, ctx) => {
  const parsed = z.record(z.string(), z.unknown()).safeParse(parseJson(text));
  if (!parsed.success)
    ctx.addIssue({
      code: 'custom',
      message: 'expected a JSON object; in .env on one line, or in single quotes',
    });
  return parsed.data ?? z.NEVER;
});

const jsonArray = z.string().transform((text, ctx) => {
  const parsed = z.array(z.unknown()).safeParse(parseJson(text));
  if (!parsed.success)
    ctx.addIssue({
      code: 'custom',
      message: 'expected a JSON array; in .env on one line, or in single quotes',
    });
  return parsed.data ?? z.NEVER;
});

/** Every variable that Navbat reads. `.env.example` is held to this list by a test. */
export const Environment = z.object({
  NODE_ENV: z
    .enum(['development', 'test', 'production'])
    .default('development')
    .describe('production forbids the sandbox and embedded servers'),
  NAVBAT_PRODUCTS: productNames
    .prefault(defaultProducts.join(','))
    .describe('products that are on, comma separated; what others answer, work on and show is left out'),
  DATABASE_URL: urlOf(/^postgres(ql)?$/, 'postgres://').describe(
    'PostgreSQL 18 or newer, as postgres://navbat_app:password@host:port/database',
  ),
  MIGRATE_DATABASE_URL: urlOf(/^postgres(ql)?$/, 'postgres://').describe(
    'the same database as navbat_owner, who owns its tables: for npm run migrate, npm start and the clock of a sandbox only',
  ),
  SANDBOX_CLOCK: z
    .literal('true')
    .optional()
    .describe(
      'true: the time of this database may be moved (npm run navbat -- clock); npm start sets it for its own',
    ),
  REDIS_URL: urlOf(/^rediss?$/, 'redis:// or rediss://').describe(
    'Redis 7 or Valkey, noeviction and append-only, as redis://:password@host:port',
  ),
  BIND_HOST: z.string().default('0.0.0.0').describe('address that the servers listen on'),
  SANDBOX_BIND_HOST: z
    .string()
    .default('127.0.0.1')
    .describe('address that the sandbox listens on: anybody who can open its inbox reads every code'),
  API_PORT: port(3000).describe('port of the api'),
  BOARD_PORT: port(3001).describe('port of Bull Board and /ops'),
  SANDBOX_PORT: port(3002).describe('port of the sandbox providers and their inbox (development only)'),
  SANDBOX_MULTICARD_PORT: port(3004).describe(
    "port of the sandbox's Multicard, which npm start opens where pay is on (development only)",
  ),
  BOT_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(PORT_MAX)
    .default(0)
    .describe("port of the bot's /health and, with TELEGRAM_WEBHOOK_SECRET, of its webhook; 0 for none"),
  WORKER_METRICS_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(PORT_MAX)
    .default(0)
    .describe("port of a worker's /metrics; 0 for none"),
  PUBLIC_URL: httpUrl
    // Paths are put behind it.
    .transform((url) => url.replace(/\/+$/, ''))
    .prefault('http://127.0.0.1:3000')
    .describe('where providers reach our callbacks'),
  STAFF_ORIGIN: passkeyOrigin
    .optional()
    .describe(
      'where staff open the board: their passkeys work at this origin alone; http://localhost with BOARD_PORT until set',
    ),
  TRUST_PROXY: z.coerce
    .number()
    .int()
    .min(0)
    .max(8)
    .default(0)
    .describe('how many proxies in front of the api set X-Forwarded-For'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info').describe('pino level'),
  NAVBAT_HOME: z.string().default('.navbat').describe('data directory of npm start'),
  NAVBAT_ENV_FILE: z
    .string()
    .default(ENV_FILE)
    .describe('file that is read for what the environment leaves unset; empty in the environment: none'),
  NAVBAT_DEMO_KEY: z
    .string()
    .regex(/^nbt_live_[A-Za-z0-9_-]{16,128}$/, 'expected nbt_live_ and 16 to 128 of A-Z a-z 0-9 _ -')
    .optional()
    .describe('fixed API key of the demo project of npm start'),
  CODE_KEYS: keyRing.describe(
    'root keys of delivered codes, kid:base64url of 32 bytes, comma separated, current first',
  ),
  ENCRYPTION_KEYS: keyRing.describe('keys that encrypt secrets at rest, written like CODE_KEYS'),
  PEPPER: base64urlBytes(KEY_BYTES).describe('base64url of 32 bytes: keyed hashes of API keys and addresses'),
  JWT_PRIVATE_JWK: jwkText.describe('Ed25519 private key that signs access tokens, as JWK with kid'),
  JWT_PREVIOUS_JWKS: publicJwks
    .optional()
    .describe('public keys that signed tokens before, or will next: a JSON array of JWKs, each with a kid'),
  RETENTION_JOB_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3650)
    .default(30)
    .describe('days that finished jobs and attempts stay in Postgres'),
  RETENTION_PHONE_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3650)
    .default(7)
    .describe('days that the phone number of a closed verification stays in Postgres'),
  TWILIO_ACCOUNT_SID: z
    .string()
    .regex(/^AC[0-9a-f]{32}$/, 'expected AC and 32 hex digits')
    .optional()
    .describe('SMS through Twilio; off until set'),
  TWILIO_AUTH_TOKEN: z.string().min(1).optional().describe('auth token of that account'),
  TWILIO_PHONE_NUMBER: z
    .string()
    .min(1)
    .optional()
    .describe('sender: a number in E.164 or a messaging service (MG…)'),
  TWILIO_API_URL: httpUrl.optional().describe('the sandbox in place of api.twilio.com'),
  ESKIZ_EMAIL: z
    .string()
    .regex(/^[^\s@]+@[^\s@]+$/, 'expected an e-mail address')
    .optional()
    .describe('SMS through Eskiz of Uzbekistan; off until set'),
  ESKIZ_PASSWORD: z.string().min(1).optional().describe('password of that account for its API'),
  ESKIZ_FROM: z
    .string()
    .regex(/^[A-Za-z0-9 ._-]{1,20}$/, 'expected 4546 or a name that Eskiz approved')
    .optional()
    .describe('sender: 4546, or a name that Eskiz approved'),
  ESKIZ_API_URL: httpUrl.optional().describe('the sandbox in place of notify.eskiz.uz/api'),
  PLAY_MOBILE_LOGIN: z
    .string()
    // Basic authentication ends the login at the first colon.
    .regex(/^[^:]+$/, 'expected a login without a colon')
    .optional()
    .describe('SMS through Play Mobile of Uzbekistan; off until set'),
  PLAY_MOBILE_PASSWORD: z
    .string()
    .min(1)
    .optional()
    .describe('password of that account; the address of its reports is made of it'),
  PLAY_MOBILE_FROM: z
    .string()
    .min(1)
    .optional()
    .describe('sender that Play Mobile approved: a short number such as 3700, or a name'),
  PLAY_MOBILE_API_URL: httpUrl.optional().describe('the sandbox in place of send.smsxabar.uz/broker-api'),
  SANDBOX_PLAY_MOBILE_REPORTS: httpUrl
    .optional()
    .describe("where the sandbox's Play Mobile reports; npm run navbat -- sms-reports-address prints it"),
  SMS_ROUTES: jsonArray
    .optional()
    .describe(
      'which providers carry SMS to which numbers, in their order, with the price of one part: JSON on one line or in single quotes, see docs/operations.md',
    ),
  SMS_UZS_PER_USD: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    // The Central Bank's rate stood above this since 2024: soʻm look dear, so that a budget in dollars stops too early.
    .default(12_000)
    .describe('soʻm in one dollar, by which budgets count what is billed in soʻm'),
  SMS_BALANCE_LOW_UZS: z.coerce
    .number()
    .int()
    .min(0)
    .max(1_000_000_000_000)
    // About a thousand messages at an aggregator's usual price.
    .default(100_000)
    .describe('soʻm: an account at a provider of SMS that holds less is an alarm at /ops'),
  SMS_ROUTE_BY_MEASURE: z
    .enum(['true', 'false'])
    .default('true')
    .transform((text) => text === 'true')
    .describe('false: SMS go by the listed order, whatever a provider loses'),
  TELEGRAM_BOT_TOKEN: z
    .string()
    .regex(/^\d+:[A-Za-z0-9_-]+$/, 'expected <digits>:<token>')
    .optional()
    .describe('Telegram bot; off until set'),
  BOT_PROJECT: Slug.optional().describe(
    'project whose people the Telegram bot registers; the bot is off until set',
  ),
  MONEY_PROJECT: z
    .uuid('expected the id of a project, a UUID')
    .brand<'ProjectId'>()
    .optional()
    .describe(
      'id of the project whose book the money is in; needed where pay is on, and never changed after that',
    ),
  LEDGER_CHAT_ID: z
    .string()
    .regex(/^-?\d{1,19}$/, 'expected the number of a chat, such as -1001234567890')
    .optional()
    .describe(
      "Telegram chat of the finance staff, to which the bot posts each day's signed head of the ledger",
    ),
  LEDGER_WITNESS_URL: httpUrl
    .optional()
    .describe(
      "where each day's signed head of the ledger is posted, to be kept outside of this installation",
    ),
  BANK_FILE_PAYER: z
    .string()
    .regex(
      /^\d{5}:\d{20}:(\d{9}|\d{14}):\S.{0,158}\S$/u,
      'expected <code of the bank>:<account>:<tax id>:<name>, such as 00444:20208000900123456001:301234567:OOO Navbat',
    )
    .optional()
    .describe('whose account pays by files for a bank; such batches wait until it is set'),
  WITHDRAWAL_FEE: z
    .string()
    .regex(
      /^([1-4]?\d{1,5}|500000)(\+\d(\.\d{1,2})?%)?$/u,
      'expected <tiyin> or <tiyin>+<percent>%, such as 100000+1.5%; at most 500000+9.99%',
    )
    .default('0')
    .describe('what is taken of a withdrawal: <tiyin> or <tiyin>+<percent>%, such as 100000+1.5%'),
  MULTICARD_APPLICATION_ID: z
    .string()
    .min(1)
    .optional()
    .describe('payouts to cards through Multicard of Uzbekistan; off until set'),
  MULTICARD_SECRET: z.string().min(1).optional().describe('secret of that application: who has it can pay'),
  MULTICARD_STORE_ID: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,64}$/, 'expected the number or UUID of a store')
    .optional()
    .describe('store of Multicard that pays'),
  MULTICARD_CALLBACK_SECRET: z
    .string()
    .min(1)
    .optional()
    .describe('what Multicard signs its webhooks with, where that is not MULTICARD_SECRET'),
  MULTICARD_API_URL: httpUrl
    .optional()
    .describe('the sandbox, or dev-mesh.multicard.uz, in place of mesh.multicard.uz'),
  TELEGRAM_WEBHOOK_SECRET: z
    .string()
    .regex(/^[A-Za-z0-9_-]{16,256}$/, 'expected 16 to 256 of A-Z a-z 0-9 _ -')
    .optional()
    .describe(
      'Telegram posts updates to PUBLIC_URL/telegram/webhook with it; the bot fetches them until set',
    ),
  TELEGRAM_API_ROOT: httpUrl.optional().describe('the sandbox in place of api.telegram.org'),
  TELEGRAM_MESSAGES_PER_SECOND: z.coerce
    .number()
    .int()
    .min(1)
    .max(MESSAGES_PER_SECOND_MAX)
    .default(MESSAGES_PER_SECOND)
    .describe('messages of the bot a second, over all processes; Telegram grants 30'),
  TELEGRAM_CHAT_GAP_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(CHAT_GAP_MS_MAX)
    .default(CHAT_GAP_MS)
    .describe('milliseconds between two messages to one Telegram chat; 0 for none'),
  TELEGRAM_GATEWAY_TOKEN: z.string().min(1).optional().describe('Telegram Gateway; off until set'),
  TELEGRAM_GATEWAY_URL: httpUrl.optional().describe('the sandbox in place of gatewayapi.telegram.org'),
  FIREBASE_SERVICE_ACCOUNT: jsonObject
    .optional()
    .describe('service account of Firebase as JSON; push is off until set'),
  FCM_SANDBOX_URL: httpUrl.optional().describe('the sandbox in place of Firebase'),
  WEBHOOK_ALLOW_PRIVATE: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .describe('true: callbacks to customers may go to plain http and to private addresses'),
});
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
