import type { ConfigName, ConfigOf } from './config.ts';

/**
 * Which process reads which variables: a container is given these and nothing more (`docker-compose.yml`, held to this list by a
 * test), so that who breaks into one process does not have the secrets of the others. A process can't read others: they are not in
 * the type of its configuration.
 */
const common = [
  'NODE_ENV',
  'NAVBAT_PRODUCTS',
  'LOG_LEVEL',
  'DATABASE_URL',
  'SANDBOX_CLOCK',
  'REDIS_URL',
  'BIND_HOST',
] as const;
/** What the bot is made of, in whatever process. */
export const botVariables = [
  'TELEGRAM_BOT_TOKEN',
  'TELEGRAM_API_ROOT',
  'TELEGRAM_MESSAGES_PER_SECOND',
  'TELEGRAM_CHAT_GAP_MS',
] as const;
/** By which providers SMS go: the intake sets their price aside, the worker sends by them. */
const routeVariables = ['SMS_ROUTES', 'SMS_UZS_PER_USD'] as const;
/** The accounts of providers of SMS, and by which of them SMS go. */
export const smsVariables = [
  'TWILIO_ACCOUNT_SID',
  'TWILIO_AUTH_TOKEN',
  'TWILIO_PHONE_NUMBER',
  'TWILIO_API_URL',
  'ESKIZ_EMAIL',
  'ESKIZ_PASSWORD',
  'ESKIZ_FROM',
  'ESKIZ_API_URL',
  'PLAY_MOBILE_LOGIN',
  'PLAY_MOBILE_PASSWORD',
  'PLAY_MOBILE_FROM',
  'PLAY_MOBILE_API_URL',
  ...routeVariables,
] as const;
/** The rail that pays cards. */
const multicardVariables = [
  'MULTICARD_APPLICATION_ID',
  'MULTICARD_SECRET',
  'MULTICARD_STORE_ID',
  'MULTICARD_CALLBACK_SECRET',
  'MULTICARD_API_URL',
] as const;
export const workerVariables = [...common, 'WORKER_METRICS_PORT'] as const;

