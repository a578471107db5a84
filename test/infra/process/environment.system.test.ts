import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { otherPort } from '../../../domain/shared/listen-fault.ts';
import { Environment } from '../../../infra/process/config-schema.ts';
import { environmentText, newEnvironment } from '../../../infra/deploy/env.ts';
import { newSecrets } from '../../../infra/process/new-secrets.ts';
import { type ProcessName, processVariables } from '../../../infra/process/variables.ts';
import { baseVariables } from '../../support/environment.ts';

const clone = resolve(import.meta.dirname, '../../..');
const processes: readonly (readonly [script: string, process: ProcessName])[] = [
  ['apps/api/main.ts', 'api'],
  ['apps/board/main.ts', 'board'],
  ['apps/bot/main.ts', 'bot'],
  ['workers/main.ts', 'reconciler'],
  ['infra/postgres/migrate.ts', 'migrate'],
];
const isRequired = (name: keyof typeof Environment.shape) =>
  !Environment.shape[name].safeParse(undefined).success;
const requiredOf = (process: ProcessName) => processVariables[process].filter(isRequired);

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'navbat-env-'));
});
afterAll(() => rm(directory, { recursive: true }));

interface Ended {
  readonly code: number;
  readonly err: string;
}

/** From another directory than the clone, as a service manager starts it. */
const run = (script: string, env: Record<string, string>): Promise<Ended> =>
  new Promise((done) => {
    const options = { cwd: directory, env: { ...baseVariables, ...env } };
    execFile(process.execPath, [join(clone, script), 'reconciler'], options, (error, _out, err) =>
      done({ code: typeof error?.code === 'number' ? error.code : 0, err }),
    );
  });

test.for(processes)(
  '%s says in a line each what is missing, and ends with code 1',
  async ([script, process]) => {
    const { code, err } = await run(script, { NAVBAT_ENV_FILE: '', REDIS_URL: 'http://wrong' });
    expect(code).toBe(1);
    const lines = err.trim().split('\n');
    expect(lines.map((line) => line.split(':')[0] ?? '').toSorted()).toEqual(requiredOf(process).toSorted());
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^(MIGRATE_)?DATABASE_URL: missing\. Expected: .*(PostgreSQL 18|navbat_owner).*\. Set it in the environment\.$/,
      ),
    );
    expect(err).not.toContain('http://wrong');
  },
);

test.for(processes)('%s reads .env for what the environment leaves unset', async ([script]) => {
  const file = join(directory, '.env');
  const secrets = Object.entries(newSecrets(new Date())).map(([name, value]) => `${name}='${value}'`);
  const nonsense = ['DATABASE_URL=nonsense', 'MIGRATE_DATABASE_URL=nonsense'];
  await writeFile(file, [...secrets, ...nonsense, 'REDIS_URL=redis://127.0.0.1:1'].join('\n'));
  const { err } = await run(script, { NAVBAT_ENV_FILE: file });
  expect(err.trim()).toMatch(/^(MIGRATE_)?DATABASE_URL: /);
  expect(err.trim().split('\n')).toHaveLength(1);
});

test('a file that is named and is not there is told', async () => {
  const { code, err } = await run('infra/postgres/migrate.ts', { NAVBAT_ENV_FILE: '/nowhere/.env' });
  expect({ code, err }).toMatchObject({ code: 1, err: expect.stringMatching(/^NAVBAT_ENV_FILE: .*\n$/) });
});

