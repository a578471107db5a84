import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Config, ConfigError, readConfig } from '../../infra/process/config.ts';
import { isFree } from '../../infra/embedded/port.ts';
import { startPostgres } from '../../infra/embedded/postgres.ts';
import { endProcess, isAlive, processFacts, startMark } from '../../infra/embedded/process.ts';
import { startRedis } from '../../infra/embedded/redis.ts';
import { makeHome } from '../../infra/embedded/data-directory.ts';
import { newSecrets } from '../../infra/process/new-secrets.ts';
import { migrate, OtherSchemaError } from '../../infra/postgres/migrate.ts';
import { RUNNING_FILE, runningVariables } from '../../infra/process/running.ts';
import { credentialLines, exposureLines, laterLines, surfaceLines } from './announce.ts';
import { type ChildContext, startChild } from './child.ts';
import { commandLine } from './cli.ts';
import { ensureDemo, keepDemo, markTold } from './demo.ts';
import {
  EMBEDDED,
  isOfSandbox,
  localEnvironment,
  type PortName,
  reachableHost,
  refusalOfProduction,
  serverPorts,
  withProducts,
} from './environment.ts';
import {
  type ChildRecord,
  claimHome,
  homeDirectory,
  leftoverChildren,
  recordChildren,
  releaseHome,
  sayStopping,
} from './home.ts';
import { jsonLine, prettyLine } from './log-lines.ts';
import { checkModules, providersOf, seedsOf } from './modules.ts';
import { npmProcesses } from './npm.ts';
import { portTroubles } from './ports.ts';
import { providersStage, servingStage } from './processes.ts';
import { writePrivate } from './private-file.ts';
import { decideRestart } from './restarts.ts';
import { keepSecrets, newSandboxCredentials, type Variables } from './secrets.ts';
import { keepServer, type Server } from './servers.ts';
import { listenForStop, type StopSignals } from './stop-signals.ts';

/** A killed supervisor's children hold nothing that a drain of this length would not finish; what is lost comes back with its queue entry. */
const LEFTOVER_GRACE_MS = 15_000;
const clone = resolve(import.meta.dirname, '../..');
const isTerminal = process.stdout.isTTY === true;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const onLine = (child: string, line: string): void =>
  say(isTerminal ? prettyLine(child, line) : jsonLine(child, line, new Date()));
const onTrouble = (sentence: string): void => onLine('supervisor', sentence);

interface ServerUrls {
  readonly DATABASE_URL: string;
  readonly MIGRATE_DATABASE_URL: string;
  readonly REDIS_URL: string;
}

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
    await sayStopping(home, startMark).catch(complain);
    for (const stage of stages.toReversed()) await stopStage(stage, force);
  }
  return 0;
}

/** What can't be stopped must not keep the rest running. */
async function stopStage(stage: Stage, force: AbortSignal): Promise<void> {
  const stopped = await Promise.allSettled(stage.map((each) => each.stop(force)));
  for (const each of stopped) if (each.status === 'rejected') complain(each.reason);
}

/** The course of a start. A wish to stop is heard between its steps; what has been started by then stands in `stages`. */
async function start(
  home: string,
  stages: Stage[],
  stop: AbortSignal,
  onGiveUp: ChildContext['onGiveUp'],
): Promise<void> {
  const secrets = await keepSecrets(home, { ...newSecrets(new Date()), ...newSandboxCredentials() });
  const planned = localEnvironment(withProducts(process.env, process.argv.slice(2)), secrets, home);
  const config = readConfig(planned);
  checkModules(config, config.NAVBAT_PRODUCTS);
  await stopLeftovers(home);
  await checkPorts(config);
  const env = { ...planned, ...(await startServers(home, config, stages)) };
  stop.throwIfAborted();
  await bringUpToDate(home, config, env.MIGRATE_DATABASE_URL);
  await writePrivate(join(home, RUNNING_FILE), JSON.stringify(runningVariables(env)));

  for (const line of exposureLines(config)) say(line);
  const originOf = (name: PortName): string =>
    `http://${reachableHost(isOfSandbox(name) ? config.SANDBOX_BIND_HOST : config.BIND_HOST)}:${config[name]}`;
  const onProcess = processRecorder(home);
  const context = { directory: clone, env: withoutOwner(env), onLine, onGiveUp, onProcess, decideRestart };
  const on = config.NAVBAT_PRODUCTS;
  for (const stage of [providersStage(originOf, on), servingStage(originOf, on)]) {
    stop.throwIfAborted();
    const children = stage.map((spec) => startChild(spec, context));
    stages.push(children);
    await Promise.all(children.map((child) => child.untilReady(stop)));
  }
  await introduce(home, env, config, surfaceLines(originOf));
  stop.throwIfAborted();
  say('ready');
}

