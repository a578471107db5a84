import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { jobKinds } from '../../domain/jobs.ts';
import { Environment } from '../../infra/process/config-schema.ts';
import { composeOnly } from '../../infra/deploy/env.ts';
import {
  channelVariables,
  intakeProcesses,
  type ProcessName,
  processVariables,
} from '../../infra/process/variables.ts';
import { importsFrom } from './imports.ts';

/** No Docker engine runs where these tests do, so the files are held to the code by reading them. */
const root = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const Healthcheck = z.object({ test: z.array(z.string()).optional(), disable: z.boolean().optional() });
const Service = z.object({
  image: z.string(),
  build: z.object({ context: z.string(), target: z.string() }).optional(),
  profiles: z.array(z.string()).default([]),
  command: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  env_file: z.string().optional(),
  stop_grace_period: z.string().optional(),
  healthcheck: Healthcheck,
});
type Service = z.infer<typeof Service>;

const Compose = z.object({
  services: z.record(z.string(), Service),
  volumes: z.record(z.string(), z.null()),
});

const { services, volumes } = Compose.parse(parse(read('docker-compose.yml'), { merge: true }));
const all = Object.entries(services);
const ours = all.filter(([, { build }]) => build);
const byDefault = all.filter(([, { profiles }]) => profiles.length === 0);
const service = (name: string): Service => Service.parse(services[name]);
const dockerfile = read('Dockerfile');

describe('the services are those of the code', () => {
  test('every kind of job has a worker of its own, and no worker is of an unknown kind', () => {
    const workers = all.filter(([name]) => name.startsWith('worker-'));
    expect(workers.map(([name]) => name).toSorted()).toEqual(
      jobKinds.map((kind) => `worker-${kind}`).toSorted(),
    );
    for (const [name, { command }] of workers)
      expect(command).toEqual(['node', 'workers/main.ts', name.slice('worker-'.length)]);
  });

  test('the intake, the board, the bot, the reconciler and one migration run beside them', () => {
    const others = byDefault.map(([name]) => name).filter((name) => !name.startsWith('worker-'));
    expect(others.toSorted()).toEqual(['api', 'board', 'bot', 'migrate', 'postgres', 'reconciler', 'redis']);
  });

  test.each(ours)('%s runs a file that exists', (_name, { command }) => {
    const [program, file = ''] = command;
    expect(program).toBe('node');
    expect(existsSync(join(root, file))).toBe(true);
  });

  test.each(ours.filter(([name]) => name !== 'migrate'))(
    '%s has a health check on a port that it is given',
    (name, { healthcheck, environment, ports }) => {
      const [, program, file = '', url = ''] = healthcheck.test ?? [];
      expect([program, existsSync(join(root, file))]).toEqual(['node', true]);
      const given = Object.entries(environment).filter(([variable]) => variable.endsWith('_PORT'));
      expect(given.map(([, port]) => port)).toContain(new URL(url).port);
      for (const published of ports) expect(published.endsWith(`:${new URL(url).port}`), name).toBe(true);
    },
  );

  test('every process starts after the schema is there and Redis answers', () => {
    for (const [name, { depends_on }] of ours.filter(([name]) => name !== 'migrate' && name !== 'sandbox'))
      expect(depends_on, name).toMatchObject({
        migrate: { condition: 'service_completed_successfully' },
        redis: { condition: 'service_healthy' },
      });
    expect(service('migrate').depends_on).toEqual({ postgres: { condition: 'service_healthy' } });
  });
});

