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
  type PreferencesChange,
} from '../../../../domain/message/preferences/preferences.ts';
import { inTransaction, type Queryable } from '../../engine/transaction.ts';
import { projectCache } from '../../project/cache.ts';
import type { preferencesLinks } from './links.ts';
import { type PreferenceColumns, preferencesOf } from './row.ts';

interface PreferenceRow extends PreferenceColumns {
  readonly project_id: ProjectId;
  readonly recipient_id: string;
  readonly link_version: number;
  readonly changed_by: Changer | null;
  readonly changed_at: Date | null;
}
interface DoorRow extends PreferenceRow {
  readonly locale: Locale | null;
}

export function preferencesStore(pool: pg.Pool): PreferencesStore {
  return {
    find: async (projectId, recipientId) => {
      const { rows } = await pool.query<PreferenceRow>(findPreferences, [recipientId, projectId]);
      return rows[0] ? viewOf(rows[0]) : null;
    },
    change: (projectId, recipientId, change, by, now) =>
      inTransaction(pool, (tx) => changeAll(tx, { projectId, recipientId, change, by, now })),
    renewLink: async (projectId, recipientId) => {
      const { rows } = await pool.query<PreferenceRow>(renewLink, [recipientId, projectId]);
      return rows[0] ? viewOf(rows[0]) : null;
    },
  };
}

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

/**
 * What a person says holds for every recipient of the project who has their chat: the bot's registration makes one, and the project
 * another, and whoever wants least decides (`decideWishes`). Rows are locked in the order of their ids.
 */
async function changeAll(tx: Queryable, of: Change): Promise<RecipientPreferences | null> {
  const { projectId, recipientId, by } = of;
  if (by === 'project') return changeLocked(tx, of);
  const { rows } = await tx.query<{ id: string }>(findSiblings, [recipientId, projectId]);
  let changed: RecipientPreferences | null = null;
  for (const { id } of rows) {
    const view = await changeLocked(tx, { ...of, recipientId: id });
    if (id === recipientId) changed = view;
  }
  return changed;
}

const findSiblings = `
select id from recipient where id = $1 and project_id = $2
union
select s.id from recipient r join recipient s on s.telegram_chat_id = r.telegram_chat_id and s.project_id = r.project_id
where r.id = $1 and r.project_id = $2 order by id`;

/** The row is the lock, made where there is none: of two changes at once the second is applied to what the first left. */
async function changeLocked(tx: Queryable, of: Change): Promise<RecipientPreferences | null> {
  const { projectId, recipientId, change, by, now } = of;
  const { rows } = await tx.query<PreferenceRow>(lockPreferences, [recipientId, projectId]);
  const [row] = rows;
  if (!row) return null;
  const view = viewOf(row);
  const after = changedPreferences(view.preferences, change, now);
  if (after === view.preferences) return view;
  await tx.query(writePreferences, [
    recipientId,
    after.optedOutAt,
    after.categoriesOff,
    after.quietHours?.fromMinute ?? null,
    after.quietHours?.toMinute ?? null,
    after.timeZone,
    by,
    now,
  ]);
  return { ...view, preferences: after, changedBy: by, changedAt: now };
}

const columns =
  'p.opted_out_at, p.categories_off, p.quiet_from, p.quiet_to, p.time_zone, coalesce(p.link_version, 0) link_version, p.changed_by, p.changed_at';

const findPreferences = `
select r.project_id, r.id recipient_id, ${columns}
from recipient r left join message_preference p on p.recipient_id = r.id where r.id = $1 and r.project_id = $2`;

const lockPreferences = `
insert into message_preference as p (recipient_id, project_id)
select id, project_id from recipient where id = $1 and project_id = $2
on conflict (recipient_id) do update set project_id = p.project_id
returning project_id, recipient_id, ${columns}`;

const writePreferences = `
update message_preference set opted_out_at = $2, categories_off = $3, quiet_from = $4, quiet_to = $5, time_zone = $6, changed_by = $7,
  changed_at = $8 where recipient_id = $1`;

const renewLink = `
insert into message_preference as p (recipient_id, project_id, link_version)
select id, project_id, 1 from recipient where id = $1 and project_id = $2
on conflict (recipient_id) do update set link_version = p.link_version + 1
returning project_id, recipient_id, ${columns}`;

/** The person's page: what the link claims is looked up, and its MAC is checked for the project that the recipient is of. */
export function preferencesDoors(
  pool: pg.Pool,
  links: Pick<ReturnType<typeof preferencesLinks>, 'read'>,
): PreferencesDoors {
  const project = projectCache(pool);
  return {
    open: async (token) => {
      const claim = links.read(token);
      if (!claim) return null;
      const { rows } = await pool.query<DoorRow>(findDoor, [claim.recipientId]);
      const [row] = rows;
      if (!row) return null;
      const view = viewOf(row);
      if (!claim.isOf(view) || claim.linkVersion !== view.linkVersion) return null;
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

const findDoor = `
select r.project_id, r.id recipient_id, r.locale, ${columns}
from recipient r join project on project.id = r.project_id and project.archived_at is null
left join message_preference p on p.recipient_id = r.id where r.id = $1`;
