import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { CommanderError } from 'commander';
import { Pool } from 'pg';
import { newEnvironment } from '../../infra/deploy/env.ts';
import { readClock } from '../../infra/process/clock.ts';
import { ConfigError, readConfig } from '../../infra/process/config.ts';
import { environment } from '../../infra/process/environment.ts';
import { type AuditConfig, auditVariables, processVariables } from '../../infra/process/variables.ts';
import { keyedHash } from '../../infra/process/crypto.ts';
import { changesOf } from '../../infra/postgres/staff/changes.ts';
import { writeAudit } from '../../infra/postgres/staff/audit.ts';
import { inTransaction } from '../../infra/postgres/engine/transaction.ts';
import { rotations } from '../../infra/postgres/identity/device/rotate-secrets.ts';
import { moveClock } from '../../infra/postgres/engine/clock.ts';
import { refuseLogin } from '../../infra/postgres/engine/login-fault.ts';
import { refuseOtherRole } from '../../infra/postgres/runtime-role.ts';
import { openOrm } from '../../infra/postgres/engine/orm.ts';
import { connection } from '../../infra/postgres/engine/session.ts';
import { projectStore } from '../../infra/postgres/project/projects.ts';
import { reencrypting } from '../../infra/postgres/staff/secret/reencrypt.ts';
import { staffAccounts } from '../../infra/postgres/staff/accounts.ts';
import { openChat } from '../../infra/postgres/telegram/chats.ts';
import { withRunning } from '../../infra/process/running.ts';
import { type CliContext, CliError } from './context.ts';
import { createProgram } from './program.ts';

const clone = resolve(import.meta.dirname, '../..');
/** 144 bits: as good as a key. */
const PASSWORD_RANDOM_BYTES = 18;

/** What a command reads and where it writes: a process's own, or a test's. */
export interface Terminal {
  readonly variables: NodeJS.ProcessEnv;
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
  readonly readStdin: () => Promise<string>;
}

/** Runs one command, given what follows `npm run navbat --`, and returns its exit code. */
export async function runCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  const { variables, writeOut, writeErr, readStdin } = terminal;
  const time = { aheadMs: 0 };
  const context: CliContext = {
    withPorts: portsOf(variables, time),
    withAuditPorts: auditPortsOf(variables, time),
    say: (line) => writeOut(`${line}\n`),
    readStdin,
    random: () => randomBytes(PASSWORD_RANDOM_BYTES).toString('base64url'),
    newSecrets: newEnvironment,
    now: () => new Date(Date.now() + time.aheadMs),
    user: userInfo().username,
  };
  try {
    await createProgram(context, { writeOut, writeErr }).parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has written its help or its complaint by now.
    if (error instanceof CommanderError) return error.exitCode;
    writeErr(`${sentence(error)}\n`);
    return 1;
  }
}

const portsOf =
  (variables: NodeJS.ProcessEnv, time: { aheadMs: number }): CliContext['withPorts'] =>
  async (work) => {
    const given = givenTo(variables);
    const config = readConfig(given, processVariables.cli);
    const orm = await openOrm(config.DATABASE_URL);
    const pool = new Pool(connection(config.DATABASE_URL, { max: 1 }));
    try {
      await refuseOtherRole(pool);
      time.aheadMs = await readClock(pool, config);
      const hash = keyedHash(config.PEPPER);
      return await work({
        projects: projectStore(orm.em, hash),
        staff: staffAccounts(orm.em),
        change: changesOf(orm.em, hash),
        changeChat: (change) =>
          inTransaction(pool, (tx) =>
            change({
              open: (chatId, at) => openChat(tx, chatId, at),
              audit: { write: (entry) => writeAudit(tx, entry) },
            }),
          ),
        reencrypting: reencrypting(pool, config.ENCRYPTION_KEYS),
        rotations: rotations(pool),
        pool,
        config,
        keys: auditConfigOf(given),
        clock:
          config.SANDBOX_CLOCK === 'true'
            ? { ...time, move: (aheadMs) => moveAsOwner(given, aheadMs) }
            : null,
      });
    } finally {
      await pool.end();
      await orm.close(true);
    }
  };

const auditPortsOf =
  (variables: NodeJS.ProcessEnv, time: { aheadMs: number }): CliContext['withAuditPorts'] =>
  async (work) => {
    const given = givenTo(variables);
    const config = auditConfigOf(given);
    const pool = new Pool(connection(config.DATABASE_URL, { max: 1 }));
    try {
      // What was changed by hand is what verify is to tell.
      await refuseOtherRole(pool, { anyShape: true });
      time.aheadMs = await readClock(pool, config);
      return await work({ pool, config });
    } finally {
      await pool.end();
    }
  };

/** The private key is read where it is set, for its public half. */
function auditConfigOf(given: NodeJS.ProcessEnv): AuditConfig {
  const hasKey = given['JWT_PRIVATE_JWK'] || given['JWT_PRIVATE_JWK_FILE'];
  return hasKey
    ? readConfig(given, [...auditVariables, 'JWT_PRIVATE_JWK'])
    : readConfig(given, auditVariables);
}

function givenTo(variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const env = environment(variables);
  // Secrets of a `.env` that names no database are not those of the `npm start` that runs.
  const hasDatabase = env['DATABASE_URL'] || env['DATABASE_URL_FILE'];
  return hasDatabase ? env : withRunning(variables, clone);
}

/** The function that tells the time is its owner's to replace. */
async function moveAsOwner(env: NodeJS.ProcessEnv, aheadMs: number): Promise<void> {
  const { MIGRATE_DATABASE_URL: url } = readConfig(env, processVariables.migrate);
  const pool = new Pool(connection(url, { max: 1 }));
  try {
    await moveClock(pool, aheadMs).catch(refuseLogin('MIGRATE_DATABASE_URL'));
  } finally {
    await pool.end();
  }
}

function sentence(error: unknown): string {
  if (error instanceof CliError || error instanceof ConfigError) return error.message;
  if (error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED')
    return 'Postgres does not answer at DATABASE_URL. Does npm start run?';
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
