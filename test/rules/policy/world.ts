import { createHash, createHmac, randomBytes, randomInt, randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import type { KeyAccess, KeyMode, KeyScope } from '../../../domain/project/key.ts';
import { products } from '../../../domain/products.ts';
import { keyedHash } from '../../../infra/process/crypto.ts';
import { freePort } from '../../../infra/embedded/port.ts';
import { type Navbat, startNavbat } from '../../support/navbat.ts';

/** Every process that answers over HTTP, as its own `main.ts` wires it, with the routes that it says it has. */
export interface World extends Navbat {
  readonly urls: Readonly<Record<App, string>>;
  readonly routes: Readonly<Record<App, readonly string[]>>;
  readonly hash: ReturnType<typeof keyedHash>;
}

export const apps = ['api', 'board', 'bot'] as const;
export type App = (typeof apps)[number];

/** Whose something is. `personId` has proven themselves to the project. */
export interface Owner {
  readonly projectId: string;
  readonly mode: KeyMode;
  readonly personId: string;
  /** The bound device on which they are. */
  readonly deviceId?: string;
  /** The member of staff who asks. */
  readonly staffId?: string;
}

export const BOT_SECRET = randomBytes(24).toString('base64url');

export async function openWorld(): Promise<World> {
  const [botPort, moneyProject] = [await freePort(), randomUUID()];
  const navbat = await startNavbat({
    processes: [],
    env: {
      NODE_OPTIONS: `--import=${new URL('./list-routes.ts', import.meta.url).href}`,
      // One proxy, so that each request may come from an address of its own and none meets a limit.
      TRUST_PROXY: '1',
      // So that proofs become stale.
      SANDBOX_CLOCK: 'true',
      WEBHOOK_ALLOW_PRIVATE: 'true',
      BOT_PROJECT: 'navbat',
      NAVBAT_PRODUCTS: products.join(','),
      MONEY_PROJECT: moneyProject,
      BOT_PORT: String(botPort),
      TELEGRAM_WEBHOOK_SECRET: BOT_SECRET,
      PLAY_MOBILE_PASSWORD: 'password-of-play-mobile',
    },
  });
  // An api and a board with pay ask for it at their start.
  await insertProject(navbat, moneyProject);
  await Promise.all([
    navbat.start('apps/api/main.ts', [], 'api ready'),
    navbat.start('apps/board/main.ts', [], 'board ready'),
  ]);
  await navbat.start('apps/bot/main.ts', [], 'bot ready');
  const urls = { api: navbat.apiUrl, board: navbat.boardUrl, bot: `http://127.0.0.1:${botPort}` };
  const routes = {
    api: routesSaid(navbat, 'api'),
    board: routesSaid(navbat, 'board'),
    bot: routesSaid(navbat, 'bot'),
  };
  return { ...navbat, urls, routes, hash: keyedHash(navbat.env['PEPPER'] ?? '') };
}

/** A route that only this app has tells whose line it is. */
const known: Record<App, string> = {
  api: 'POST /otp/send',
  board: 'GET /login',
  bot: 'POST /telegram/webhook',
};

function routesSaid({ log }: Navbat, app: App): string[] {
  const said = log
    .filter((line) => line.startsWith('{"msg":"routes"'))
    .map((line) => (JSON.parse(line) as { routes: string[] }).routes);
  const own = said.find((routes) => routes.includes(known[app]));
  if (!own) throw new Error(`${app} said no routes`);
  return own;
}

/** Never limited, and with every door open. */
const SETTINGS = { requests_per_minute: 1_000_000, telegram_sign_in: true };
/** A change of the settings must not bring that down, and with it a header of whatever else is asked meanwhile. */
const CEILINGS = { requests_per_minute: SETTINGS.requests_per_minute };

export async function makeProject({ db }: World): Promise<string> {
  const id = randomUUID();
  await insertProject({ db }, id);
  return id;
}

/** In which people earn. */
export const moneyProjectOf = ({ env }: Pick<World, 'env'>): string => env['MONEY_PROJECT'] ?? '';

async function insertProject({ db }: Pick<World, 'db'>, id: string): Promise<void> {
  await db.query(
    'insert into project (id, slug, settings, ceilings, created_at) values ($1, $2, $3, $4, now())',
    [id, `p-${randomBytes(6).toString('hex')}`, SETTINGS, CEILINGS],
  );
}

interface KeyWish {
  readonly access?: KeyAccess;
  readonly mode?: KeyMode;
  readonly scopes?: readonly KeyScope[];
  readonly ended?: 'revoked_at' | 'expires_at';
}

export async function makeKey(
  { db, hash }: World,
  projectId: string,
  wish: KeyWish,
): Promise<{ id: string; key: string }> {
  const { access = 'secret', mode = 'live', scopes = ['public'], ended } = wish;
  const id = randomUUID();
  const key = `nbt_${access === 'publishable' ? 'pub_' : ''}${mode}_${randomBytes(24).toString('base64url')}`;
  await db.query(
    `insert into api_key (id, project_id, access, mode, hash, hint, scopes, created_at ${ended ? `, ${ended}` : ''})
     values ($1, $2, $3, $4, $5, $6, $7, now() ${ended ? `, now() - interval '1 minute'` : ''})`,
    [id, projectId, access, mode, hash('api-key', key), key.slice(-4), scopes],
  );
  return { id, key };
}

export async function makePerson({ db }: World, mode: KeyMode): Promise<string> {
  const id = uuidv7();
  await db.query('insert into person (id, mode, created_at) values ($1, $2, now())', [id, mode]);
  return id;
}

let numbers = 0;
/** Nobody else's number, and not next to the last one: 7 919 is prime, so that none comes twice in nine million. */
export const newPhone = () => `+99890${1_000_000 + ((++numbers * 7_919) % 9_000_000)}`;
export const newNumber = () => randomInt(1_000_000_000, 281_000_000_000_000);
export const sha256 = (text: string) => createHash('sha256').update(text).digest();
/** From anywhere on earth. */
export const newAddress = () =>
  [randomInt(1, 223), randomInt(256), randomInt(256), randomInt(1, 255)].join('.');

/** The Login widget's fields, as a query (core.telegram.org/widgets/login). */
export function signedByTelegram({ env }: World, id = newNumber()): string {
  const fields = { auth_date: String(Math.floor(Date.now() / 1_000)), first_name: 'Aziza', id: String(id) };
  const text = Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');
  const key = createHash('sha256')
    .update(env['TELEGRAM_BOT_TOKEN'] ?? '')
    .digest();
  const hash = createHmac('sha256', key).update(text).digest('hex');
  return new URLSearchParams({ ...fields, hash }).toString();
}
