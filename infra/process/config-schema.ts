import { z } from 'zod';
import { defaultProducts } from '../../domain/products.ts';
import { Slug } from '../../domain/project/project.ts';
import { CHAT_GAP_MS, MESSAGES_PER_SECOND } from '../limits/telegram-slots.ts';
import {
  CHAT_GAP_MS_MAX,
  ENV_FILE,
  KEY_BYTES,
  MESSAGES_PER_SECOND_MAX,
  PORT_MAX,
  base64urlBytes,
  httpUrl,
  jsonArray,
  jsonObject,
  jwkText,
  keyRing,
  namedPaths,
  passkeyOrigin,
  paths,
  port,
  productNames,
  publicJwks,
  urlOf,
} from './config-values.ts';

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
  SANDBOX_TRAFFIC_PORT: port(3005).describe(
    "port of the sandbox's phones and gateways, which npm start opens where earn is on (development only)",
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
  ADDRESS_DATABASES: paths
    .optional()
    .describe(
      'MaxMind-format databases that say what the addresses are from which traffic is shared: paths, comma separated; read again when they change',
    ),
  ADDRESS_LISTS: namedPaths
    .optional()
    .describe(
      'lists of networks for the same: class=path, comma separated, such as hosting=hosting.txt; classes are residential, mobile, hosting, vpn-or-proxy, tor and unknown',
    ),
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
