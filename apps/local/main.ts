import { resolve } from 'node:path';
import { ConfigError, readConfig } from '../../infra/config.ts';
import { isFree } from '../../infra/embedded/port.ts';
import { startPostgres } from '../../infra/embedded/postgres.ts';
import { endProcess, isAlive, startMark } from '../../infra/embedded/process.ts';
import { startRedis } from '../../infra/embedded/redis.ts';
import { makeHome } from '../../infra/embedded/site.ts';
import { newSecrets } from '../../infra/new-secrets.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { credentialLines, surfaceLines } from './announce.ts';
import { type ChildContext, startChild } from './child.ts';
import { runCli } from './cli.ts';
import { ensureDemo, keepDemo, markTold } from './demo.ts';
import { localEnvironment, portNames, refusalOfProduction } from './environment.ts';
import {
  type ChildRecord,
  claimHome,
  homeDirectory,
  leftoverChildren,
  recordChildren,
  releaseHome,
} from './home.ts';
import { jsonLine, prettyLine } from './log-lines.ts';
import { portTroubles } from './ports.ts';
import { providersStage, servingStage } from './processes.ts';
import { keepSecrets, newSandboxCredentials, type Variables } from './secrets.ts';
import { type KeptServer, keepServer, type Server } from './servers.ts';
import { listenForStop, type StopSignals } from './stop-signals.ts';

/** A killed supervisor's children hold nothing that a drain of this length would not finish; what is lost comes back by its ticket. */
const LEFTOVER_GRACE_MS = 15_000;
/** Stand in for the embedded servers' addresses, which are not known before they run, when the rest of the environment is checked. */
const UNKNOWN_YET = { DATABASE_URL: 'postgres://embedded', REDIS_URL: 'redis://embedded' };

const clone = resolve(import.meta.dirname, '../..');
const isTerminal = process.stdout.isTTY === true;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const onLine = (child: string, line: string): void =>
  say(isTerminal ? prettyLine(child, line) : jsonLine(child, line, new Date()));
const onTrouble = (sentence: string): void => onLine('supervisor', sentence);

/** What was started together stops together. `force` cuts a drain short. */
type Stage = readonly { readonly stop: (force: AbortSignal) => Promise<void> }[];

/** Starts everything, says `ready`, waits for a wish to stop or a hopeless child, and stops everything. Returns the exit code. */
async function supervise(home: string, { stop, force }: StopSignals): Promise<number> {
  // In the order of starting; a stop goes through them from the end.
  const stages: Stage[] = [];
  const hopeless = Promise.withResolvers<never>();
  hopeless.promise.catch(() => undefined);
  const onGiveUp = (child: string): void =>
    hopeless.reject(new Error(`${child} crashes again and again; its reason stands above.`));
  try {
    await start(home, stages, stop, onGiveUp);
    await Promise.race([aborted(stop), hopeless.promise]);
  } catch (error) {
    if (!stop.aborted) {
      complain(error);
      return 1;
    }
  } finally {
    for (const stage of stages.toReversed()) await Promise.all(stage.map((each) => each.stop(force)));
  }
  return 0;
}

/** The story of a start. A wish to stop is heard between its steps; what has been started by then stands in `stages`. */
async function start(
  home: string,
  stages: Stage[],
  stop: AbortSignal,
  onGiveUp: ChildContext['onGiveUp'],
): Promise<void> {
  const secrets = await keepSecrets(home, { ...newSecrets(new Date()), ...newSandboxCredentials() });
  const checked = localEnvironment(process.env, secrets, home);
  const config = readConfig({ ...UNKNOWN_YET, ...checked });
  const ports = portNames.map((name) => ({ name, port: config[name] }));

  await stopLeftovers(home);
  const troubles = await portTroubles(ports, (port) => isFree(port, config.BIND_HOST));
  if (troubles.length > 0) throw new ConfigError(troubles.join('\n'));

  const env = { ...checked, ...(await startServers(home, checked, stages)) };
  stop.throwIfAborted();
  await migrate(env.DATABASE_URL);
  const context = { directory: clone, env, onLine, onGiveUp, onProcess: processRecorder(home) };
  for (const stage of [providersStage(config), servingStage(config)]) {
    stop.throwIfAborted();
    const children = stage.map((spec) => startChild(spec, context));
    stages.push(children);
    await Promise.all(children.map((child) => child.untilReady(stop)));
  }

  const demo = await keepDemo(home, config.NAVBAT_DEMO_KEY);
  await ensureDemo(demo, (args, more) => runCli(clone, { ...env, ...more }, args));
  stop.throwIfAborted();
  for (const line of surfaceLines(ports)) say(line);
  if (!demo.told) for (const line of await credentialLines(home, demo, isTerminal)) say(line);
  await markTold(home, demo);
  say('ready');
}

/** Postgres and Redis, each unless the person has one already. */
async function startServers(
  home: string,
  env: Variables,
  stages: Stage[],
): Promise<{ DATABASE_URL: string; REDIS_URL: string }> {
  const embedded = (name: string, start: (port?: number) => Promise<Server>) =>
    keepServer(name, { start, isAlive, onTrouble });
  const at = (port?: number) => ({ directory: home, ...(port === undefined ? {} : { port }) });
  const [postgres, redis] = await Promise.allSettled([
    env['DATABASE_URL']
      ? theirs(env['DATABASE_URL'])
      : embedded('PostgreSQL', (port) => startPostgres(at(port))),
    env['REDIS_URL'] ? theirs(env['REDIS_URL']) : embedded('Redis', (port) => startRedis(at(port))),
  ]);
  stages.push([postgres, redis].flatMap((server) => (server.status === 'fulfilled' ? [server.value] : [])));
  if (postgres.status === 'rejected') throw postgres.reason;
  if (redis.status === 'rejected') throw redis.reason;
  return { DATABASE_URL: postgres.value.url, REDIS_URL: redis.value.url };
}

const theirs = async (url: string): Promise<KeptServer> => ({ url, stop: async () => undefined });

async function stopLeftovers(home: string): Promise<void> {
  const left = leftoverChildren(home, startMark);
  for (const { name, pid } of left)
    onTrouble(`stopping ${name} (process ${pid}), left by a start that was killed`);
  await Promise.all(left.map(({ pid }) => endProcess(pid, LEFTOVER_GRACE_MS)));
  recordChildren(home, []);
}

/** Keeps the home's list of children as they begin and end. */
function processRecorder(home: string): ChildContext['onProcess'] {
  const records = new Map<string, ChildRecord>();
  return (name, pid) => {
    const mark = pid === undefined ? undefined : startMark(pid);
    if (pid !== undefined && mark !== undefined) records.set(name, { name, pid, mark });
    else records.delete(name);
    recordChildren(home, [...records.values()]);
  };
}

function complain(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

async function main(): Promise<number> {
  const refusal = refusalOfProduction(process.env);
  const home = homeDirectory(clone, process.env['NAVBAT_HOME']);
  try {
    if (refusal !== undefined) throw new ConfigError(refusal);
    await makeHome(home);
    await claimHome(home, startMark);
  } catch (error) {
    complain(error);
    return 1;
  }
  try {
    return await supervise(home, listenForStop());
  } finally {
    await releaseHome(home);
  }
}

// Whoever read our output may be gone (`npm start | head`); the work goes on.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
process.exit(await main());
