import pg from 'pg';
import { clockAheadMs } from '../postgres/engine/clock.ts';
import { connection } from '../postgres/engine/session.ts';
import { refuseOtherRole } from '../postgres/runtime-role.ts';
import { type Config, ConfigError } from './config.ts';
import type { Logger } from './log.ts';
import { every } from './ticks.ts';

/** A process follows a move of the sandbox's clock within this time. */
const LOOK_MS = 1_000;
/** By then every process of a sandbox has looked, also on a busy machine. */
export const FOLLOWED_WITHIN_MS = 2 * LOOK_MS;
/** Elsewhere nobody may move it: a process whose database did ends, before its time and that of its SQL have done much apart. */
const GUARD_MS = 60_000;
const CONNECT_TIMEOUT_MS = 5_000;

type Clock = () => Date;

export interface OpenClock {
  readonly clock: Clock;
  readonly close: () => Promise<void>;
}

/** The time of the world, for what is signed for others or by them: the sandbox's clock does not move theirs. */
export const worldClock: Clock = () => new Date();

const clockAhead =
  (aheadMs: () => number): Clock =>
  () =>
    new Date(Date.now() + aheadMs());

/** @throws ConfigError where the time of this database was moved, and is no sandbox's. */
export async function readClock(
  db: Parameters<typeof clockAheadMs>[0],
  { SANDBOX_CLOCK }: Pick<Config, 'SANDBOX_CLOCK'>,
): Promise<number> {
  const aheadMs = await clockAheadMs(db);
  if (aheadMs === null || (aheadMs > 0 && SANDBOX_CLOCK !== 'true'))
    throw new ConfigError(
      'DATABASE_URL: the time of this database was moved (navbat_now() was replaced), which only a sandbox allows. ' +
        'Name another database; of a sandbox, set SANDBOX_CLOCK=true and run: npm run navbat -- clock reset',
    );
  return aheadMs;
}

/** The time that all processes and the SQL of one database share: the real one, or, in a sandbox, one that was moved. */
export async function openClock(
  config: Pick<Config, 'DATABASE_URL' | 'SANDBOX_CLOCK'>,
  log: Logger,
): Promise<OpenClock> {
  const pool = new pg.Pool(
    connection(config.DATABASE_URL, { max: 1, connectionTimeoutMillis: CONNECT_TIMEOUT_MS }),
  );
  pool.on('error', () => undefined);
  let aheadMs = 0;
  let isChecked = false;
  const look = async () => {
    // With the first look that Postgres answers: every process opens the clock of its database before anything else.
    if (!isChecked) await refuseOtherRole(pool);
    isChecked = true;
    const ms = await readClock(pool, config);
    if (ms !== aheadMs) log.warn({ ahead_seconds: ms / 1_000 }, 'the clock of the sandbox was moved');
    aheadMs = ms;
    return config.SANDBOX_CLOCK === 'true' ? LOOK_MS : GUARD_MS;
  };
  await look().catch(async (error: unknown) => {
    // Without Postgres a process starts nonetheless, and looks until it answers.
    if (!(error instanceof ConfigError)) return;
    await pool.end();
    throw error;
  });
  const stop = every(log, 'clock', () => look().catch(refuse));
  return {
    clock: clockAhead(() => aheadMs),
    close: async () => {
      await stop();
      await pool.end();
    },
  };
}

/** The time was moved since the start, or Postgres was away then: what would have refused it then ends the process now. */
function refuse(error: unknown): never {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
