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
import { passkeyLogins } from '../../infra/postgres/staff/passkey-logins.ts';
import { staffPasskeys } from '../../infra/postgres/staff/passkeys.ts';
import { staffProofs } from '../../infra/postgres/staff/proofs.ts';
import { staffSecondFactors } from '../../infra/postgres/staff/second-factor.ts';
import { staffSessions } from '../../infra/postgres/staff/sessions.ts';
import { censorText } from '../../infra/process/log.ts';
import type { Platform } from '../../infra/process/platform.ts';
import { readiness } from '../../infra/process/readiness.ts';
import type { ProcessConfig } from '../../infra/process/variables.ts';
import { webAuthn } from '../../infra/staff/webauthn.ts';
import { staffEntries } from '../../infra/queue/staff-entries.ts';
import type { BoardParts } from './app.ts';
import { boardQueueOptions } from './bull.ts';
import { wireModules } from './modules.ts';
import { staffPasskeyRoutes } from './staff-passkeys.routes.ts';
import { staffProofRoutes } from './staff-proofs.routes.ts';
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
  const staff = { ...wireAccounts(orm.em, platform), audit, counter, clock };
  const parts = {
    ...staff,
    routes: [...staffRoutes.flatMap((of) => of(staff)), ...modules.flatMap(({ routes }) => routes)],
    log,
    proxies: config.TRUST_PROXY,
    version: packageJson.version,
    qr: qrSvg,
    chats: telegramChats(pool),
    jobs,
    queries: opsQueries(pool, kinds, opsView(config.NAVBAT_PRODUCTS)),
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
  return { parts, endStreams: () => modules.forEach((each) => each.endStreams?.()), close };
}

const staffRoutes = [staffSessionRoutes, staffProofRoutes, staffPasskeyRoutes];

function wireAccounts(
  em: EntityManager,
  { config, pools, encryption, hash }: Platform<ProcessConfig<'board'>>,
) {
  const origin = config.STAFF_ORIGIN ?? `http://localhost:${config.BOARD_PORT}`;
  const keys = { em, pool: pools.read, encryption, webAuthn: webAuthn(origin) };
  return {
    accounts: staffAccounts(em),
    sessions: staffSessions(em),
    secondFactors: staffSecondFactors(em, encryption, hash),
    passkeyLogins: passkeyLogins(keys),
    proofs: staffProofs(keys),
    passkeys: staffPasskeys(keys),
  };
}
