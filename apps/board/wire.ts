import packageJson from '../../package.json' with { type: 'json' };
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { EntityManager } from '@mikro-orm/postgresql';
import { AddressHash } from '../../domain/staff/ops.ts';
import { qrSvg } from '../../infra/identity/device/qr.ts';
import { quotaCounter } from '../../infra/limits/quota-counter.ts';
import { openOrm } from '../../infra/postgres/engine/orm.ts';
import { telegramChats } from '../../infra/postgres/telegram/chats.ts';
import type { Settles } from '../../infra/postgres/job/settle.ts';
import { opsView } from '../../infra/postgres/ops-view.ts';
import { settles as allSettles } from '../../infra/postgres/settles.ts';
import { staffAccounts } from '../../infra/postgres/staff/accounts.ts';
import { auditLog } from '../../infra/postgres/staff/audit.ts';
import { opsCommands } from '../../infra/postgres/staff/ops-commands.ts';
import { opsQueries } from '../../infra/postgres/staff/ops-queries.ts';
import { staffSecondFactors } from '../../infra/postgres/staff/second-factor.ts';
import { staffSessions } from '../../infra/postgres/staff/sessions.ts';
import { censorText } from '../../infra/process/log.ts';
import type { Platform } from '../../infra/process/platform.ts';
import { readiness } from '../../infra/process/readiness.ts';
import type { ProcessConfig } from '../../infra/process/variables.ts';
import { staffEntries } from '../../infra/queue/staff-entries.ts';
import type { BoardParts } from './app.ts';
import { boardQueueOptions } from './bull.ts';
import { wireModules } from './modules.ts';
import { staffSessionRoutes } from './staff-sessions.routes.ts';

/** The staff's door, with the queues, pages and alarms of the products that are on. */
export async function wireBoard(platform: Platform<ProcessConfig<'board'>>, settles: Settles = allSettles) {
  const { config, log, pools, redis, jobs, queues, clock, hash } = platform;
  const pool = pools.read;
  const orm = await openOrm(config.DATABASE_URL);
  const counter = quotaCounter(redis);
  const kinds = { jobs, settles };
  const audit = auditLog(pool);
  const modules = await wireModules(platform, { audit }, config.NAVBAT_PRODUCTS);
  const authentication = { ...wireAccounts(orm.em, platform), audit, counter, clock };
  const parts = {
    ...authentication,
    routes: [...staffSessionRoutes(authentication), ...modules.flatMap(({ routes }) => routes)],
    log,
    proxies: config.TRUST_PROXY,
    version: packageJson.version,
    qr: qrSvg,
    chats: telegramChats(pool),
    jobs,
    queries: opsQueries(pool, kinds, opsView),
    commands: opsCommands(pool, kinds, staffEntries(queues, clock), (err) =>
      log.warn({ err }, 'a queue was not told'),
    ),
    addressOf: (phone) => AddressHash.parse(hash('address', phone).toString('hex')),
    censor: censorText,
    queues: Object.entries(queues.of).map(
      ([kind, queue]) => new BullMQAdapter(queue, boardQueueOptions(kind)),
    ),
    isRedisThere: () => queues.redis.status === 'ready',
    health: () => readiness(pool, redis),
  } satisfies BoardParts;
  const close = async () => {
    for (const each of modules) await each.close?.();
    counter.close();
    await orm.close(true);
  };
  return { parts, close };
}

const wireAccounts = (em: EntityManager, { encryption, hash }: Platform<ProcessConfig<'board'>>) => ({
  accounts: staffAccounts(em),
  sessions: staffSessions(em),
  secondFactors: staffSecondFactors(em, encryption, hash),
});
