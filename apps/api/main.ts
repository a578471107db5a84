import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { type Config, readConfig } from '../../infra/config.ts';
import { keyedHash, sealer } from '../../infra/crypto.ts';
import { limitConnection, quotaCounter } from '../../infra/http/quota-counter.ts';
import { readiness } from '../../infra/http/readiness.ts';
import { type Logger, openLog } from '../../infra/log.ts';
import { exposeDepth, httpSeconds, metrics } from '../../infra/metrics.ts';
import { depthReader } from '../../infra/postgres/depth.ts';
import { jobReader } from '../../infra/postgres/job-queries.ts';
import { keyDirectory } from '../../infra/postgres/key-directory.ts';
import { openOrm } from '../../infra/postgres/orm.ts';
import { projectStore } from '../../infra/postgres/projects.ts';
import { recipientStore } from '../../infra/postgres/recipients.ts';
import { usageReader } from '../../infra/postgres/usage.ts';
import { runProcess } from '../../infra/run.ts';
import { createHttpServer, drain, listen } from '../http/server.ts';
import { createApp } from './app.ts';
import { type ApiPorts, apiRoutes } from './routes.ts';
import { healthRouter } from './routes/health.ts';

/** Keys, usage and depth: short reads, beside the intake's own pool. */
const READ_CONNECTIONS_MAX = 4;
const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 10_000;
/** Requests in flight wait for one commit each; what needs longer would be killed with the process. */
const DRAIN_LIMIT_MS = 10_000;

await runProcess(async () => {
  const config = readConfig(process.env);
  const log = openLog('api', config.LOG_LEVEL);
  const servers = await connect(config, log);
  const { app, close } = wire(config, log, servers);
  const server = createHttpServer(app);
  await listen(server, config.BIND_HOST, config.API_PORT);
  log.info({ host: config.BIND_HOST, port: config.API_PORT }, 'api ready');

  return async () => {
    await drain(server, DRAIN_LIMIT_MS);
    await close();
    servers.redis.disconnect();
    await servers.pool.end();
    await servers.orm.close(true);
    log.info('api stopped');
  };
});

type Servers = Awaited<ReturnType<typeof connect>>;

async function connect(config: Config, log: Logger) {
  const orm = await openOrm(config.DATABASE_URL);
  const pool = new Pool({
    connectionString: config.DATABASE_URL,
    max: READ_CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
  });
  const redis = new Redis(config.REDIS_URL, limitConnection);
  // Without a listener, a connection that breaks would end the process; each use sees its own failure.
  for (const connection of [pool, redis])
    connection.on('error', (err: Error) => log.debug({ err }, 'connection lost'));
  return { orm, pool, redis };
}

function wire(config: Config, log: Logger, { orm, pool, redis }: Servers) {
  const hash = keyedHash(config.PEPPER);
  const keys = keyDirectory(pool, hash, (err) => log.warn({ err }, 'uses of keys were not written'));
  const counter = quotaCounter(redis);
  exposeDepth(depthReader(pool));
  const ports: ApiPorts = {
    projects: projectStore(orm.em, hash),
    usage: usageReader(pool),
    recipients: recipientStore(orm.em, { keyedHash: hash, sealer: sealer(config.SEAL_KEYS) }),
    jobs: jobReader(orm.em, hash),
  };
  const health = healthRouter({
    readiness: () => readiness(pool, redis),
    metrics: async () => ({ contentType: metrics.contentType, text: await metrics.metrics() }),
  });

  const app = createApp({
    keys,
    counter,
    log,
    proxies: config.TRUST_PROXY,
    observe: ({ method, route, status, seconds }) => httpSeconds.observe({ method, route, status }, seconds),
    routes: apiRoutes(ports),
    routers: [health],
  });
  const close = async () => {
    counter.close();
    await keys.close();
  };
  return { app, close };
}
