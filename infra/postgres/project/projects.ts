import { randomBytes } from 'node:crypto';
import { LockMode, UniqueConstraintViolationException } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import { ProjectId } from '../../../domain/shared/ids.ts';
import { ApiKeyText, keyFront, keyText } from '../../../domain/project/key.ts';
import {
  CeilingsChange,
  loweredSettings,
  ProjectCeilings,
  withinCeilings,
} from '../../../domain/project/ceilings.ts';
import type {
  KeyChanged,
  CeilingsChanged,
  KeyCreated,
  KeyRevoked,
  ProjectCreated,
  Projects,
  SettingsChanged,
} from '../../../domain/project/port.ts';
import {
  type KeyChange,
  decideKey,
  isLastFullKey,
  type KeyOrder,
  type KeyView,
  mayGrant,
  mayRevoke,
  type ProjectView,
} from '../../../domain/project/project.ts';
import { SettingsChange } from '../../../domain/settings.ts';
import { changedSettings } from '../../../domain/project/settings.ts';
import { ProjectSettings } from '../../../domain/settings.ts';
import type { KeyedHash } from '../../process/crypto.ts';
import { ApiKey, Project } from './entities.ts';
import { keepSlug, takeName } from './names.ts';
import { rowsOf } from './rows.ts';

/** 192 bits: nobody guesses a key, so that no lock-out is needed that would hit honest callers. */
const KEY_RANDOM_BYTES = 24;
const HINT_CHARACTERS = 4;

/** `em` is forked for each call. */
export function projectStore(em: EntityManager, keyedHash: KeyedHash): Projects {
  const viewOf = (row: Project | null) => (row ? projectView(row) : null);
  const hashOf = (text: string) => keyedHash('api-key', ApiKeyText.parse(text));
  return {
    create: (slug, now) => createProject(em.fork(), slug, now),
    list: async () => (await em.fork().find(Project, {}, { orderBy: { slug: 'asc' } })).map(projectView),
    find: async (id) => viewOf(await em.fork().findOne(Project, { id })),
    findBySlug: async (slug) => viewOf(await em.fork().findOne(Project, { slug })),
    changeSettings: (id, change, how) =>
      em.fork().transactional((tx) => changeSettings(tx, id, change, how?.lookAlike ?? false)),
    changeCeilings: (id, change) => em.fork().transactional((tx) => changeCeilings(tx, id, change)),
    rows: (id) => rowsOf(em.fork(), id),
    archive: (id, now) => em.fork().transactional(async (tx) => viewOf(await archive(tx, id, now))),

    keys: async (id) => (await findKeys(em.fork(), id)).map(keyView),
    createKey: (id, order, now, text = newKey(order)) =>
      createKey(em.fork(), id, order, now, { text, hash: hashOf(text), makerId: null }),
    createKeyBy: (makerId, id, order, now) => {
      const text = newKey(order);
      return createKey(em.fork(), id, order, now, { text, hash: hashOf(text), makerId });
    },
    async ownerOf(text) {
      const row = await em.fork().findOne(ApiKey, { hash: hashOf(text) });
      return row && { projectId: ProjectId.parse(row.project.id), key: keyView(row) };
    },
    revokeKey: (id, keyId, now) => revokeKey(em.fork(), id, keyId, now),
    revokeKeyBy: (makerId, id, keyId, now) =>
      em.fork().transactional((tx) => revokeKeyBy(tx, makerId, id, keyId, now)),
    changeKey: (makerId, id, keyId, change, now) =>
      em.fork().transactional((tx) => changeKey(tx, makerId, { id, keyId, change }, now)),
  };
}

async function createProject(em: EntityManager, slug: string, now: Date): Promise<ProjectCreated> {
  const row = em.create(Project, {
    id: uuidv7(),
    slug,
    settings: {},
    ceilings: {},
    createdAt: now,
    archivedAt: null,
  });
  try {
    await em.transactional(async (tx) => {
      await tx.persist(row).flush();
      await keepSlug(tx, row);
    });
    return { created: true, project: projectView(row) };
  } catch (error) {
    if (!(error instanceof UniqueConstraintViolationException)) throw error;
    const taken = await em.fork().findOneOrFail(Project, { slug });
    return { created: false, reason: 'slug-taken', project: projectView(taken) };
  }
}

/** Locked, so that two changes at once both come through, and none passes a ceiling that is lowered beside it. */
const lockProject = (tx: EntityManager, id: string) =>
  tx.findOne(Project, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });

async function changeSettings(
  tx: EntityManager,
  id: string,
  given: Readonly<Record<string, unknown>>,
  lookAlike: boolean,
): Promise<SettingsChanged> {
  const change = SettingsChange.parse(given);
  const row = await lockProject(tx, id);
  if (!row) return { changed: false, reason: 'no-project' };
  const ceilings = ProjectCeilings.parse(row.ceilings);
  const stored = changedSettings(row.settings, change);
  const decision = withinCeilings({ stored, settings: ProjectSettings.parse(stored) }, change, ceilings);
  if (decision.kind === 'refused') return { changed: false, reason: 'above-ceiling', above: decision.above };
  const { display_name: name } = change;
  const isNewName = name !== undefined && (name ?? undefined) !== row.settings['display_name'];
  if (isNewName && !(await takeName(tx, row, (name as string | null) ?? null, lookAlike)))
    return { changed: false, reason: 'name-reserved' };
  row.settings = decision.stored;
  return { changed: true, project: projectView(row) };
}