export const processVariables = {
  migrate: ['NODE_ENV', 'MIGRATE_DATABASE_URL'],
  cli: [
    'NODE_ENV',
    'DATABASE_URL',
    'SANDBOX_CLOCK',
    'PEPPER',
    'ENCRYPTION_KEYS',
    // For the address to agree with a provider.
    'PUBLIC_URL',
    'PLAY_MOBILE_PASSWORD',
    'MONEY_PROJECT',
    // For the demonstrations of a sandbox.
    'SANDBOX_PORT',
    'SANDBOX_TRAFFIC_PORT',
  ],
  api: [
    ...common,
    'API_PORT',
    'PUBLIC_URL',
    'TRUST_PROXY',
    'CODE_KEYS',
    'ENCRYPTION_KEYS',
    'PEPPER',
    'JWT_PRIVATE_JWK',
    'JWT_PREVIOUS_JWKS',
    // To check what Telegram and the providers sign.
    'TELEGRAM_BOT_TOKEN',
    'TELEGRAM_GATEWAY_TOKEN',
    'TWILIO_AUTH_TOKEN',
    // It signs nothing: its callbacks carry a token that is made of it.
    'ESKIZ_PASSWORD',
    'PLAY_MOBILE_PASSWORD',
    ...routeVariables,
    'WEBHOOK_ALLOW_PRIVATE',
    'MONEY_PROJECT',
    // People bind cards through it, and it checks what Multicard signs.
    'WITHDRAWAL_FEE',
    ...multicardVariables,
    // Whether traffic from where a phone reports is paid.
    'ADDRESS_DATABASES',
    'ADDRESS_LISTS',
  ],
  board: [
    ...common,
    'BOARD_PORT',
    'STAFF_ORIGIN',
    'TRUST_PROXY',
    'ENCRYPTION_KEYS',
    'PEPPER',
    'MONEY_PROJECT',
    // Whose statements it takes.
    'BANK_FILE_PAYER',
  ],
  bot: [
    ...common,
    ...botVariables,
    'BOT_PORT',
    'BOT_PROJECT',
    'PUBLIC_URL',
    'TRUST_PROXY',
    'TELEGRAM_WEBHOOK_SECRET',
    ...routeVariables,
    'CODE_KEYS',
    'ENCRYPTION_KEYS',
    'PEPPER',
  ],
  'otp-send': [
    'SMS_ROUTE_BY_MEASURE',
    ...workerVariables,
    ...botVariables,
    'PUBLIC_URL',
    'CODE_KEYS',
    'ENCRYPTION_KEYS',
    ...smsVariables,
    'SMS_BALANCE_LOW_UZS',
    'TELEGRAM_GATEWAY_TOKEN',
    'TELEGRAM_GATEWAY_URL',
    'FIREBASE_SERVICE_ACCOUNT',
    'FCM_SANDBOX_URL',
  ],
  // What is sent holds the link to its reader's preferences page.
  'telegram-message': [...workerVariables, ...botVariables, 'PUBLIC_URL', 'PEPPER'],
  push: [
    ...workerVariables,
    'PUBLIC_URL',
    'PEPPER',
    'ENCRYPTION_KEYS',
    'FIREBASE_SERVICE_ACCOUNT',
    'FCM_SANDBOX_URL',
  ],
  // The rail's client tells where the rail reaches us, and tokens of cards are encrypted.
  payout: [...workerVariables, 'PUBLIC_URL', 'ENCRYPTION_KEYS', ...multicardVariables],
  // Links go by the bot or by SMS, and are encrypted until they have left.
  'payout-link': [...workerVariables, ...botVariables, ...smsVariables, 'PUBLIC_URL', 'ENCRYPTION_KEYS'],
  // It posts nothing: it says what reports of the project's people came to.
  'traffic-report': [...workerVariables, 'MONEY_PROJECT'],
  webhook: [...workerVariables, 'ENCRYPTION_KEYS', 'WEBHOOK_ALLOW_PRIVATE'],
  reconciler: [
    ...workerVariables,
    'ENCRYPTION_KEYS',
    'PEPPER',
    'RETENTION_JOB_DAYS',
    'RETENTION_PHONE_DAYS',
    ...botVariables,
    'MONEY_PROJECT',
    // It writes the files for the bank, and compares the book with what Multicard says.
    'BANK_FILE_PAYER',
    ...multicardVariables,
    'PUBLIC_URL',
    // It signs each day's head of the ledger, and sends it out.
    'JWT_PRIVATE_JWK',
    'LEDGER_CHAT_ID',
    'LEDGER_WITNESS_URL',
  ],
  // The sandbox's own, in a process beside it. The database is for the sandbox's clock alone.
  multicard: [
    'NODE_ENV',
    'LOG_LEVEL',
    'DATABASE_URL',
    'SANDBOX_CLOCK',
    'PUBLIC_URL',
    'SANDBOX_BIND_HOST',
    'SANDBOX_MULTICARD_PORT',
    'NAVBAT_HOME',
    'MULTICARD_APPLICATION_ID',
    'MULTICARD_SECRET',
    'MULTICARD_STORE_ID',
  ],
  // As above: phones that share traffic, and gateways that carry it.
  traffic: [
    'NODE_ENV',
    'LOG_LEVEL',
    'DATABASE_URL',
    'SANDBOX_CLOCK',
    'PUBLIC_URL',
    'SANDBOX_BIND_HOST',
    'SANDBOX_TRAFFIC_PORT',
  ],
  sandbox: [
    'NODE_ENV',
    'LOG_LEVEL',
    'SANDBOX_BIND_HOST',
    'SANDBOX_PORT',
    'NAVBAT_HOME',
    'TWILIO_ACCOUNT_SID',
    'TWILIO_AUTH_TOKEN',
    'ESKIZ_EMAIL',
    'ESKIZ_PASSWORD',
    'PLAY_MOBILE_LOGIN',
    'PLAY_MOBILE_PASSWORD',
    'SANDBOX_PLAY_MOBILE_REPORTS',
    'TELEGRAM_BOT_TOKEN',
    'TELEGRAM_GATEWAY_TOKEN',
  ],
} as const satisfies Readonly<Record<string, readonly ConfigName[]>>;

export type ProcessName = keyof typeof processVariables;
export type ProcessConfig<Name extends ProcessName> = ConfigOf<(typeof processVariables)[Name][number]>;

/**
 * Of a command that reads the database and checks signatures: it runs on a machine without the secrets of the others. JWT_PRIVATE_JWK is
 * read there too, where it is set.
 */
export const auditVariables = ['NODE_ENV', 'DATABASE_URL', 'SANDBOX_CLOCK', 'JWT_PREVIOUS_JWKS'] as const;
export type AuditConfig = ConfigOf<(typeof auditVariables)[number]> & Partial<ConfigOf<'JWT_PRIVATE_JWK'>>;

/**
 * What the intake must know to be set, whatever its value: a channel without credentials is refused there. Where the process does
 * not read one of them itself, compose tells it `set` in place of the secret.
 */
export const channelVariables = [
  'TWILIO_ACCOUNT_SID',
  'ESKIZ_EMAIL',
  'PLAY_MOBILE_LOGIN',
  'TELEGRAM_BOT_TOKEN',
  'TELEGRAM_GATEWAY_TOKEN',
  'FIREBASE_SERVICE_ACCOUNT',
  'FCM_SANDBOX_URL',
] as const satisfies readonly ConfigName[];

/** The processes that accept codes and messages. */
export const intakeProcesses = ['api', 'bot'] as const satisfies readonly ProcessName[];
