import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { migrate } from '../../../../infra/postgres/migrate.ts';
import { chaosEnvironment, freePorts, type Variables } from '../../support/environment.ts';
import { Member, type Role } from '../../support/member.ts';
import { type Servers, startServers } from '../../support/servers.ts';

/** What meters traffic, as real processes: two apis, two workers, the reconciler with its scheduler, and servers. */
export interface EarnInstallation {
  readonly servers: Servers;
  readonly owner: pg.Pool;
  readonly env: Variables;
  readonly apiUrls: readonly string[];
  readonly apis: readonly Member[];
  readonly workers: readonly Member[];
  readonly reconciler: Member;
  readonly members: readonly Member[];
  /** Once the project of the money is there. */
  start(): Promise<void>;
  close(): Promise<void>;
}

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const APIS = 2;
const WORKERS = 2;

export async function installEarning(directory: string, moneyProject: string): Promise<EarnInstallation> {
  const [home, logs] = [join(directory, 'home'), join(directory, 'processes')];
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
  const ports = await freePorts(APIS);
  const env = {
    ...chaosEnvironment(servers, ports, home),
    SANDBOX_CLOCK: 'true',
    MONEY_PROJECT: moneyProject,
    NAVBAT_PRODUCTS: 'message,pay,earn',
    // Each phone calls from an address of its own, and those that roam from many.
    TRUST_PROXY: '1',
    // Nobody is paid here.
    MULTICARD_API_URL: 'http://127.0.0.1:9',
  };
  const member = (name: string, role: Role, words: readonly string[], more = {}) =>
    new Member({
      name,
      role,
      command: [join(ROOT, words[0] ?? ''), ...words.slice(1)],
      readyMessage: role === 'api' ? 'api ready' : 'worker ready',
      env: { ...env, ...more },
      logFile: join(logs, `${name}.log`),
    });
  const apis = ports.apis.map((port, index) =>
    member(`api-${index}`, 'api', ['apps/api/main.ts'], { API_PORT: String(port) }),
  );
  const workers = Array.from({ length: WORKERS }, (_, index) =>
    member(`worker-${index}`, 'worker', ['workers/main.ts', 'traffic-report']),
  );
  const reconciler = member('reconciler', 'reconciler', ['workers/main.ts', 'reconciler']);
  const members = [...apis, ...workers, reconciler];
  return {
    servers,
    owner,
    env,
    apiUrls: ports.apis.map((port) => `http://127.0.0.1:${port}`),
    apis,
    workers,
    reconciler,
    members,
    start: async () => {
      for (const each of members) each.start();
      await Promise.all(members.map((each) => each.untilReady()));
    },
    close: async () => {
      await Promise.all(members.map((each) => each.stop()));
      await owner.end();
      await servers.close();
    },
  };
}