describe('the servers keep what they are given', () => {
  test('PostgreSQL 18 with a volume where that version keeps its data, and a health check', () => {
    const { image, volumes: mounted, healthcheck } = service('postgres');
    expect(image).toMatch(/^postgres:18\./);
    expect(mounted).toContain('postgres-data:/var/lib/postgresql');
    expect(healthcheck.test?.join(' ')).toContain('pg_isready');
  });

  test('Redis 7, append-only, never evicting, with a volume and a health check', () => {
    const { image, command, environment, volumes: mounted, healthcheck } = service('redis');
    const options = command.join(' ');
    expect(image).toMatch(/^redis:7\./);
    expect(mounted).toEqual(['redis-data:/data']);
    expect(options).toContain('--appendonly yes');
    expect(options).toContain('--maxmemory-policy noeviction');
    expect(healthcheck.test).toEqual(['CMD', 'redis-cli', 'ping']);
    // The health check logs in with the same variable.
    expect(options).toContain('--requirepass "$$REDISCLI_AUTH"');
    expect(environment['REDISCLI_AUTH']).toMatch(/^\$\{REDIS_PASSWORD:\?/);
  });

  test('every volume is declared, and every declared one is used', () => {
    const used = all.flatMap(([, { volumes: mounted }]) =>
      mounted.map((mount) => mount.slice(0, mount.indexOf(':'))),
    );
    const folders = used.filter((name) => !name.startsWith('.'));
    expect(folders.toSorted()).toEqual(Object.keys(volumes).toSorted());
  });
});

describe('no secret stands in a file', () => {
  const secretName = /KEY|TOKEN|SECRET|PASSWORD|PEPPER|JWK|SID|ACCOUNT/;
  const onlyFromEnv = /^\$\{[A-Z_]+(?::\?[^}]+|:-|:\+set)\}$/;

  const passwordOf = (value: string): string | undefined => /^\w+:\/\/[^/]*?:(.+)@/.exec(value)?.[1];
  const secrets = all.flatMap(([name, { environment }]) =>
    Object.entries(environment).flatMap(([variable, value]) => {
      const secret = secretName.test(variable) ? value : passwordOf(value);
      return secret === undefined ? [] : [{ name, variable, secret }];
    }),
  );

  test('there are secrets to look at', () => {
    expect(secrets).toContainEqual(
      expect.objectContaining({ name: 'postgres', variable: 'POSTGRES_PASSWORD' }),
    );
    expect(secrets).toContainEqual(expect.objectContaining({ name: 'api', variable: 'DATABASE_URL' }));
  });

  test.each(secrets)('$variable of $name comes from .env', ({ secret }) => {
    expect(secret).toMatch(onlyFromEnv);
  });

  test('.env is neither committed nor copied into the image', () => {
    expect(read('.gitignore').split('\n')).toContain('.env');
    expect(read('.dockerignore').split('\n')).toContain('*');
    expect(read('.dockerignore')).not.toMatch(/^!\.env/m);
  });

  test('what the compose file asks of .env is in .env.example', () => {
    const asked = [...read('docker-compose.yml').matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name);
    const known = [...Object.keys(Environment.shape), ...Object.keys(composeOnly)];
    expect(known).toEqual(expect.arrayContaining(asked));
  });
});

