import type { BaseAdapter } from '@bull-board/api/baseAdapter';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { Redis } from 'ioredis';
import { jobs } from '../../domain/jobs.ts';
import { AddressHash } from '../../domain/staff/ops.ts';
import { readConfig } from '../../infra/process/config.ts';
import { environment } from '../../infra/process/environment.ts';
import { type ProcessConfig, processVariables } from '../../infra/process/variables.ts';
import { keyedHash, sealer } from '../../infra/process/crypto.ts';
import { limitConnection, quotaCounter } from '../../infra/limits/quota-counter.ts';
import { readiness } from '../../infra/process/readiness.ts';
import { censorText, type Logger, openLog } from '../../infra/process/log.ts';
import { auditLog } from '../../infra/postgres/staff/audit.ts';
import { hotPool } from '../../infra/postgres/engine/hot-pool.ts';
import { telegramChats } from '../../infra/postgres/message/telegram/chats.ts';
import { opsCommands } from '../../infra/postgres/staff/ops-commands.ts';
import { opsQueries } from '../../infra/postgres/staff/ops-queries.ts';
import { openOrm } from '../../infra/postgres/engine/orm.ts';
import { settles } from '../../infra/postgres/settles.ts';
import { staffAccounts } from '../../infra/postgres/staff/accounts.ts';
import { staffSecondFactors } from '../../infra/postgres/staff/second-factor.ts';
import { staffSessions } from '../../infra/postgres/staff/sessions.ts';
import { closeQueues, openQueues, producerRedis, type Queues } from '../../infra/queue/queues.ts';
import { qrSvg } from '../../infra/identity/device/qr.ts';
import { staffDesk } from '../../infra/queue/staff-entries.ts';
import { runProcess } from '../../infra/process/run.ts';
import { createHttpServer, drain, listen } from '../http/server.ts';
import { type BoardParts, createBoard } from './app.ts';
import { boardQueueOptions } from './bull.ts';

type Config = ProcessConfig<'board'>;

/** A few people look at a few pages: the rest of Postgres is the intake's and the workers'. */
const CONNECTIONS_MAX = 4;
/** A page takes some milliseconds, a run of retries some seconds. */
const DRAIN_LIMIT_MS = 10_000;

await runProcess(async () => {
  const config = readConfig(environment(), processVariables.board);
  const log = openLog('board', config.LOG_LEVEL);
  const { parts, close } = await wire(config, log);
  const server = createHttpServer(createBoard(parts), { proxies: config.TRUST_PROXY });
  await listen(server, config.BIND_HOST, config.BOARD_PORT, 'BOARD_PORT');
  log.info({ host: config.BIND_HOST, port: config.BOARD_PORT }, 'board ready');

  return async () => {
    await drain(server, DRAIN_LIMIT_MS);
    await close();
    log.info('board stopped');
  };
});

async function wire(config: Config, log: Logger): Promise<{ parts: BoardParts; close: () => Promise<void> }> {
  const pool = hotPool(config.DATABASE_URL, CONNECTIONS_MAX);
  const orm = await openOrm(config.DATABASE_URL);
  const onError = (err: Error) => log.warn({ err }, 'redis error');
  const queues = openQueues(producerRedis(config.REDIS_URL, onError), jobs);
  const limits = new Redis(config.REDIS_URL, limitConnection);
  // Without a listener, a connection that breaks would end the process; the queues' connection has told it.
  limits.on('error', (err: Error) => log.debug({ err }, 'connection lost'));
  const counter = quotaCounter(limits);
  const hash = keyedHash(config.PEPPER);
  const kinds = { jobs, settles };
  const parts: BoardParts = {
    log,
    counter,
    proxies: config.TRUST_PROXY,
    clock: () => new Date(),
    accounts: staffAccounts(orm.em),
    sessions: staffSessions(orm.em),
    secondFactors: staffSecondFactors(orm.em, sealer(config.SEAL_KEYS), hash),
    qr: qrSvg,
    audit: auditLog(pool),
    chats: telegramChats(pool),
    jobs,
    queries: opsQueries(pool, kinds),
    commands: opsCommands(pool, kinds, staffDesk(queues), (err) => log.warn({ err }, 'a queue was not told')),
    addressOf: (phone) => AddressHash.parse(hash('address', phone).toString('hex')),
    censor: censorText,
    queues: boardQueues(queues),
    isRedisThere: () => queues.redis.status === 'ready',
    health: () => readiness(pool, limits),
  };
  const close = async () => {
    counter.close();
    limits.disconnect();
    await closeQueues(queues);
    await pool.end();
    await orm.close(true);
  };
  return { parts, close };
}

function boardQueues(queues: Queues): BaseAdapter[] {
  return Object.entries(queues.of).map(([kind, queue]) => new BullMQAdapter(queue, boardQueueOptions(kind)));
}
