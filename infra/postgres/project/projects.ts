import { randomBytes } from 'node:crypto';
import { LockMode, UniqueConstraintViolationException } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import { ProjectId } from '../../../domain/job/job.ts';
import { ApiKeyText, keyFront, keyText } from '../../../domain/project/key.ts';
import type { KeyCreated, ProjectCreated, Projects } from '../../../domain/project/port.ts';
import {
  changedSettings,
  decideKey,
  type KeyOrder,
  type KeyView,
  type ProjectView,
  SettingsChange,
} from '../../../domain/project/project.ts';
import { ProjectSettings } from '../../../domain/project/settings.ts';
import type { KeyedHash } from '../../crypto.ts';
import { ApiKey, Project } from '../entities.ts';

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
    changeSettings: (id, change) =>
      em.fork().transactional(async (tx) => viewOf(await changeSettings(tx, id, change))),
    archive: (id, now) => em.fork().transactional(async (tx) => viewOf(await archive(tx, id, now))),

    keys: async (id) => (await findKeys(em.fork(), id)).map(keyView),
    createKey: (id, order, now, text = newKey(order)) =>
      createKey(em.fork(), id, order, now, text, hashOf(text)),
    async ownerOf(text) {
      const row = await em.fork().findOne(ApiKey, { hash: hashOf(text) });
      return row && { projectId: ProjectId.parse(row.project.id), key: keyView(row) };
    },
    revokeKey: (id, keyId, now) => revokeKey(em.fork(), id, keyId, now),
  };
}

async function createProject(em: EntityManager, slug: string, now: Date): Promise<ProjectCreated> {
  const row = em.create(Project, { id: uuidv7(), slug, settings: {}, createdAt: now, archivedAt: null });
  try {
    await em.persist(row).flush();
    return { created: true, project: projectView(row) };
  } catch (error) {
    if (!(error instanceof UniqueConstraintViolationException)) throw error;
    const taken = await em.fork().findOneOrFail(Project, { slug });
    return { created: false, reason: 'slug-taken', project: projectView(taken) };
  }
}

async function changeSettings(tx: EntityManager, id: string, change: Readonly<Record<string, unknown>>) {
  // Locked, so that two changes at once both come through.
  const row = await tx.findOne(Project, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (row) row.settings = changedSettings(row.settings, SettingsChange.parse(change));
  return row;
}

async function archive(tx: EntityManager, id: string, now: Date) {
  const row = await tx.findOne(Project, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (row) row.archivedAt ??= now;
  return row;
}

async function createKey(
  em: EntityManager,
  id: ProjectId,
  order: KeyOrder,
  now: Date,
  text: string,
  hash: Buffer,
): Promise<KeyCreated> {
  try {
    return await em.transactional(async (tx) => {
      // The project's row stands for its set of keys: two keys made at once can't both be the second.
      const project = await tx.findOne(Project, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (!project) return { created: false, reason: 'no-project' };
      const decision = decideKey(order, (await findKeys(tx, id)).map(keyView), now);
      if (decision.decision === 'refused') return { created: false, reason: decision.reason };
      const row = tx.create(ApiKey, {
        id: uuidv7(),
        project,
        ...keyFront(text),
        hash,
        hint: text.slice(-HINT_CHARACTERS),
        scopes: [...decision.scopes],
        createdAt: now,
        expiresAt: order.expiresAt,
        revokedAt: null,
        lastUsedAt: null,
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

const newKey = ({ access, mode }: KeyOrder) =>
  keyText(access, mode, randomBytes(KEY_RANDOM_BYTES).toString('base64url'));

const findKeys = (em: EntityManager, id: ProjectId) =>
  em.find(ApiKey, { project: id }, { orderBy: { id: 'desc' } });

function projectView(row: Project): ProjectView {
  return {
    id: ProjectId.parse(row.id),
    slug: row.slug,
    settings: ProjectSettings.parse(row.settings),
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
    scopes: row.scopes,
    createdAt: row.createdAt,
    expiresAt: row.expiresAt ?? null,
    revokedAt: row.revokedAt ?? null,
    lastUsedAt: row.lastUsedAt ?? null,
  };
}
