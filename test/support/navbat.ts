import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { generateKeyPairSync } from 'node:crypto';
import pg from 'pg';
import { keyedHash } from '../../infra/process/crypto.ts';
import { reportsAddress } from '../../infra/process/reports-address.ts';
import { freePort } from '../../infra/embedded/port.ts';
import { type Sandbox, startSandbox } from '../../apps/sandbox/start-sandbox.ts';
import { undocumentedAnswers } from './undocumented.ts';
import { baseVariables } from './environment.ts';
import { type OpenDatabase, freshDatabase, freshRedis } from './servers.ts';
import { EVENTUALLY_MS } from './eventually.ts';

/** A whole Navbat on free ports: real Postgres, Redis, api and worker processes, and the sandbox in this one. */
export interface Navbat {
  readonly apiUrl: string;
  readonly boardUrl: string;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly sandbox: Sandbox;
  readonly env: Readonly<Record<string, string>>;
  /** As the owner: for what a test sets up and looks at by itself. */
  readonly db: pg.Pool;
  /** Every line that its processes printed. */
  readonly log: readonly string[];
  /** A project with a key of every scope. */
  createProject(options?: ProjectOptions): Promise<TestProject>;
  /** Another process of the same installation, such as `workers/main.ts reconciler`; `more` overrides its environment. */
  start(
    script: string,
    args: readonly string[],
    ready: string,
    more?: Readonly<Record<string, string>>,
  ): Promise<ChildProcess>;
  /** Fails where a route of an api has answered with a status that its OpenAPI does not name. */
  stop(): Promise<void>;
}

export interface ProjectOptions {
  readonly settings?: object;
  readonly mode?: 'live' | 'test';
  readonly access?: 'secret' | 'publishable';
  readonly scopes?: readonly string[];
}

export interface TestProject {
  readonly id: string;
  readonly key: string;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests read what they expect, and fail where it is not.
  readonly body: any;
}

const API = 'apps/api/main.ts';
const KILL_AFTER_MS = 20_000;

export interface NavbatOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the api and one worker with all kinds and the reconciler. */
  readonly processes?: readonly ('api' | 'worker' | 'board')[];
  /** Default: of the test run. A migrated database, and a Redis. */
  readonly servers?: {
    readonly database: Omit<OpenDatabase, 'drop'>;
    readonly redisUrl: string;
  };
}

export async function startNavbat(options: NavbatOptions = {}): Promise<Navbat> {
  const directory = await mkdtemp(join(tmpdir(), 'navbat-test-'));
  const [database, redisUrl] = await serversOf(options);
  const ports = { api: await freePort(), board: await freePort() };
  const env = { ...secrets(), ...options.env };
  const apiUrl = `http://127.0.0.1:${ports.api}`;
  const sandbox = await startSandbox({
    port: 0,
    directory,
    credentials: {
      twilio: { accountSid: env.TWILIO_ACCOUNT_SID, authToken: env.TWILIO_AUTH_TOKEN },
      playMobile: playMobileOf(options.env, apiUrl),
      eskiz: eskizOf(options.env),
      telegramBotToken: env.TELEGRAM_BOT_TOKEN,
      telegramGatewayToken: env.TELEGRAM_GATEWAY_TOKEN,
    },
  });
  const whole: Record<string, string> = {
    ...env,
    DATABASE_URL: database.url,
    MIGRATE_DATABASE_URL: database.ownerUrl,
    REDIS_URL: redisUrl,
    BIND_HOST: '127.0.0.1',
    API_PORT: String(ports.api),
    BOARD_PORT: String(ports.board),
    PUBLIC_URL: apiUrl,
    NAVBAT_HOME: directory,
    NODE_ENV: 'test',
    // Tests call from one machine, and may say that they are somewhere else.
    TRUST_PROXY: '1',
    TWILIO_API_URL: sandbox.url,
    ESKIZ_API_URL: `${sandbox.url}/eskiz`,
    PLAY_MOBILE_API_URL: `${sandbox.url}/broker-api`,
    TELEGRAM_API_ROOT: sandbox.url,
    TELEGRAM_GATEWAY_URL: `${sandbox.url}/gateway`,
    FCM_SANDBOX_URL: sandbox.url,
    ...options.env,
  };
  const children: ChildProcess[] = [];
  const log: string[] = [];
  const apis: StartedApi[] = [];
  const start: Navbat['start'] = async (script, args, ready, more) => {
    const own = { ...whole, ...more };
    const child = await startProcess({ script, args, ready, env: own, children, log });
    if (script === API) apis.push({ child, url: `http://127.0.0.1:${own['API_PORT']}` });
    return child;
  };
  const starting = {
    api: () => start(API, [], 'api ready'),
    worker: () => start('workers/main.ts', [], 'worker ready'),
    board: () => start('apps/board/main.ts', [], 'board ready'),
  };
  await Promise.all((options.processes ?? ['api', 'worker']).map((name) => starting[name]()));
  const db = new pg.Pool({ connectionString: database.ownerUrl, max: 4 });
  // One that is still saying goodbye is cut off when the database is dropped.
  db.on('connect', (client) => client.on('error', () => undefined));
  const stop = async () => {
    const strange = await undocumentedBy(apis);
    await Promise.all(children.map(stopProcess));
    await sandbox.close();
    await db.end();
    await database.drop();
    await rm(directory, { recursive: true, force: true });
    if (strange.length > 0) throw new Error(strange.join('\n'));
  };
  const createProject = (project?: ProjectOptions) => insertProject(db, env.PEPPER, apiUrl, project ?? {});
  return {
    apiUrl,
    boardUrl: `http://127.0.0.1:${ports.board}`,
    databaseUrl: database.url,
    redisUrl,
    sandbox,
    env: whole,
    db,
    log,
    createProject,
    start,
    stop,
  };
}

