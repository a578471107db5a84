import packageJson from '../../package.json' with { type: 'json' };
import { eventTypesOf } from '../../domain/events.ts';
import { publicKeys, personTokens } from '../../infra/identity/person-tokens.ts';
import { depthReader } from '../../infra/postgres/job/depth.ts';
import { auditLog } from '../../infra/postgres/staff/audit.ts';
import { staffSessions } from '../../infra/postgres/staff/sessions.ts';
import { keyDirectory } from '../../infra/postgres/project/key-directory.ts';
import { type ApiPlatform, openApiPlatform } from '../../infra/process/api-platform.ts';
import { readConfig } from '../../infra/process/config.ts';
import { environment } from '../../infra/process/environment.ts';
import { openLog } from '../../infra/process/log.ts';
import { exposeDepth, httpLimited, httpSeconds, metrics } from '../../infra/process/metrics.ts';
import { readiness } from '../../infra/process/readiness.ts';
import { runProcess } from '../../infra/process/run.ts';
import { processVariables } from '../../infra/process/variables.ts';
import { createApp } from '../http/app.ts';
import { docsRouter } from '../http/docs.routes.ts';
import { healthRouter } from '../http/health.routes.ts';
import { openApiDocument } from '../http/openapi.ts';
import { createHttpServer, drain, listen } from '../http/server.ts';
import type { Serving } from '../http/serve-route.ts';
import { serveSockets } from '../http/sockets.ts';
import { wireModules } from './modules.ts';

/** Requests in flight wait for one commit each; what needs longer would be killed with the process. */
const DRAIN_LIMIT_MS = 10_000;

await runProcess(async () => {
  const config = readConfig(environment(), processVariables.api);
  const log = openLog('api', config.LOG_LEVEL);
  const platform = await openApiPlatform(config, log);
  const { app, sockets, endStreams, close } = await wire(platform);
  const server = createHttpServer(app, { proxies: config.TRUST_PROXY }, sockets);
  await listen(server, config.BIND_HOST, config.API_PORT, 'API_PORT');
  log.info({ host: config.BIND_HOST, port: config.API_PORT }, 'api ready');

  return async () => {
    // They would go on for as long as a code lives, or a token.
    endStreams();
    sockets.close();
    await drain(server, DRAIN_LIMIT_MS);
    await close();
    await platform.close();
    log.info('api stopped');
  };
});

async function wire(platform: ApiPlatform) {
  const { config, log, clock, pools, hash, counter, orm } = platform;
  const wired = await wireModules(platform, config.NAVBAT_PRODUCTS);
  const routes = wired.flatMap((each) => each.routes);
  const keys = keyDirectory(pools.read, hash, (err) => log.warn({ err }, 'uses of keys were not written'));
  const serving: Serving = {
    keys,
    persons: await personTokens(publicKeys(config), pools.read),
    moneyProject: config.MONEY_PROJECT ?? null,
    counter,
    clock,
    log,
    proxies: config.TRUST_PROXY,
    observe: ({ method, route, status, seconds }) => httpSeconds.observe({ method, route, status }, seconds),
    countLimited: (limited) => httpLimited.inc(limited),
  };
  const app = createApp({
    ...serving,
    staff: { sessions: staffSessions(orm.em), audit: auditLog(pools.read) },
    routes,
    routers: [
      wireHealth(platform),
      docsRouter(openApiDocument(routes, packageJson.version, eventTypesOf(config.NAVBAT_PRODUCTS))),
      ...wired.flatMap(({ routers = [] }) => routers),
    ],
  });
  const close = async () => {
    await keys.close();
    for (const each of wired) await each.close?.();
  };
  const sockets = serveSockets(routes, serving);
  return { app, sockets, endStreams: () => wired.forEach((each) => each.endStreams?.()), close };
}

/** What needs no key and belongs to no project. */
function wireHealth({ pools, redis }: ApiPlatform) {
  exposeDepth(depthReader(pools.read));
  return healthRouter({
    readiness: () => readiness(pools.read, redis),
    metrics: async () => ({ contentType: metrics.contentType, text: await metrics.metrics() }),
  });
}
