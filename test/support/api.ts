import type { Express, Router } from 'express';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { createApp } from '../../apps/http/app.ts';
import { documentedStatuses } from '../../apps/http/openapi.ts';
import { CLIENT_GONE_STATUS } from '../../apps/http/client-gone.ts';
import type { Route } from '../../apps/http/route.ts';
import type { StaffSessions } from '../../domain/staff/session.ts';
import type { PersonTokens } from '../../domain/identity/session/session.ts';
import { type KeyAccess, type KeyMode, KeyScope } from '../../domain/project/key.ts';
import type { ProjectId } from '../../domain/shared/ids.ts';
import { ProjectCeilings } from '../../domain/project/ceilings.ts';
import type { ProjectView } from '../../domain/project/project.ts';
import { keyedHash } from '../../infra/process/crypto.ts';
import { limitConnection, quotaCounter } from '../../infra/limits/quota-counter.ts';
import { openLog } from '../../infra/process/log.ts';
import { auditLog } from '../../infra/postgres/staff/audit.ts';
import { keyDirectory } from '../../infra/postgres/project/key-directory.ts';
import { openOrm } from '../../infra/postgres/engine/orm.ts';
import { projectStore } from '../../infra/postgres/project/projects.ts';
import { freshDatabase, freshRedis } from './servers.ts';

/** Any 32 bytes. */
const PEPPER = Buffer.alloc(32, 'pepper').toString('base64url');

export type Ground = Awaited<ReturnType<typeof openGround>>;

/** A database and a Redis of this file's own, with what most tests of the intake need of them. */
export async function openGround() {
  const [database, redisUrl] = await Promise.all([freshDatabase(), freshRedis()]);
  const orm = await openOrm(database.url);
  const pool = new Pool({ connectionString: database.url, max: 4 });
  pool.on('error', () => undefined);
  const owner = new Pool({ connectionString: database.ownerUrl, max: 1 });
  owner.on('error', () => undefined);
  const hash = keyedHash(PEPPER);
  const projects = projectStore(orm.em, hash);
  const close = async () => {
    await Promise.all([pool.end(), owner.end()]);
    await orm.close(true);
    await database.drop();
  };
  const { url: databaseUrl, ownerUrl } = database;
  /** `owner` is for what a test does that no process may. */
  return { databaseUrl, ownerUrl, redisUrl, orm, pool, owner, hash, projects, close };
}

export interface KeyWish {
  readonly access?: KeyAccess;
  readonly mode?: KeyMode;
  readonly scopes?: readonly KeyScope[];
  readonly expiresAt?: Date | null;
}

/** A new project with a key; all scopes unless said otherwise. */
export async function makeProject(
  { projects }: Ground,
  slug: string,
  settings: Record<string, unknown> = {},
  wish: KeyWish = {},
): Promise<{ project: ProjectView; key: string; keyId: string }> {
  const { project } = await projects.create(slug, new Date());
  if (Object.keys(settings).length > 0) {
    await projects.changeCeilings(project.id, settingsAsCeilings(settings));
    await projects.changeSettings(project.id, settings);
  }
  const { key, keyId } = await makeKey({ projects }, project.id, wish);
  return { project, key, keyId };
}

/** Whatever a test sets is within what staff granted. */
const settingsAsCeilings = (settings: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(settings).filter(([name]) => name in ProjectCeilings.shape));

export async function makeKey(
  { projects }: Pick<Ground, 'projects'>,
  projectId: ProjectId,
  wish: KeyWish = {},
): Promise<{ key: string; keyId: string }> {
  const order = {
    access: 'secret',
    mode: 'live',
    scopes: KeyScope.options,
    expiresAt: null,
    ...wish,
  } as const;
  const made = await projects.createKey(projectId, order, new Date());
  if (!made.created) throw new Error(made.reason);
  return { key: made.text, keyId: made.key.id };
}

export interface TestApi {
  readonly app: Express;
  /** Lines of its log, parsed. */
  readonly logged: Record<string, unknown>[];
  readonly observed: { method: string; route: string; status: number; seconds: number }[];
  readonly limits: () => 'shared' | 'local';
  /** Resolves once Redis is connected: before that, each process counts for itself. */
  readonly connected: Promise<void>;
  /** Fails where a route answered with a status that its OpenAPI does not name. */
  readonly close: () => Promise<void>;
}

type Observed = TestApi['observed'][number];

/** A route of a test's own that documents nothing is left out; nobody hears the answer to a client that is gone. */
function isDocumented(routes: readonly Route[], { method, route: path, status }: Observed): boolean {
  const name = method === 'HEAD' ? 'get' : method.toLowerCase();
  const route = routes.find((one) => one.path === path && one.method === name);
  if (!route || Object.keys(route.answers).length === 0 || status === CLIENT_GONE_STATUS) return true;
  return documentedStatuses(route).has(status);
}

const NO_SESSIONS = {
  find: async () => null,
  findPending: async () => null,
} as unknown as StaffSessions;

/** The intake over real servers, with the routes that a test is about. */
export function openApi(
  { pool, hash, redisUrl }: Pick<Ground, 'pool' | 'hash' | 'redisUrl'>,
  routes: readonly Route[],
  routers: readonly Router[] = [],
  persons: PersonTokens = { read: async () => ({ kind: 'forged' }) },
  {
    proxies = 0,
    moneyProject = null,
  }: { readonly proxies?: number; readonly moneyProject?: ProjectId | null } = {},
): TestApi {
  const logged: Record<string, unknown>[] = [];
  const observed: TestApi['observed'] = [];
  const redis = new Redis(redisUrl, limitConnection);
  redis.on('error', () => undefined);
  const connected = new Promise<void>((resolve) => redis.once('ready', resolve));
  const counter = quotaCounter(redis);
  const log = openLog('api', 'debug', {
    write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>),
  });
  const keys = keyDirectory(pool, hash, (error) => log.error(error));
  const app = createApp({
    routes,
    routers,
    keys,
    persons,
    staff: { sessions: NO_SESSIONS, audit: auditLog(pool) },
    moneyProject,
    counter,
    clock: () => new Date(),
    log,
    proxies,
    observe: (one) => observed.push(one),
  });
  const close = async () => {
    counter.close();
    redis.disconnect();
    await keys.close();
    const strange = observed.filter((one) => !isDocumented(routes, one));
    if (strange.length > 0) throw new Error(`answers that OpenAPI does not name: ${JSON.stringify(strange)}`);
  };
  return { app, logged, observed, limits: () => counter.state(), connected, close };
}
