import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import {
  type EndpointChange,
  EndpointId,
  ENDPOINTS_KEPT_MAX,
  ENDPOINTS_MAX,
  type EndpointView,
  type NewEndpoint,
  SECRET_KEPT_HOURS,
  SECRETS_MAX,
} from '../../../domain/webhook/endpoint.ts';
import type { SecretView, WebhookOwner, Webhooks } from '../../../domain/webhook/port.ts';
import type { Encryption } from '../../process/crypto.ts';
import { Project } from '../project/entities.ts';
import { WebhookEndpoint, WebhookSecret } from './entities.ts';
import { webhookLog } from './log.ts';
import { webhookReplays } from './replays.ts';
import { ensureProjectSecret, newSecret } from './secrets.ts';

const HOUR_MS = 3_600_000;

/** Endpoints and secrets of projects, what was sent to them, and what is to be sent again. `em` is forked for each call. */
export function webhookStore(em: EntityManager, pool: pg.Pool, encryption: Encryption): Webhooks {
  const find = (of: WebhookOwner, id: string) =>
    em.fork().findOne(WebhookEndpoint, { id, ...whose(of), deletedAt: null });
  return {
    endpoints: async (of) => {
      const rows = await em
        .fork()
        .find(
          WebhookEndpoint,
          { ...whose(of), deletedAt: null },
          { orderBy: { id: 'desc' }, limit: ENDPOINTS_MAX },
        );
      return rows.map(endpointView);
    },
    endpoint: async (of, id) => {
      const row = await find(of, id);
      return row && endpointView(row);
    },
    create: (of, order, now) =>
      em.fork().transactional((tx) => createEndpoint(tx, encryption, of, order, now)),
    change: (of, id, change, now) => em.fork().transactional((tx) => changeEndpoint(tx, of, id, change, now)),
    remove: (of, id, now) => em.fork().transactional((tx) => removeEndpoint(tx, of, id, now)),
    secret: async (of, now) => {
      await ensureProjectSecret(pool, encryption, of, now);
      return secretView(em.fork(), encryption, { ...whose(of), endpointId: null }, now);
    },
    rotate: async (of, endpointId, now) => {
      if (endpointId === null) await ensureProjectSecret(pool, encryption, of, now);
      return em.fork().transactional((tx) => rotate(tx, encryption, { ...whose(of), endpointId }, now));
    },
    ...webhookLog(pool),
    ...webhookReplays(pool),
  };
}

