import type pg from 'pg';
import type { Locale } from '../../../../domain/shared/locale.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import type {
  PreferencesDoors,
  PreferencesStore,
  RecipientPreferences,
} from '../../../../domain/message/preferences/port.ts';
import {
  type Changer,
  changedPreferences,
  leastOf,
  NO_WISHES,
  ownAfter,
  type OwnWishes,
  PersonsWish,
  type PreferencesChange,
  takenBack,
} from '../../../../domain/message/preferences/preferences.ts';
import { inTransaction, type Queryable } from '../../engine/transaction.ts';
import type { KeyedHash } from '../../../process/crypto.ts';
import { projectCache } from '../../project/cache.ts';
import type { preferencesLinks } from './links.ts';
import { type DestinationColumns, destinationHashes, keepOptOut } from './opt-outs.ts';
import { type PreferenceColumns, preferencesOf } from './row.ts';

interface PreferenceRow extends PreferenceColumns {
  readonly project_id: ProjectId;
  readonly recipient_id: string;
  readonly link_version: number;
  readonly changed_by: Changer | null;
  readonly changed_at: Date | null;
  readonly own_opted_out: boolean | null;
  readonly own_categories_off: string[] | null;
  readonly own_quiet: boolean | null;
}
interface DoorRow extends Pick<PreferenceRow, 'project_id' | 'recipient_id' | 'link_version'> {
  readonly locale: Locale | null;
}

export function preferencesStore(pool: pg.Pool, hash: KeyedHash): PreferencesStore {
  return {
    find: async (projectId, recipientId) => {
      const hashes = await reachedAt(pool, hash, projectId, recipientId);
      const { rows } = await pool.query<PreferenceRow>(findPreferences, [recipientId, projectId, hashes]);
      return rows[0] ? viewOf(rows[0]) : null;
    },
    change: (projectId, recipientId, change, by, now) =>
      inTransaction(pool, (tx) => changeAll(tx, hash, { projectId, recipientId, change, by, now })),
    renewLink: async (projectId, recipientId) => {
      const hashes = await reachedAt(pool, hash, projectId, recipientId);
      const { rows } = await pool.query<PreferenceRow>(renewLink, [recipientId, projectId, hashes]);
      return rows[0] ? viewOf(rows[0]) : null;
    },
  };
}

/** Their chat and their device, by which an opt-out is found that outlived the recipient who was there before. */
async function reachedAt(
  db: Queryable,
  hash: KeyedHash,
  projectId: string,
  recipientId: string,
): Promise<Buffer[]> {
  const { rows } = await db.query<DestinationColumns>(findDestinations, [recipientId, projectId]);
  return destinationHashes(hash, rows);
}

const findDestinations = `
select telegram_chat_id::text chat_id, push_token_hash from recipient where id = $1 and project_id = $2`;

const viewOf = (row: PreferenceRow): RecipientPreferences => ({
  projectId: row.project_id,
  recipientId: row.recipient_id,
  preferences: preferencesOf(row),
  linkVersion: row.link_version,
  changedBy: row.changed_by,
  changedAt: row.changed_at,
});

interface Change {
  readonly projectId: ProjectId;
  readonly recipientId: string;
  readonly change: PreferencesChange;
  readonly by: Changer;
  readonly now: Date;
}

const ownOf = (row: PreferenceRow): OwnWishes => ({
  optedOut: row.own_opted_out ?? NO_WISHES.optedOut,
  categoriesOff: row.own_categories_off ?? NO_WISHES.categoriesOff,
  quietHours: row.own_quiet ?? NO_WISHES.quietHours,
});

/**
 * What a person says holds for every recipient of the project who has their chat: the bot's registration makes one, and the project
 * another, and whoever wants least decides (`decideWishes`). Rows are locked in the order of their ids.
 */
async function changeAll(tx: Queryable, hash: KeyedHash, of: Change): Promise<RecipientPreferences | null> {
  const { projectId, recipientId, change, by, now } = of;
  if (by === 'project') return changeLocked(tx, of, await reachedAt(tx, hash, projectId, recipientId));
  const { rows } = await tx.query<DestinationColumns & { id: string }>(findSiblings, [
    recipientId,
    projectId,
  ]);
  const hashes = destinationHashes(hash, rows);
  let changed: RecipientPreferences | null = null;
  for (const { id } of rows) {
    const view = await changeLocked(tx, { ...of, recipientId: id }, hashes);
    if (id === recipientId) changed = view;
  }
  if (change.opted_out !== undefined)
    await keepOptOut(
      tx,
      projectId,
      hashes,
      change.opted_out ? (changed?.preferences.optedOutAt ?? now) : null,
    );
  return changed;
}

const findSiblings = `
select id, telegram_chat_id::text chat_id, push_token_hash from recipient where id = $1 and project_id = $2
union
select s.id, s.telegram_chat_id::text, s.push_token_hash
from recipient r join recipient s on s.telegram_chat_id = r.telegram_chat_id and s.project_id = r.project_id
where r.id = $1 and r.project_id = $2 order by id`;

