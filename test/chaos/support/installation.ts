import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { JobKind } from '../../../domain/jobs.ts';
import { migrate } from '../../../infra/postgres/migrate.ts';
import { startBalancer } from './balancer.ts';
import { addTelegramRecipients, type TelegramRecipient } from './destinations.ts';
import { chaosEnvironment, freePorts, type Variables } from './environment.ts';
import { Member, type Role } from './member.ts';
import { type ChaosProject, makeProject } from './project.ts';
import { type Servers, startServers } from './servers.ts';

export interface Shape {
  readonly apis: number;
  readonly workers: number;
  readonly reconcilers: number;
  /** What each worker works on. */
  readonly kinds: readonly JobKind[];
  readonly telegramPeople: number;
  /** Other variables, such as those of a provider. */
  readonly env?: (variables: Variables) => Variables;
}

/** All of Navbat on one machine, as real processes, with servers of its own. */
export interface Installation {
  readonly servers: Servers;
  readonly env: Variables;
  readonly pool: pg.Pool;
  readonly project: ChaosProject;
  readonly people: readonly TelegramRecipient[];
  readonly apiUrls: readonly string[];
  readonly sandboxUrl: string;
  /** One JSON line for each message that a provider took. */
  readonly messagesFile: string;
  readonly members: readonly Member[];
  of(role: Role): readonly Member[];
  /** Ends everything that was started; a second call waits for the first. */
  close(): Promise<void>;
}

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const commands: Record<Role, readonly string[]> = {
  api: ['apps/api/main.ts'],
  worker: ['workers/main.ts'],
  reconciler: ['workers/main.ts', 'reconciler'],
  sandbox: ['apps/sandbox/main.ts'],
};
const readyMessages: Record<Role, string> = {
  api: 'api ready',
  worker: 'worker ready',
  reconciler: 'worker ready',
  sandbox: 'sandbox ready',
};

export async function install(directory: string, shape: Shape): Promise<Installation> {
  const [home, logs] = [join(directory, 'home'), join(directory, 'logs')];
  await mkdir(logs, { recursive: true });
  const servers = await startServers(join(directory, 'servers'));
  const ports = await freePorts(shape.apis);
  const plain = chaosEnvironment(servers, ports, home);
  const env = shape.env?.(plain) ?? plain;

  const member = (role: Role, index: number, more: Variables = {}) => {
    const name = `${role}-${index}`;
    const [file = '', ...words] = commands[role];
    const command = [join(ROOT, file), ...words, ...(role === 'worker' ? shape.kinds : [])];
    const spec = {
      name,
      role,
      command,
      readyMessage: readyMessages[role],
      logFile: join(logs, `${name}.log`),
    };
    return new Member({ ...spec, env: { ...env, ...more } });
  };
  const members = [
    member('sandbox', 0),
    ...ports.apis.map((port, index) => member('api', index, { API_PORT: String(port) })),
    ...Array.from({ length: shape.workers }, (_, index) => member('worker', index)),
    ...Array.from({ length: shape.reconcilers }, (_, index) => member('reconciler', index)),
  ];

  const apiUrls = ports.apis.map((port) => `http://127.0.0.1:${port}`);
  const balancer = await startBalancer(ports.balancer, apiUrls);
  const { url, ownerUrl } = servers.postgres;
  const pool = new pg.Pool({ connectionString: ownerUrl, max: 4, connectionTimeoutMillis: 5_000 });
  pool.on('error', () => undefined); // Postgres is restarted on purpose.
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= closeAll());
  const closeAll = async () => {
    await Promise.all(members.map((each) => each.stop()));
    await balancer.close();
    await pool.end();
    await servers.close();
  };
  try {
    await migrate(ownerUrl);
    const pepper = env['PEPPER'] ?? '';
    const project = await makeProject(url, pepper, 'chaos');
    const people = await addTelegramRecipients(pool, { id: project.id, pepper }, shape.telegramPeople);
    for (const each of members) each.start();
    await Promise.all(members.map((each) => each.untilReady()));
    return {
      servers,
      env,
      pool,
      project,
      people,
      apiUrls,
      sandboxUrl: `http://127.0.0.1:${ports.sandbox}`,
      messagesFile: join(home, 'sandbox', 'messages.jsonl'),
      members,
      of: (role) => members.filter(({ spec }) => spec.role === role),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
