import { randomUUID } from 'node:crypto';
import { jobKinds } from '../domain/jobs.ts';
import { jobsOf, type Products } from '../domain/products.ts';
import { ConfigError, readConfig } from '../infra/process/config.ts';
import { environment } from '../infra/process/environment.ts';
import { openLog } from '../infra/process/log.ts';
import { runProcess } from '../infra/process/run.ts';
import { processVariables, workerVariables } from '../infra/process/variables.ts';
import { serveMetrics } from '../infra/process/worker-metrics.ts';
import { startHeartbeats, startRoles } from './engine/wire.ts';
import { wireModules } from './modules.ts';
import { openWorkerPlatform, type Role } from './wire.ts';

/** `npm run worker -- [kind…]`: the kinds that are named, and the reconciler where it is; all of it where nothing is. */
await runProcess(async () => {
  const env = environment();
  const { NAVBAT_PRODUCTS: on } = readConfig(env, ['NAVBAT_PRODUCTS']);
  const named = chooseRoles(process.argv.slice(2));
  const roles = named.filter((role) => isOf(on, role));
  // Of all roles together, so that what is missing is named at once.
  const config = readConfig(env, [...workerVariables, ...roles.flatMap((role) => processVariables[role])]);
  const log = openLog(`worker ${roles.join(' ')}`, config.LOG_LEVEL);
  const platform = await openWorkerPlatform(env, config, log);
  const life = { id: randomUUID(), roles, reconciledAt: null };
  const stops = [
    await serveMetrics(config),
    ...(await startRoles(platform, wireModules(platform, on), roles, life)),
    startHeartbeats(config.DATABASE_URL, platform, life),
  ];
  // Where containers start every process, one whose product is off says so, and stays.
  const off = named.filter((role) => !roles.includes(role));
  log.info({ roles, ...(off.length > 0 && { off }) }, 'worker ready');
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
    await platform.close();
    log.info('worker stopped');
  };
});

function chooseRoles(names: readonly string[]): readonly Role[] {
  const known: readonly Role[] = [...jobKinds, 'reconciler'];
  const unknown = names.filter((name) => !known.some((role) => role === name));
  if (unknown.length > 0)
    throw new ConfigError(`no such kind: ${unknown.join(', ')}; expected any of ${known.join(', ')}`);
  return names.length === 0 ? known : known.filter((role) => names.includes(role));
}

function isOf(on: Products, role: Role): boolean {
  return role === 'reconciler' || Object.hasOwn(jobsOf(on), role);
}