test('a wrong value is told in words: what was expected, and never the value', async () => {
  const file = join(directory, 'wrong.env');
  const secrets = Object.entries(newSecrets(new Date())).map(([name, value]) => `${name}='${value}'`);
  const wrong = [
    'DATABASE_URL=mysql://hush',
    'REDIS_URL=hush:6379',
    'API_PORT=99999',
    'TRUST_PROXY=hush',
    'LOG_LEVEL=hush',
  ];
  await writeFile(file, [...secrets, ...wrong].join('\n'));
  const { err } = await run('apps/api/main.ts', { NAVBAT_ENV_FILE: file });
  expect(err.trim().split('\n')).toEqual([
    expect.stringMatching(
      /^DATABASE_URL: expected a URL that begins with postgres:\/\/ \(PostgreSQL 18 .*\)\. Correct it in /,
    ),
    expect.stringMatching(/^REDIS_URL: expected a URL that begins with redis:\/\/ or rediss:\/\/ \(Redis 7/),
    expect.stringMatching(/^API_PORT: expected at most 65535 \(port of the api\)/),
    expect.stringMatching(/^TRUST_PROXY: expected a number /),
    expect.stringMatching(/^LOG_LEVEL: expected one of debug, info, /),
  ]);
  expect(err).not.toMatch(/hush|Invalid|NaN/);
});

test('of a file as `npm run env:new` writes it, no name is told as a slip', async () => {
  const file = join(directory, 'new.env');
  await writeFile(file, environmentText(newEnvironment(new Date())));
  const { err } = await run('infra/postgres/migrate.ts', {
    NAVBAT_ENV_FILE: file,
    MIGRATE_DATABASE_URL: 'postgres://127.0.0.1:1/x',
  });
  expect(err.trim().split('\n')).toEqual([
    'MIGRATE_DATABASE_URL: Postgres does not answer there. Start it, or correct the address.',
  ]);
});

test('a name that looks like ours and is not is told, with the one that was meant; the start goes on', async () => {
  const file = join(directory, 'slips.env');
  const names = [
    'DATABSE_URL',
    'redis_url',
    'API_PORTS',
    'ENCRYPTION_KEY_FILE',
    'TELEGRAM_TOKEN',
    'NAVBAT_COLOUR',
    'PORT',
    'LANG',
    'NODE_OPTIONS',
    'COMPOSE_PROJECT_NAME',
    'POSTGRES_PASSWORD',
    'PEPPER_FILE',
  ];
  await writeFile(file, names.map((name) => `${name}=`).join('\n'));
  const { err } = await run('infra/postgres/migrate.ts', {
    NAVBAT_ENV_FILE: file,
    MIGRATE_DATABASE_URL: 'postgres://127.0.0.1:1/x',
  });
  expect(err.trim().split('\n')).toEqual([
    'API_PORTS: no such variable. Did you mean API_PORT?',
    'DATABSE_URL: no such variable. Did you mean DATABASE_URL?',
    'ENCRYPTION_KEY_FILE: no such variable. Did you mean ENCRYPTION_KEYS?',
    'NAVBAT_COLOUR: no such variable. .env.example lists all that Navbat reads.',
    'TELEGRAM_TOKEN: no such variable. .env.example lists all that Navbat reads.',
    'redis_url: no such variable. Did you mean REDIS_URL?',
    'MIGRATE_DATABASE_URL: Postgres does not answer there. Start it, or correct the address.',
  ]);
});

test.for([
  ['apps/api/main.ts', 'API_PORT'],
  ['apps/bot/main.ts', 'BOT_PORT'],
  ['workers/main.ts', 'WORKER_METRICS_PORT'],
  ['apps/sandbox/main.ts', 'SANDBOX_PORT'],
] as const)('%s on a taken port says what to do next', async ([script, variable]) => {
  const occupier = createServer().listen(0, '127.0.0.1');
  await once(occupier, 'listening');
  const { port } = occupier.address() as AddressInfo;
  const { code, err } = await run(script, {
    NAVBAT_ENV_FILE: '',
    NAVBAT_HOME: directory,
    BIND_HOST: '127.0.0.1',
    DATABASE_URL: 'postgres://127.0.0.1:1/x',
    REDIS_URL: 'redis://127.0.0.1:1',
    ...newSecrets(new Date()),
    [variable]: String(port),
  });
  occupier.close();
  expect({ code, err }).toEqual({
    code: 1,
    err: `${variable}: port ${port} is taken. Stop the program that listens there, or set ${variable} to another port, such as ${otherPort(port)}.\n`,
  });
});

test('a migration without its Postgres says which setting to look at, in a line', async () => {
  const servers = {
    MIGRATE_DATABASE_URL: 'postgres://x:hush@127.0.0.1:1/x',
    REDIS_URL: 'redis://127.0.0.1:1',
  };
  const { code, err } = await run('infra/postgres/migrate.ts', {
    NAVBAT_ENV_FILE: '',
    ...newSecrets(new Date()),
    ...servers,
  });
  expect({ code, err }).toEqual({
    code: 1,
    err: 'MIGRATE_DATABASE_URL: Postgres does not answer there. Start it, or correct the address.\n',
  });
});