/** What the owner of the tables may do is no process's business. */
function withoutOwner(env: Variables): Variables {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('MIGRATE_DATABASE_URL')));
}

/** Data of another version is left as it is: the person says whether to keep it. */
async function bringUpToDate(home: string, config: ServerUrls, url: string): Promise<void> {
  try {
    await migrate(url);
  } catch (error) {
    if (!(error instanceof OtherSchemaError) || config.DATABASE_URL !== EMBEDDED.DATABASE_URL) throw error;
    throw new ConfigError(
      `${home} holds data of another version of Navbat, and is left as it is. ` +
        `To start fresh and keep it: NAVBAT_HOME=${home}-new npm start. To start fresh without it: delete ${home}, then npm start.`,
    );
  }
}

async function checkPorts(config: Config): Promise<void> {
  const brought = providersOf(config.NAVBAT_PRODUCTS).map(({ port }) => port);
  const choices = [...serverPorts, ...brought].map((name) => ({ name, port: config[name] }));
  const troubles = await portTroubles(choices, (port) => isFree(port, config.BIND_HOST));
  if (troubles.length > 0) throw new ConfigError(troubles.join('\n'));
}

/** Sees to the demo project and the board's login, and says where everything is; the credentials themselves on the first start only. */
async function introduce(
  home: string,
  env: Variables,
  config: Config,
  surfaces: readonly string[],
): Promise<void> {
  const { NAVBAT_DEMO_KEY: givenKey } = config;
  const demo = await keepDemo(home, givenKey, config.DATABASE_URL === EMBEDDED.DATABASE_URL);
  const seeds = seedsOf(config.NAVBAT_PRODUCTS);
  await ensureDemo(demo, commandLine(clone, env), seeds).catch((error: unknown) => {
    // After the first start they are the person's own: a key that was revoked since then is no reason not to start.
    if (!demo.told || givenKey !== undefined) throw error;
    onTrouble(sentence(error));
  });
  for (const line of surfaces) say(line);
  for (const line of demo.told ? laterLines(home) : await credentialLines(home, demo, isTerminal)) say(line);
  if (!demo.told) await markTold(home, demo);
}

/** Postgres and Redis, each unless the person has one already. */
async function startServers(home: string, config: ServerUrls, stages: Stage[]): Promise<ServerUrls> {
  const embedded = <Of extends Server>(name: string, start: (port?: number) => Promise<Of>) =>
    keepServer(name, { start, isAlive, onTrouble });
  const at = (port?: number) => ({ directory: home, ...(port === undefined ? {} : { port }) });
  const [postgres, redis] = await Promise.allSettled([
    config.DATABASE_URL === EMBEDDED.DATABASE_URL
      ? embedded('PostgreSQL', (port) => startPostgres(at(port)))
      : { url: config.DATABASE_URL, ownerUrl: config.MIGRATE_DATABASE_URL, stop: nothingToStop },
    config.REDIS_URL === EMBEDDED.REDIS_URL
      ? embedded('Redis', (port) => startRedis(at(port)))
      : { url: config.REDIS_URL, stop: nothingToStop },
  ]);
  stages.push([postgres, redis].flatMap((server) => (server.status === 'fulfilled' ? [server.value] : [])));
  if (postgres.status === 'rejected') throw postgres.reason;
  if (redis.status === 'rejected') throw redis.reason;
  return {
    DATABASE_URL: postgres.value.url,
    MIGRATE_DATABASE_URL: postgres.value.ownerUrl,
    REDIS_URL: redis.value.url,
  };
}

/** Of a server that is the person's own. */
const nothingToStop = async (): Promise<void> => undefined;

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
  process.stderr.write(`${sentence(error)}\n`);
}

const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

async function main(): Promise<number> {
  const above = npmProcesses(process.env['npm_lifecycle_event'], process.ppid, processFacts);
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
    return await supervise(
      home,
      listenForStop(() => !above.every(isAlive)),
    );
  } finally {
    await rm(join(home, RUNNING_FILE), { force: true });
    await releaseHome(home);
  }
}

// Whoever read our output may be gone (`npm start | head`); the work goes on.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
process.exit(await main());