/** Settings above a ceiling that is lowered come down with it, so that whoever reads settings need not know of ceilings. */
async function changeCeilings(
  tx: EntityManager,
  id: string,
  given: Readonly<Record<string, unknown>>,
): Promise<CeilingsChanged | null> {
  const change = CeilingsChange.parse(given);
  const row = await lockProject(tx, id);
  if (!row) return null;
  row.ceilings = changedSettings(row.ceilings, change);
  const read = { stored: row.settings, settings: ProjectSettings.parse(row.settings) };
  const { settings, lowered } = loweredSettings(read, ProjectCeilings.parse(row.ceilings));
  row.settings = settings;
  return { project: projectView(row), lowered };
}

async function archive(tx: EntityManager, id: string, now: Date) {
  const row = await lockProject(tx, id);
  if (row) row.archivedAt ??= now;
  return row;
}

/** What is kept of an order as it stands there. */
const keptOf = (order: KeyOrder, now: Date) => ({
  name: order.name ?? null,
  allowedOrigins: order.access === 'publishable' ? [...(order.allowedOrigins ?? [])] : [],
  createdAt: now,
  expiresAt: order.expiresAt,
  revokedAt: null,
  lastUsedAt: null,
});

async function createKey(
  em: EntityManager,
  id: ProjectId,
  order: KeyOrder,
  now: Date,
  { text, hash, makerId }: { text: string; hash: Buffer; makerId: string | null },
): Promise<KeyCreated> {
  try {
    return await em.transactional(async (tx) => {
      // The project's row stands for its set of keys: two keys made at once can't both be the last.
      const project = await lockProject(tx, id);
      if (!project) return { created: false, reason: 'no-project' };
      const rows = await findKeys(tx, id);
      const keys = rows.map(keyView);
      // As it is now, and not as it was when the caller was let in: a key that was just revoked makes no other.
      const maker = keys.find((key) => key.id === makerId);
      if (makerId !== null && !(maker && mayGrant(maker, order, now)))
        return { created: false, reason: 'beyond-maker' };
      const decision = decideKey(order, keys, now);
      if (decision.kind === 'refused') return { created: false, reason: decision.reason };
      const row = tx.create(ApiKey, {
        id: uuidv7(),
        project,
        ...keyFront(text),
        hash,
        hint: text.slice(-HINT_CHARACTERS),
        ...keptOf(order, now),
        scopes: [...decision.scopes],
        createdBy: rows.find((row) => row.id === makerId)?.createdBy ?? order.createdBy ?? null,
      });
      await tx.persist(row).flush();
      return { created: true, key: keyView(row), text };
    });
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) return { created: false, reason: 'key-taken' };
    throw error;
  }
}

async function revokeKey(em: EntityManager, id: ProjectId, keyId: string, now: Date): Promise<boolean> {
  const row = await em.findOne(ApiKey, { id: keyId, project: id });
  if (!row) return false;
  row.revokedAt ??= now;
  await em.flush();
  return true;
}

/** Under the project's lock: of two keys that revoke each other at once, the second finds itself revoked. */
async function revokeKeyBy(
  tx: EntityManager,
  makerId: string,
  id: ProjectId,
  keyId: string,
  now: Date,
): Promise<KeyRevoked> {
  await lockProject(tx, id);
  const rows = await findKeys(tx, id);
  const keys = rows.map(keyView);
  const row = rows.find((one) => one.id === keyId);
  if (!row) return 'no-key';
  const maker = keys.find((one) => one.id === makerId);
  if (!maker || !mayRevoke(maker, keyView(row), now)) return 'beyond-maker';
  if (isLastFullKey(keyView(row), keys, now)) return 'last-full-key';
  row.revokedAt ??= now;
  return 'revoked';
}

interface KeyToChange {
  readonly id: ProjectId;
  readonly keyId: string;
  readonly change: KeyChange;
}

/** Under the project's lock: a key that is revoked at the same moment changes no other. */
async function changeKey(
  tx: EntityManager,
  makerId: string | null,
  { id, keyId, change }: KeyToChange,
  now: Date,
): Promise<KeyChanged> {
  await lockProject(tx, id);
  const rows = await findKeys(tx, id);
  const row = rows.find((one) => one.id === keyId);
  if (!row) return { changed: false, reason: 'no-key' };
  const maker = rows.map(keyView).find((one) => one.id === makerId);
  if (makerId !== null && !(maker && mayRevoke(maker, keyView(row), now)))
    return { changed: false, reason: 'beyond-maker' };
  const { name, allowedOrigins } = change;
  if (row.access === 'secret' && (allowedOrigins?.length ?? 0) > 0)
    return { changed: false, reason: 'secret-key' };
  if (name !== undefined) row.name = name;
  if (allowedOrigins !== undefined) row.allowedOrigins = [...allowedOrigins];
  return { changed: true, key: keyView(row) };
}

const newKey = ({ access, mode }: KeyOrder) =>
  keyText(access, mode, randomBytes(KEY_RANDOM_BYTES).toString('base64url'));

const findKeys = (em: EntityManager, id: ProjectId) =>
  em.find(ApiKey, { project: id }, { orderBy: { id: 'desc' } });

function projectView(row: Project): ProjectView {
  return {
    id: ProjectId.parse(row.id),
    slug: row.slug,
    settings: ProjectSettings.parse(row.settings),
    ceilings: ProjectCeilings.parse(row.ceilings),
    createdAt: row.createdAt,
    archivedAt: row.archivedAt ?? null,
  };
}

function keyView(row: ApiKey): KeyView {
  return {
    id: row.id,
    access: row.access,
    mode: row.mode,
    hint: row.hint,
    name: row.name ?? null,
    scopes: row.scopes,
    allowedOrigins: row.allowedOrigins,
    createdAt: row.createdAt,
    expiresAt: row.expiresAt ?? null,
    revokedAt: row.revokedAt ?? null,
    lastUsedAt: row.lastUsedAt ?? null,
  };
}