/** The row is the lock, made where there is none: of two changes at once the second is applied to what the first left. */
async function changeLocked(
  tx: Queryable,
  of: Change,
  hashes: readonly Buffer[],
): Promise<RecipientPreferences | null> {
  const { projectId, recipientId, change, by, now } = of;
  const { rows } = await tx.query<PreferenceRow>(lockPreferences, [recipientId, projectId, hashes]);
  const [row] = rows;
  if (!row) return null;
  const view = viewOf(row);
  const own = ownOf(row);
  const lifted = by === 'project' ? takenBack(own, change, view.preferences) : null;
  if (lifted !== null) throw new PersonsWish(lifted);
  const after = changedPreferences(view.preferences, change, now);
  const ownNow = by === 'project' ? own : ownAfter(own, change);
  if (after === view.preferences && ownNow === own) return view;
  await tx.query(writePreferences, [
    recipientId,
    after.optedOutAt,
    after.categoriesOff,
    after.quietHours?.fromMinute ?? null,
    after.quietHours?.toMinute ?? null,
    after.timeZone,
    by,
    now,
    ownNow.optedOut,
    ownNow.categoriesOff,
    ownNow.quietHours,
  ]);
  return { ...view, preferences: after, changedBy: by, changedAt: now };
}

/** Since when everything is off for one of the hashes `$3`. */
const keptOptOut = (projectId: string) =>
  `(select min(o.opted_out_at) from message_opt_out o where o.project_id = ${projectId} and o.destination_hash = any($3::bytea[]))`;

const columns = (projectId: string) =>
  `coalesce(p.opted_out_at, ${keptOptOut(projectId)}) opted_out_at, p.categories_off, p.quiet_from, p.quiet_to, p.time_zone,
  coalesce(p.link_version, 0) link_version, p.changed_by, p.changed_at,
  coalesce(p.own_opted_out, false) or ${keptOptOut(projectId)} is not null own_opted_out, p.own_categories_off, p.own_quiet`;

const findPreferences = `
select r.project_id, r.id recipient_id, ${columns('r.project_id')}
from recipient r left join message_preference p on p.recipient_id = r.id where r.id = $1 and r.project_id = $2`;

const lockPreferences = `
insert into message_preference as p (recipient_id, project_id)
select id, project_id from recipient where id = $1 and project_id = $2
on conflict (recipient_id) do update set project_id = p.project_id
returning project_id, recipient_id, ${columns('p.project_id')}`;

const writePreferences = `
update message_preference set opted_out_at = $2, categories_off = $3, quiet_from = $4, quiet_to = $5, time_zone = $6, changed_by = $7,
  changed_at = $8, own_opted_out = $9, own_categories_off = $10, own_quiet = $11 where recipient_id = $1`;

const renewLink = `
insert into message_preference as p (recipient_id, project_id, link_version)
select id, project_id, 1 from recipient where id = $1 and project_id = $2
on conflict (recipient_id) do update set link_version = p.link_version + 1
returning project_id, recipient_id, ${columns('p.project_id')}`;

/** The person's page: what the link claims is looked up, and its MAC is checked for the project that the recipient is of. */
export function preferencesDoors(
  pool: pg.Pool,
  hash: KeyedHash,
  links: Pick<ReturnType<typeof preferencesLinks>, 'read'>,
): PreferencesDoors {
  const project = projectCache(pool);
  const store = preferencesStore(pool, hash);
  return {
    open: async (token) => {
      const claim = links.read(token);
      if (!claim) return null;
      const { rows } = await pool.query<DoorRow>(findDoor, [claim.recipientId]);
      const [row] = rows;
      if (!row) return null;
      const linked = {
        projectId: row.project_id,
        recipientId: row.recipient_id,
        linkVersion: row.link_version,
      };
      if (!claim.isOf(linked) || claim.linkVersion !== linked.linkVersion) return null;
      const own = await store.find(linked.projectId, linked.recipientId);
      if (!own) return null;
      const { rows: others } = await pool.query<PreferenceColumns>(findOthers, [linked.recipientId]);
      const view = { ...own, preferences: leastOf([own.preferences, ...others.map(preferencesOf)]) };
      const { slug, settings } = await project(view.projectId);
      return {
        ...view,
        projectName: settings.display_name ?? slug,
        locale: row.locale ?? settings.locale,
        categories: settings.message_categories,
      };
    },
  };
}

/** Of the other recipients of the project who have the chat: what is saved holds for them too, so that the page shows it. */
const findOthers = `
select p.opted_out_at, p.categories_off, p.quiet_from, p.quiet_to, p.time_zone
from recipient r join recipient s on s.telegram_chat_id = r.telegram_chat_id and s.project_id = r.project_id and s.id <> r.id
join message_preference p on p.recipient_id = s.id where r.id = $1 order by s.id`;

const findDoor = `
select r.project_id, r.id recipient_id, r.locale, coalesce(p.link_version, 0) link_version
from recipient r join project on project.id = r.project_id and project.archived_at is null
left join message_preference p on p.recipient_id = r.id where r.id = $1`;