/** An account that a test gives in its environment; by default there is none. */
function playMobileOf(env: NavbatOptions['env'], apiUrl: string) {
  const { PLAY_MOBILE_LOGIN: login, PLAY_MOBILE_PASSWORD: password } = env ?? {};
  return login && password ? { login, password, reportUrl: reportsAddress(apiUrl, password) } : undefined;
}

/** As above. */
function eskizOf(env: NavbatOptions['env']) {
  const { ESKIZ_EMAIL: email, ESKIZ_PASSWORD: password } = env ?? {};
  return email && password ? { email, password } : undefined;
}

async function serversOf({ servers }: NavbatOptions): Promise<[OpenDatabase, string]> {
  if (!servers) return Promise.all([freshDatabase(), freshRedis()]);
  return [{ ...servers.database, drop: async () => undefined }, servers.redisUrl];
}

/** Secrets of this run only. */
function secrets() {
  const key = () => randomBytes(32).toString('base64url');
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return {
    CODE_KEYS: `c1:${key()}`,
    ENCRYPTION_KEYS: `s1:${key()}`,
    PEPPER: key(),
    JWT_PRIVATE_JWK: JSON.stringify({ ...jwk, kid: 'j1' }),
    TWILIO_ACCOUNT_SID: `AC${randomBytes(16).toString('hex')}`,
    TWILIO_AUTH_TOKEN: randomBytes(16).toString('hex'),
    TWILIO_PHONE_NUMBER: '+15005550006',
    TELEGRAM_BOT_TOKEN: `7000000001:${randomBytes(26).toString('base64url')}`,
    TELEGRAM_GATEWAY_TOKEN: randomBytes(20).toString('hex'),
  };
}

interface Starting {
  readonly script: string;
  readonly args: readonly string[];
  readonly ready: string;
  readonly env: Readonly<Record<string, string>>;
  readonly children: ChildProcess[];
  readonly log: string[];
}

async function startProcess({ script, args, ready, env, children, log }: Starting): Promise<ChildProcess> {
  const child = spawn(process.execPath, [script, ...args], {
    env: { ...baseVariables, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        log.push(line);
        if (line.includes(`"msg":"${ready}"`)) resolve();
      });
    }
    child.once('exit', (code) =>
      reject(new Error(`${script} ended with ${code} before it was ready:\n${log.slice(-10).join('\n')}`)),
    );
  });
  return child;
}

interface StartedApi {
  readonly child: ChildProcess;
  readonly url: string;
}

/** One that a test has ended or cut off from its database tells nothing more. */
async function undocumentedBy(apis: readonly StartedApi[]): Promise<string[]> {
  const running = apis.filter(({ child }) => child.exitCode === null && child.signalCode === null);
  const told = await Promise.allSettled(running.map(({ url }) => undocumentedAnswers(url)));
  return told.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
}

/** As a deployment ends it: it may finish what it has in hand. */
export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
  await gone;
  clearTimeout(killer);
}

async function insertProject(
  db: pg.Pool,
  pepper: string,
  apiUrl: string,
  options: ProjectOptions,
): Promise<TestProject> {
  const {
    settings = {},
    mode = 'live',
    access = 'secret',
    scopes = ['otp', 'jobs', 'projects', 'recipients', 'messages', 'webhooks', 'register', 'public'],
  } = options;
  const id = randomUUID();
  const key = `nbt_${access === 'publishable' ? 'pub_' : ''}${mode}_${randomBytes(24).toString('base64url')}`;
  await db.query('insert into project (id, slug, settings, created_at) values ($1, $2, $3, now())', [
    id,
    slugOf(id),
    settings,
  ]);
  await db.query(
    `insert into api_key (id, project_id, access, mode, hash, hint, scopes, created_at) values ($1, $2, $3, $4, $5, $6, $7, now())`,
    [randomUUID(), id, access, mode, keyedHash(pepper)('api-key', key), key.slice(-4), scopes],
  );
  return {
    id,
    key,
    call: (method, path, body, headers) => call(apiUrl, key, { method, path, body, headers }),
  };
}

/** Letters only: nobody, and no search, takes it for a code. */
const slugOf = (id: string) =>
  `project-${id.slice(0, 8).replace(/\d/g, (digit) => 'ghijklmnop'[Number(digit)] ?? '')}`;

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly headers: Record<string, string> | undefined;
}

async function call(apiUrl: string, key: string, { method, path, body, headers }: Call): Promise<Reply> {
  const response = await fetch(apiUrl + path, {
    method,
    headers: {
      Authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
}

/** The digits of the newest message to `to`. */
export async function codeSentTo({ sandbox }: Pick<Navbat, 'sandbox'>, to: string): Promise<string> {
  const message = await sandbox.waitForMessage({ to });
  const newest = sandbox.inbox({ to }).at(-1) ?? message;
  const code = /\b\d{4,8}\b/.exec(newest.text)?.[0];
  if (!code) throw new Error(`no code in the message to ${to}`);
  return code;
}

/** Another code than `code`. */
export const wrongCode = (code: string) =>
  String((Number(code) + 1) % 10 ** code.length).padStart(code.length, '0');

/** Polls until `look` gives something. */
export async function until<T>(
  look: () => Promise<T | null | undefined | false>,
  timeoutMs = EVENTUALLY_MS,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > deadline)
      throw new Error(`nothing came of it within ${timeoutMs} ms: ${look.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
