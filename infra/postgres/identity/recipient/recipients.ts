import { type FilterQuery, LockMode, UniqueConstraintViolationException } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { pageOf } from '../../../../domain/shared/page.ts';
import type {
  ConflictField,
  RecipientHolder,
  RecipientPut,
  Recipients,
} from '../../../../domain/identity/recipient/port.ts';
import {
  isChatHandle,
  type RecipientChange,
  RecipientId,
  type RecipientView,
} from '../../../../domain/identity/recipient/recipient.ts';
import type { KeyedHash, Encryption } from '../../../process/crypto.ts';
import { Recipient } from '../entities.ts';
import { forgetPerson, lockAndFindHolder } from './recipient-sql.ts';
import { recipientAddressText } from '../../../../domain/shared/address.ts';

export interface RecipientSecrets {
  readonly keyedHash: KeyedHash;
  readonly encryption: Encryption;
}

/** Two requests may make the same recipient at once: the second meets the first's row and, tried again, changes it. */
const PUT_TRIES_MAX = 3;

/** `em` is forked for each call. */
export function recipientStore(em: EntityManager, secrets: RecipientSecrets): Recipients {
  return {
    put: (projectId, change, now) => putRecipient(em, secrets, projectId, change, now),

    async list(projectId, { handle, phone }, { limit, after }) {
      const where: FilterQuery<Recipient> = {
        project: projectId,
        ...(handle === undefined ? {} : { handle }),
        ...(phone === undefined ? {} : { addressHash: secrets.keyedHash('address', phone) }),
        ...(after === null ? {} : { id: { $lt: after } }),
      };
      const rows = await em.fork().find(Recipient, where, { orderBy: { id: 'desc' }, limit: limit + 1 });
      return pageOf(rows.map(recipientView), limit);
    },

    async find(projectId, id) {
      const row = await em.fork().findOne(Recipient, { id, project: projectId });
      return row && recipientView(row);
    },

    erase: (projectId, id) => em.fork().transactional((tx) => erase(tx, projectId, id)),
  };
}

async function putRecipient(
  em: EntityManager,
  secrets: RecipientSecrets,
  projectId: ProjectId,
  change: RecipientChange,
  now: Date,
): Promise<RecipientPut> {
  for (let tries = 1; ; tries++) {
    try {
      return await em.fork().transactional((tx) => putOnce(tx, secrets, projectId, change, now));
    } catch (error) {
      if (error instanceof Conflict) return { put: 'conflict', field: error.field, holder: error.holder };
      if (!(error instanceof UniqueConstraintViolationException)) throw error;
      if (tries === PUT_TRIES_MAX) return { put: 'conflict', field: 'phone', holder: null };
    }
  }
}

async function putOnce(
  tx: EntityManager,
  secrets: RecipientSecrets,
  projectId: ProjectId,
  change: RecipientChange,
  now: Date,
): Promise<RecipientPut> {
  const found = await findTarget(tx, secrets, projectId, change);
  const known = targetOf(found, change);
  const row = known ?? tx.create(Recipient, emptyRow(projectId, now));
  const before = { handle: row.handle, chatId: row.telegramChatId };
  apply(row, change, secrets, now);
  await tx.persist(row).flush();
  const isClaim =
    row.handle !== before.handle || row.telegramChatId !== before.chatId || change.pushToken != null;
  if (isClaim) await holdAlone(tx, projectId, row);
  return { put: known ? 'changed' : 'created', recipient: recipientView(row) };
}

/** Takes the transaction back: nothing of the request stays. */
class Conflict extends Error {
  readonly field: ConflictField;
  readonly holder: RecipientHolder | null;

  constructor(field: ConflictField, holder: RecipientHolder | null) {
    super(`another recipient has the ${field}`);
    this.field = field;
    this.holder = holder;
  }
}

const holderOf = ({ id, handle }: Pick<Recipient, 'id' | 'handle'>): RecipientHolder => ({
  id: RecipientId.parse(id),
  handle: handle ?? null,
});

/** The one recipient that the request may change, or null for a new one. */
function targetOf(
  found: readonly Recipient[],
  { handle, telegramChatId }: RecipientChange,
): Recipient | null {
  const other = found.find((row) => row.handle !== handle);
  // By its phone alone, and that is another person's: the number may have been given to somebody new.
  if (other && handle && (found.length > 1 || other.handle !== null))
    throw new Conflict('phone', holderOf(other));
  const [row] = found;
  if (!row) {
    if (handle && isChatHandle(handle)) throw new Conflict('handle', null);
    return null;
  }
  if (row.handle && isChatHandle(row.handle)) {
    if (handle === null) throw new Conflict('handle', holderOf(row));
    if (telegramChatId !== undefined && String(telegramChatId) !== row.telegramChatId)
      throw new Conflict('telegram_chat_id', holderOf(row));
  }
  return row;
}

