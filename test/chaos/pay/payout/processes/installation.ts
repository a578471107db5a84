import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { PLATFORM_PROJECT_ID } from '../../../../../domain/project/platform.ts';
import { freePort } from '../../../../../infra/embedded/port.ts';
import { migrate } from '../../../../../infra/postgres/migrate.ts';
import { type Encryption, rowEncryption } from '../../../../../infra/process/crypto.ts';
import { readConfig } from '../../../../../infra/process/config.ts';
import { chaosEnvironment, freePorts, type Variables } from '../../../support/environment.ts';
import { Member, type Role } from '../../../support/member.ts';
import { type Servers, startServers } from '../../../support/servers.ts';
import { type DeadlyProxy, openDeadlyProxy } from './deadly-proxy.ts';

export interface PayingWorker {
  readonly member: Member;
  readonly proxy: DeadlyProxy;
}

/** What pays, as real processes: the rail, two workers, each behind a proxy of its own, the reconciler with its scheduler, and servers. */
export interface PayInstallation {
  readonly servers: Servers;
  readonly owner: pg.Pool;
  readonly encryption: Encryption;
  readonly railUrl: string;
  readonly railLog: string;
  readonly workers: readonly PayingWorker[];
  readonly reconciler: Member;
  readonly members: readonly Member[];
  /** What each process is started with. */
  readonly env: Variables;
  /** Once the money's rows are there. */
  start(): Promise<void>;
  /** Where finance reaches it; answers its address. */
  startBoard(): Promise<string>;
  close(): Promise<void>;
}

const ROOT = fileURLToPath(new URL('../../../../..', import.meta.url));
const WORKERS = 2;
const readyMessages: Readonly<Record<Role, string>> = {
  api: 'board ready',
  worker: 'worker ready',
  reconciler: 'worker ready',
  sandbox: 'multicard ready',
};

export async function installPaying(directory: string): Promise<PayInstallation> {
  const [home, logs] = [join(directory, 'home'), join(directory, 'logs')];
  await mkdir(logs, { recursive: true });
  const servers = await startServers(join(directory, 'servers'));
  const owner = new pg.Pool({
    connectionString: servers.postgres.ownerUrl,
    max: 3,
    // On a machine that does ten other things.
    connectionTimeoutMillis: 60_000,
  });
  owner.on('error', () => undefined); // Postgres is restarted on purpose.
  await migrate(servers.postgres.ownerUrl);
  const railPort = await freePort();
  const railUrl = `http://127.0.0.1:${railPort}`;
  const env = {
    ...chaosEnvironment(servers, await freePorts(0), home),
    SANDBOX_CLOCK: 'true',
    SANDBOX_MULTICARD_PORT: String(railPort),
    MONEY_PROJECT: PLATFORM_PROJECT_ID,
    NAVBAT_PRODUCTS: 'message,pay',
  };
  const member = (name: string, role: Role, words: readonly string[], more = {}) =>
    new Member({
      name,
      role,
      command: [join(ROOT, words[0] ?? ''), ...words.slice(1)],
      readyMessage: readyMessages[role],
      env: { ...env, ...more },
      logFile: join(logs, `${name}.log`),
    });
  const rail = member('multicard', 'sandbox', ['apps/sandbox/pay/multicard/main.ts']);
  const proxies = await Promise.all(Array.from({ length: WORKERS }, () => openDeadlyProxy(railUrl)));
  const workers = proxies.map((proxy, index) => ({
    proxy,
    member: member(`worker-${index}`, 'worker', ['workers/main.ts', 'payout'], {
      MULTICARD_API_URL: proxy.url,
    }),
  }));
  const reconciler = member('reconciler', 'worker', ['workers/main.ts', 'reconciler']);
  const paying = [rail, ...workers.map((worker) => worker.member), reconciler];
  const members = [...paying];
  return {
    servers,
    owner,
    env,
    encryption: rowEncryption(readConfig(env, ['ENCRYPTION_KEYS']).ENCRYPTION_KEYS),
    railUrl,
    railLog: join(home, 'sandbox', 'multicard.jsonl'),
    workers,
    reconciler,
    members,
    start: async () => {
      for (const each of paying) each.start();
      await Promise.all(paying.map((each) => each.untilReady()));
    },
    startBoard: async () => {
      const port = String(await freePort());
      const board = member('board', 'api', ['apps/board/main.ts'], { BOARD_PORT: port });
      members.push(board);
      board.start();
      await board.untilReady();
      return `http://127.0.0.1:${port}`;
    },
    close: async () => {
      await Promise.all(members.map((each) => each.stop()));
      for (const proxy of proxies) proxy.close();
      await owner.end();
      await servers.close();
    },
  };
}
