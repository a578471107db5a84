import type pg from 'pg';
import type { Locale } from '../../../../domain/shared/locale.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import type { ChatPreferences, Stopped } from '../../../../domain/telegram/chat-preferences.ts';
import { titleOf } from '../../../../domain/message/preferences/category.ts';
import type { PreferencesLinks, PreferencesStore } from '../../../../domain/message/preferences/port.ts';
import { STOP_DATA } from '../../../../domain/message/preferences/words.ts';
import { PLATFORM_PROJECT_ID } from '../../../../domain/project/platform.ts';
import type { ButtonPress } from '../../../../domain/telegram/button.ts';
import { projectCache } from '../../project/cache.ts';

export interface ChatPreferencesDeps {
  readonly pool: pg.Pool;
  readonly links: PreferencesLinks;
  readonly store: Pick<PreferencesStore, 'change'>;
}

/** Buttons that a phone shows without becoming a wall; the others are on further pages. */
const PROJECTS_MAX = 10;

interface ReaderRow {
  readonly project_id: ProjectId;
  readonly recipient_id: string;
  readonly link_version: number;
  readonly locale: Locale | null;
}
interface PressedRow extends ReaderRow {
  readonly category: string;
}

export function chatPreferences(deps: ChatPreferencesDeps): ChatPreferences {
  const project = projectCache(deps.pool);
  return {
    projectsOf: async (telegramId, page) => {
      const { rows } = await deps.pool.query<ReaderRow>(findProjects, [
        String(telegramId),
        // One more tells that there is another page.
        PROJECTS_MAX + 1,
        PLATFORM_PROJECT_ID,
        (page - 1) * PROJECTS_MAX,
      ]);
      const projects = await Promise.all(
        rows.slice(0, PROJECTS_MAX).map(async (row) => {
          const { slug, settings } = await project(row.project_id);
          return { name: settings.display_name ?? slug, url: urlOf(deps, row) };
        }),
      );
      return { projects, more: rows.length > PROJECTS_MAX };
    },
    stop: (press, now) => stop(deps, project, press, now),
  };
}

const urlOf = ({ links }: ChatPreferencesDeps, row: ReaderRow) =>
  links.urlOf({
    projectId: row.project_id,
    recipientId: row.recipient_id,
    linkVersion: row.link_version,
  });

async function stop(
  deps: ChatPreferencesDeps,
  project: ReturnType<typeof projectCache>,
  { under, userId }: ButtonPress,
  now: Date,
): Promise<Stopped | null> {
  // In a group one would decide for all: no such message has the button.
  if (!under || under.data !== STOP_DATA || under.chatId !== userId) return null;
  const { rows } = await deps.pool.query<PressedRow>(findPressed, [
    String(under.messageId),
    String(under.chatId),
  ]);
  const [first] = rows;
  if (!first) return null;
  const off = { categories: { [first.category]: false } };
  await deps.store.change(first.project_id, first.recipient_id, off, 'bot', now);
  const { slug, settings } = await project(first.project_id);
  const category = settings.message_categories.find(({ name }) => name === first.category);
  const locale = first.locale ?? settings.locale;
  return {
    project: settings.display_name ?? slug,
    category: category ? titleOf(category, locale) : first.category,
    url: urlOf(deps, first),
    locale,
  };
}

const findProjects = `
select distinct on (r.project_id) r.project_id, r.id recipient_id, coalesce(m.link_version, 0) link_version, r.locale
from recipient r join project p on p.id = r.project_id and p.archived_at is null
left join message_preference m on m.recipient_id = r.id
where r.telegram_chat_id = $1 and r.project_id <> $3 order by r.project_id desc, r.id desc limit $2 offset $4`;

/** By chat and message id, as the attempt has them: ids of messages repeat between chats. */
const findPressed = `
with sent as materialized (
  select j.project_id, j.payload ->> 'recipient_id' recipient_id, b.category
  from attempt a join job j on j.id = a.job_id join broadcast b on b.id = j.subject_id
  where a.provider = 'telegram-bot' and a.provider_reference = $1 and a.outcome = 'completed' and j.kind = 'telegram-message'
    and j.chat_id = $2::bigint and b.stop_labels is not null
  order by a.opened_at desc limit 1)
select r.project_id, r.id recipient_id, coalesce(m.link_version, 0) link_version, r.locale, sent.category
from sent join recipient r on r.project_id = sent.project_id and r.telegram_chat_id = $2::bigint
left join message_preference m on m.recipient_id = r.id
order by r.id::text = sent.recipient_id desc nulls last, r.id desc limit 1`;