/**
 * No other handle has this recipient's chat or push token. Asked once the row is written, under a lock of each: of two that claim
 * one at the same moment the second waits here for the first's commit, and sees it. Rows are locked before these locks and never
 * after, so that nobody waits in a circle.
 */
async function holdAlone(tx: EntityManager, projectId: ProjectId, row: Recipient): Promise<void> {
  const chatId = row.telegramChatId ?? null;
  const tokenHash = row.pushTokenHash ?? null;
  const claims = [chatId, tokenHash?.toString('hex')].filter((claim) => claim != null);
  if (claims.length === 0) return;
  const holder = await lockAndFindHolder(tx, { projectId, id: row.id, chatId, tokenHash, claims });
  if (holder) throw new Conflict(holder.has_chat ? 'telegram_chat_id' : 'push_token', holderOf(holder));
}

/** Whom the handle names and whom the phone reaches: one recipient, none yet, or two. */
async function findTarget(
  tx: EntityManager,
  { keyedHash }: RecipientSecrets,
  projectId: ProjectId,
  { handle, phone }: RecipientChange,
): Promise<Recipient[]> {
  const either = [
    ...(handle ? [{ handle }] : []),
    ...(phone ? [{ addressHash: keyedHash('address', phone) }] : []),
  ];
  if (either.length === 0) return [];
  return tx.find(
    Recipient,
    { project: projectId, $or: either },
    // In the order of their ids, as everybody who locks two of them does.
    { orderBy: { id: 'asc' }, lockMode: LockMode.PESSIMISTIC_WRITE },
  );
}

function emptyRow(projectId: ProjectId, now: Date) {
  return {
    id: uuidv7(),
    project: projectId,
    handle: null,
    phone: null,
    addressHash: Buffer.alloc(0),
    telegramChatId: null,
    telegramBlockedAt: null,
    pushTokenEncrypted: null,
    pushTokenHash: null,
    locale: null,
    createdAt: now,
    updatedAt: now,
  };
}

function apply(
  row: Recipient,
  change: RecipientChange,
  { keyedHash, encryption }: RecipientSecrets,
  now: Date,
): void {
  const { handle, phone, telegramChatId, pushToken, locale } = change;
  // What was given to that handle leaves with it: whoever the row is named for next is another person.
  if (handle === null && row.handle) {
    setChat(row, null);
    row.pushTokenEncrypted = row.pushTokenHash = null;
  }
  if (handle !== undefined) row.handle = handle;
  if (phone !== undefined) row.phone = phone;
  if (locale !== undefined) row.locale = locale;
  if (pushToken !== undefined) {
    row.pushTokenEncrypted = pushToken === null ? null : encryption.encrypt(pushToken, row.id);
    row.pushTokenHash = pushToken === null ? null : keyedHash('push-token', pushToken);
  }
  if (telegramChatId !== undefined) setChat(row, telegramChatId === null ? null : String(telegramChatId));
  row.addressHash = keyedHash('address', recipientAddressText(row.id, row.phone ?? null));
  row.updatedAt = now;
}

function setChat(row: Recipient, chatId: string | null): void {
  // A block was said of the chat that was, not of another one.
  if (row.telegramChatId !== chatId) row.telegramBlockedAt = null;
  row.telegramChatId = chatId;
}

/**
 * Takes the person's data off everything of this project that is closed; a code that is on its way still needs its
 * number, which leaves with retention. What stays is the keyed hash, without which erasing would reset limits.
 */
async function erase(tx: EntityManager, projectId: ProjectId, id: RecipientId): Promise<boolean> {
  const row = await tx.findOne(
    Recipient,
    { id, project: projectId },
    { lockMode: LockMode.PESSIMISTIC_WRITE },
  );
  if (!row) return false;
  await forgetPerson(tx, { projectId, id, addressHash: row.addressHash, phone: row.phone ?? null });
  tx.remove(row);
  return true;
}

function recipientView(row: Recipient): RecipientView & { readonly id: RecipientId } {
  return {
    id: RecipientId.parse(row.id),
    handle: row.handle ?? null,
    phone: row.phone ?? null,
    telegramChatId: row.telegramChatId == null ? null : Number(row.telegramChatId),
    telegramBlockedAt: row.telegramBlockedAt ?? null,
    hasPushToken: row.pushTokenEncrypted != null,
    locale: row.locale ?? null,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}