async function createEndpoint(
  tx: EntityManager,
  encryption: Encryption,
  of: WebhookOwner,
  order: NewEndpoint,
  now: Date,
) {
  // The project's row stands for its set of endpoints: two made at once can't both be the last.
  await tx.findOneOrFail(Project, { id: of.projectId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if ((await tx.count(WebhookEndpoint, { ...whose(of), deletedAt: null })) >= ENDPOINTS_MAX) return null;
  if ((await tx.count(WebhookEndpoint, whose(of))) >= ENDPOINTS_KEPT_MAX) return null;
  const row = tx.create(WebhookEndpoint, {
    id: uuidv7({ msecs: now.getTime() }),
    ...whose(of),
    url: new URL(order.url).href,
    host: new URL(order.url).host,
    description: order.description,
    eventTypes: order.event_types,
    failingSince: null,
    disabledAt: null,
    disabledReason: null,
    createdAt: now,
    updatedAt: now,
    deletedAt: null,
  });
  // First, as the secret's foreign key asks.
  await tx.persist(row).flush();
  const secret = await insertSecret(tx, encryption, { ...whose(of), endpointId: row.id }, now);
  return { endpoint: endpointView(row), secret };
}

/** A caller has more fields than its rows' owner. */
const whose = ({ projectId, mode }: WebhookOwner): WebhookOwner => ({ projectId, mode });

interface SecretOwner extends WebhookOwner {
  readonly endpointId: string | null;
}

async function insertSecret(
  tx: EntityManager,
  encryption: Encryption,
  owner: SecretOwner,
  now: Date,
): Promise<string> {
  const { id, text, encrypted } = newSecret(encryption, now);
  await tx
    .persist(tx.create(WebhookSecret, { id, ...owner, encrypted, createdAt: now, expiresAt: null }))
    .flush();
  return text;
}

async function changeEndpoint(
  tx: EntityManager,
  of: WebhookOwner,
  id: string,
  change: EndpointChange,
  now: Date,
): Promise<EndpointView | null> {
  const row = await lockEndpoint(tx, of, id);
  if (!row) return null;
  if (change.description !== undefined) row.description = change.description;
  if (change.event_types !== undefined) row.eventTypes = change.event_types;
  if (change.url !== undefined) {
    row.url = new URL(change.url).href;
    row.host = new URL(change.url).host;
    // Another server begins with a clean sheet.
    row.failingSince = null;
  }
  if (change.enabled === true)
    Object.assign(row, { disabledAt: null, disabledReason: null, failingSince: null });
  if (change.enabled === false && row.disabledAt === null)
    Object.assign(row, { disabledAt: now, disabledReason: 'owner' });
  row.updatedAt = now;
  await tx.flush();
  return endpointView(row);
}

async function removeEndpoint(tx: EntityManager, of: WebhookOwner, id: string, now: Date): Promise<boolean> {
  const row = await lockEndpoint(tx, of, id);
  if (!row) return false;
  row.deletedAt = now;
  await tx.flush();
  // It signs nothing any more.
  await tx.nativeDelete(WebhookSecret, { ...whose(of), endpointId: id });
  return true;
}

const lockEndpoint = (tx: EntityManager, of: WebhookOwner, id: string) =>
  tx.findOne(
    WebhookEndpoint,
    { id, ...whose(of), deletedAt: null },
    { lockMode: LockMode.PESSIMISTIC_WRITE },
  );

/** The new one signs first; the ones before it sign beside it for a day, so that the receiver can change over in its own time. */
async function rotate(
  tx: EntityManager,
  encryption: Encryption,
  owner: SecretOwner,
  now: Date,
): Promise<SecretView | null> {
  const held =
    owner.endpointId === null
      ? await tx.findOne(Project, { id: owner.projectId }, { lockMode: LockMode.PESSIMISTIC_WRITE })
      : await lockEndpoint(tx, owner, owner.endpointId);
  if (!held) return null;
  const [current, ...earlier] = await liveSecrets(tx, owner, now);
  if (current) current.expiresAt = new Date(now.getTime() + SECRET_KEPT_HOURS * HOUR_MS);
  for (const oldest of earlier.slice(SECRETS_MAX - 2)) oldest.expiresAt = now;
  await tx.flush();
  // Those that sign no more are not kept: whoever rotates all day fills no table.
  await tx.nativeDelete(WebhookSecret, { ...owner, expiresAt: { $lte: now } });
  await insertSecret(tx, encryption, owner, now);
  return secretView(tx, encryption, owner, now);
}

/** The current one first, then those that still sign beside it, newest first. */
async function liveSecrets(em: EntityManager, owner: SecretOwner, now: Date): Promise<WebhookSecret[]> {
  const rows = await em.find(WebhookSecret, {
    ...owner,
    $or: [{ expiresAt: null }, { expiresAt: { $gt: now } }],
  });
  const lastingMs = ({ expiresAt }: WebhookSecret) => expiresAt?.getTime() ?? Number.POSITIVE_INFINITY;
  return rows.toSorted((a, b) => lastingMs(b) - lastingMs(a));
}

async function secretView(
  em: EntityManager,
  encryption: Encryption,
  owner: SecretOwner,
  now: Date,
): Promise<SecretView> {
  const [current, previous] = await liveSecrets(em, owner, now);
  if (!current || current.expiresAt) throw new Error('an endpoint or a project without a current secret');
  return {
    secret: encryption.decrypt(Buffer.from(current.encrypted), current.id),
    createdAt: current.createdAt,
    earlierUntil: previous?.expiresAt ?? null,
  };
}

function endpointView(row: WebhookEndpoint): EndpointView {
  return {
    id: EndpointId.parse(row.id),
    mode: row.mode,
    url: row.url,
    description: row.description ?? null,
    eventTypes: row.eventTypes ?? null,
    failingSince: row.failingSince ?? null,
    disabledAt: row.disabledAt ?? null,
    disabledReason: row.disabledReason ?? null,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}
