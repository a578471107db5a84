import { parseArgs } from 'node:util';
import { defaultProducts } from '../../domain/products.ts';
import { PLATFORM_PROJECT_ID } from '../../domain/project/platform.ts';
import { DEMO_PROJECT } from './demo.ts';
import { reportsAddress } from '../../infra/process/reports-address.ts';
import type { Variables } from './secrets.ts';

export type Given = Readonly<Record<string, string | undefined>>;

const PORTS = {
  API_PORT: 3000,
  BOARD_PORT: 3001,
  SANDBOX_PORT: 3002,
  SANDBOX_MULTICARD_PORT: 3004,
  SANDBOX_TRAFFIC_PORT: 3005,
} as const;
export type PortName = keyof typeof PORTS;
const portNames = Object.keys(PORTS) as readonly PortName[];
/** Of what runs whichever products are on. */
export const serverPorts = ['API_PORT', 'BOARD_PORT', 'SANDBOX_PORT'] as const satisfies readonly PortName[];
export const isOfSandbox = (name: PortName): boolean => name.startsWith('SANDBOX_');

/** Stand for the addresses of servers that `npm start` brings itself, until they run and have one. */
export const EMBEDDED = {
  DATABASE_URL: 'postgres://embedded',
  MIGRATE_DATABASE_URL: 'postgres://embedded',
  REDIS_URL: 'redis://embedded',
} as const;

/**
 * The environment of every child: what the person gave, and for what they did not, this home's secrets and the sandbox. A
 * provider of which its own credentials are given is left to them whole: real credentials never meet the sandbox's address.
 */
export function localEnvironment(given: Given, secrets: Variables, home: string): Variables {
  const port = (name: PortName) => (Number(given[name]) || PORTS[name]).toString();
  const hostOf = (name: PortName) => given[isOfSandbox(name) ? 'SANDBOX_BIND_HOST' : 'BIND_HOST'];
  const origin = (name: PortName) => `http://${reachableHost(hostOf(name))}:${port(name)}`;
  const sandbox = origin('SANDBOX_PORT');
  const publicUrl = given['PUBLIC_URL'] || origin('API_PORT');
  const groups = accounts(secrets, {
    sandbox,
    multicard: origin('SANDBOX_MULTICARD_PORT'),
    publicUrl,
    isPushGiven: isGiven(given, 'FIREBASE_SERVICE_ACCOUNT'),
  });
  const providers = groups.filter((group) => !Object.keys(group).some((name) => isGiven(given, name)));
  const own = pick(secrets, ['CODE_KEYS', 'ENCRYPTION_KEYS', 'PEPPER', 'JWT_PRIVATE_JWK'], {});
  const defaults: Variables = Object.assign(
    {
      NODE_ENV: 'development',
      // A `.env` is of another installation.
      NAVBAT_ENV_FILE: '',
      BIND_HOST: '127.0.0.1',
      // A developer's own server is on this machine.
      WEBHOOK_ALLOW_PRIVATE: 'true',
      PUBLIC_URL: origin('API_PORT'),
      BOT_PROJECT: DEMO_PROJECT,
      // People sign in to Navbat's own app.
      MONEY_PROJECT: PLATFORM_PROJECT_ID,
      // A database of somebody else's keeps its time.
      ...(isGiven(given, 'DATABASE_URL') ? {} : { SANDBOX_CLOCK: 'true' }),
      ...embeddedServers(given),
      ...Object.fromEntries(portNames.map((name) => [name, port(name)])),
    },
    own,
    ...providers,
  );
  const missing = Object.entries(defaults).filter(([name]) => !isGiven(given, name));
  return { ...defined(given), ...Object.fromEntries(missing), NAVBAT_HOME: home };
}

/**
 * `npm start -- --with pay`: products on top of those that are on.
 *
 * @throws TypeError where the arguments are none of `npm start`.
 */
export function withProducts(given: Given, args: readonly string[]): Given {
  const { values } = parseArgs({ args: [...args], options: { with: { type: 'string', multiple: true } } });
  if (!values.with) return given;
  const on = [given['NAVBAT_PRODUCTS'] || defaultProducts.join(','), ...values.with].join(',');
  return { ...given, NAVBAT_PRODUCTS: on };
}

/** A database of the person's own is theirs for both roles: what they did not give is then named as missing. */
function embeddedServers(given: Given): Variables {
  const { MIGRATE_DATABASE_URL: owner, ...servers } = EMBEDDED;
  return isGiven(given, 'DATABASE_URL') ? servers : { ...servers, MIGRATE_DATABASE_URL: owner };
}

interface Providers {
  /** Where the sandbox is. */
  readonly sandbox: string;
  /** And its Multicard, which runs where pay is on. */
  readonly multicard: string;
  /** Where providers reach our callbacks. */
  readonly publicUrl: string;
  readonly isPushGiven: boolean;
}

/** One group a provider: its account in the sandbox, and the sandbox's address. */
function accounts(
  secrets: Variables,
  { sandbox, multicard, publicUrl, isPushGiven }: Providers,
): readonly Variables[] {
  return [
    pick(secrets, ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_PHONE_NUMBER'], {
      TWILIO_API_URL: sandbox,
    }),
    pick(secrets, ['ESKIZ_EMAIL', 'ESKIZ_PASSWORD', 'ESKIZ_FROM'], { ESKIZ_API_URL: `${sandbox}/eskiz` }),
    pick(secrets, ['PLAY_MOBILE_LOGIN', 'PLAY_MOBILE_PASSWORD', 'PLAY_MOBILE_FROM'], {
      PLAY_MOBILE_API_URL: `${sandbox}/broker-api`,
      SANDBOX_PLAY_MOBILE_REPORTS: reportsAddress(publicUrl, secrets['PLAY_MOBILE_PASSWORD'] ?? ''),
    }),
    pick(secrets, ['TELEGRAM_BOT_TOKEN'], { TELEGRAM_API_ROOT: sandbox }),
    pick(secrets, ['TELEGRAM_GATEWAY_TOKEN'], { TELEGRAM_GATEWAY_URL: `${sandbox}/gateway` }),
    pick(secrets, ['MULTICARD_APPLICATION_ID', 'MULTICARD_SECRET', 'MULTICARD_STORE_ID'], {
      MULTICARD_API_URL: multicard,
    }),
    isPushGiven ? {} : { FCM_SANDBOX_URL: sandbox },
  ];
}

/** A variable that is empty counts as unset; one may stand in a file, as `infra/process/config.ts` reads it. */
const isGiven = (given: Given, name: string): boolean => Boolean(given[name] || given[`${name}_FILE`]);

/** Where this machine reaches a server that listens at BIND_HOST. */
export function reachableHost(bindHost: string | undefined): string {
  if (!bindHost || bindHost === '0.0.0.0' || bindHost === '::') return '127.0.0.1';
  return bindHost.includes(':') ? `[${bindHost}]` : bindHost;
}

/** `npm start` is for a developer's machine; what it makes up by itself must never meet real people. */
export function refusalOfProduction(given: Given): string | undefined {
  if (given['NODE_ENV'] !== 'production') return undefined;
  return 'npm start is for development: with NODE_ENV=production start each process by itself (docker-compose.yml shows how), or unset NODE_ENV.';
}

function pick(from: Variables, names: readonly string[], more: Variables): Variables {
  return { ...Object.fromEntries(names.map((name) => [name, from[name] ?? ''])), ...more };
}

const defined = (given: Given): Variables =>
  Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