describe('each container has what its process reads and nothing more', () => {
  const processOf = (name: string, { command }: Service): ProcessName => {
    const process = command[1] === 'workers/main.ts' ? command[2] : name;
    if (process === undefined || !(process in processVariables)) throw new Error(`no process ${process}`);
    return process as ProcessName;
  };

  test.each(ours)('%s', (name, it) => {
    expect(it.env_file).toBeUndefined();
    const process = processOf(name, it);
    const reads: readonly string[] = processVariables[process];
    const values = Object.entries(it.environment);
    const told = values.filter(([, value]) => value.endsWith(':+set}')).map(([variable]) => variable);
    expect(values.map(([variable]) => variable).toSorted()).toEqual([...reads, ...told].toSorted());
    const isIntake = intakeProcesses.some((each) => each === process);
    // A channel's secret that the process itself does not read is told as `set`.
    const unread = channelVariables.filter((variable) => !reads.includes(variable));
    expect(told.toSorted()).toEqual(isIntake ? unread.toSorted() : []);
  });

  test.each(ours)('%s gets each variable of .env under its own name', (_name, { environment }) => {
    for (const [variable, value] of Object.entries(environment)) {
      const [, asked = variable] = /^\$\{([A-Z_]+)/.exec(value) ?? [];
      expect(asked).toBe(variable);
    }
  });

  test('the password of Postgres and of Redis is with those that talk to them', () => {
    const holders = (secret: string) =>
      all
        .filter(([, { environment }]) => Object.values(environment).some((value) => value.includes(secret)))
        .map(([name]) => name);
    const platform = ours.map(([name]) => name).filter((name) => name !== 'sandbox' && name !== 'migrate');
    expect(holders('${POSTGRES_PASSWORD')).toEqual(['postgres']);
    expect(holders('${POSTGRES_OWNER_PASSWORD')).toEqual(['postgres', 'migrate']);
    expect(holders('${POSTGRES_APP_PASSWORD')).toEqual(['postgres', ...platform]);
    expect(holders('${REDIS_PASSWORD')).toEqual(['redis', ...platform]);
  });
});

test('an image that others make is named to its last figure, and the variant with it', () => {
  const { services: shells } = z
    .object({ services: z.record(z.string(), z.object({ image: z.string() })) })
    .parse(parse(read('.devcontainer/docker-compose.yml'), { merge: true }));
  const bases = [...dockerfile.matchAll(/^FROM (\S+:\S+)/gm)].map(([, image]) => image);
  const theirs = all.filter(([, { build }]) => !build).map(([, { image }]) => image);
  const images = [...theirs, ...bases, ...Object.values(shells).map(({ image }) => image)];
  expect(images).toHaveLength(4);
  for (const image of images) expect(image).toMatch(/:\d+\.\d+(?:\.\d+)?-[a-z0-9-]*(?:bookworm|trixie)/);
});

test('nothing is published to other machines: here is no TLS', () => {
  const published = all.flatMap(([, { ports }]) => ports);
  expect(published).toHaveLength(4);
  for (const port of published) expect(port).toMatch(/^127\.0\.0\.1:/);
});

describe('nothing of the sandbox runs by default', () => {
  test('only the dev profile starts it, and by default every process is in production', () => {
    expect(service('sandbox')).toMatchObject({ profiles: ['dev'], environment: { NODE_ENV: 'development' } });
    for (const [name, { build, environment, command }] of byDefault.filter(([, { build }]) => build)) {
      expect(environment['NODE_ENV'], name).toBe('${NODE_ENV:-production}');
      expect([build?.target, command.join(' ')], name).toEqual([
        'runtime',
        expect.not.stringContaining('sandbox'),
      ]);
    }
  });

  test('nothing that starts by default waits for it', () => {
    for (const [, { depends_on }] of byDefault) expect(Object.keys(depends_on)).not.toContain('sandbox');
  });
});

describe('the image', () => {
  const [, left = ''] = /^RUN rm -rf (.+)$/m.exec(dockerfile) ?? [];
  const leftOut = left.split(' ');

  test('runs the Node that the tests run on, and not as root', () => {
    const { devDependencies } = z
      .object({ devDependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(read('package.json')));
    expect(dockerfile).toMatch(new RegExp(`^FROM node:${devDependencies['node']}-\\w+-slim AS node$`, 'm'));
    expect(dockerfile.match(/^USER .+$/gm)?.at(-1)).toBe('USER node');
    const runtime = dockerfile.slice(dockerfile.indexOf('AS runtime'));
    expect(runtime.indexOf('USER node')).toBeLessThan(runtime.indexOf('CMD'));
  });

  test('is let see every folder that it copies', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = '']) =>
      paths.split(' '),
    );
    const seen = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    for (const path of copied)
      expect(
        seen.some((open) => path === open || path.startsWith(`${open}/`)),
        path,
      ).toBe(true);
  });

  test('leaves out what only a developer needs', () => {
    expect(leftOut).toEqual(['apps/local', 'apps/sandbox', 'infra/embedded']);
  });

  test.each(ours.filter(([, { profiles }]) => profiles.length === 0))(
    '%s needs no file that was left out and no package of development',
    (_name, { command }) => {
      const { dependencies } = z
        .object({ dependencies: z.record(z.string(), z.string()) })
        .parse(JSON.parse(read('package.json')));
      const { files, packages } = importsFrom(join(root, command[1] ?? ''));
      const missing = files.filter((file) => leftOut.some((path) => file.startsWith(join(root, path))));
      expect(missing).toEqual([]);
      expect(Object.keys(dependencies)).toEqual(expect.arrayContaining([...packages]));
    },
  );
});

test('the devcontainer reuses the same postgres and redis', () => {
  const {
    dockerComposeFile,
    service: shell,
    runServices,
  } = z
    .object({ dockerComposeFile: z.array(z.string()), service: z.string(), runServices: z.array(z.string()) })
    .parse(JSON.parse(read('.devcontainer/devcontainer.json')));
  expect(dockerComposeFile.map((file) => join('.devcontainer', file))).toEqual([
    'docker-compose.yml',
    '.devcontainer/docker-compose.yml',
  ]);
  const beside = z
    .object({ services: z.record(z.string(), z.unknown()) })
    .parse(parse(read('.devcontainer/docker-compose.yml'), { merge: true }));
  expect(Object.keys(beside.services)).toContain(shell);
  expect(Object.keys(services)).toEqual(expect.arrayContaining(runServices));
});
