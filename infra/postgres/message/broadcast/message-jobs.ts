import type pg from 'pg';
import type { BroadcastState } from '../../../../domain/message/broadcast/broadcast.ts';
import { jobs } from '../../../../domain/jobs.ts';
import { deviceTarget } from '../../../../domain/push/address.ts';
import {
  hasPreferencesUrl,
  withPreferencesUrl,
} from '../../../../domain/message/preferences/url-variable.ts';
import { STOP_DATA, type StopLabels } from '../../../../domain/message/preferences/words.ts';
import { PushContent } from '../../../../domain/message/push/message.ts';
import type { PushTarget } from '../../../../domain/message/push/port.ts';
import { type Locale, LOCALE_DEFAULT } from '../../../../domain/shared/locale.ts';
import { TelegramContent } from '../../../../domain/telegram/message.ts';
import type { PushWork, TelegramWork } from '../../../../domain/message/broadcast/work.ts';
import type { Encryption } from '../../../process/crypto.ts';
import { forgetPushToken, openPushToken } from '../../identity/recipient/push-tokens.ts';
import { type SingleJobRow, singleJobs } from '../../job/single.ts';
import type { ChatReason, JobReason } from '../../../../domain/reasons.ts';
import { type PreferenceColumns, preferencesOf } from '../preferences/row.ts';
import { type CategoryColumns, categoryColumns, heldBack, type WantedDeps } from '../preferences/wanted.ts';

interface BroadcastColumns extends SingleJobRow, CategoryColumns {
  readonly content: unknown;
  readonly broadcast_state: BroadcastState | null;
}
interface TelegramRow extends BroadcastColumns {
  /** The supergroup that the chat has become. */
  readonly migrated_to: string | null;
  readonly closed_reason: ChatReason | null;
  readonly stop_labels: StopLabels | null;
  /** The project's recipients who have the chat; null for none. */
  readonly readers: readonly Reader[] | null;
}
interface Reader extends PreferenceColumns {
  readonly recipient_id: string;
  readonly chat_id: string | null;
  readonly link_version: number;
  readonly locale: Locale | null;
}
interface PushRow extends BroadcastColumns, PreferenceColumns {
  readonly recipient: string | null;
  readonly push_token_encrypted: Buffer | null;
  readonly link_version: number | null;
}

const cancelled = { settled: 'cancelled', reason: 'broadcast-cancelled' satisfies JobReason } as const;

const CHAT_HASH = `coalesce(decode(j.payload ->> 'chat_hash', 'base64'), j.address_hash)`;
const TOKEN_HASH = `case j.payload -> 'to' ->> 'by' when 'recipient' then r.push_token_hash
  else decode(j.payload -> 'to' ->> 'token_hash', 'base64') end`;
const gone = { settled: 'rejected', reason: 'recipient-gone' satisfies JobReason } as const;

/**
 * Who has the chats of the jobs `$1`, for all of them at once: for one after the other, a plan that was made while there were few
 * recipients would read them all for each.
 */
const readersOfJobs = `
select job_id, json_agg(json_build_object('recipient_id', r.id, 'chat_id', r.telegram_chat_id::text, 'locale', r.locale, 'opted_out_at', p.opted_out_at,
  'categories_off', p.categories_off, 'quiet_from', p.quiet_from, 'quiet_to', p.quiet_to, 'time_zone', p.time_zone,
  'link_version', coalesce(p.link_version, 0))) readers
from (
  select k.id job_id, r.id, r.locale, r.telegram_chat_id from job k
  join recipient r on r.id = (k.payload ->> 'recipient_id')::uuid and r.project_id = k.project_id where k.id = any($1)
  union
  select k.id, r.id, r.locale, r.telegram_chat_id from job k left join telegram_chat moved on moved.chat_id = k.chat_id
  join recipient r on r.telegram_chat_id = coalesce(moved.migrated_to, k.chat_id) and r.project_id = k.project_id where k.id = any($1)) r
left join message_preference p on p.recipient_id = r.id group by job_id`;

/**
 * A chat that Telegram has closed is not asked again: each call would cost a slot and lower the bot's standing. What its person wants
 * is read with the job, whether the project named them or their bare chat.
 */
export function telegramJobs(pool: pg.Pool, { now, links }: WantedDeps) {
  return singleJobs<TelegramRow, TelegramWork>(pool, {
    kind: 'telegram-message',
    columns: `b.content, b.state broadcast_state, ${categoryColumns(CHAT_HASH)}, b.stop_labels, c.migrated_to::text migrated_to,
      coalesce(m.closed_reason, c.closed_reason) closed_reason, w.readers`,
    joins: `left join broadcast b on b.id = j.subject_id left join telegram_chat c on c.chat_id = j.chat_id
      left join telegram_chat m on m.chat_id = c.migrated_to
      left join (${readersOfJobs}) w on w.job_id = j.id`,
    work: (row) => {
      if (row.broadcast_state === 'cancelled') return cancelled;
      if (row.closed_reason !== null) return { settled: 'rejected', reason: row.closed_reason };
      const readers = row.readers ?? [];
      const held = heldBack(row, readers.map(preferencesOf), now());
      if (held) return held;
      const payload = jobs['telegram-message'].payload.safeParse(row.payload).data;
      const content = TelegramContent.safeParse(row.content).data;
      if (!payload || !content) return null;
      const chatId = row.migrated_to ?? payload.chat_id;
      const named = readers.find(({ recipient_id }) => recipient_id === payload.recipient_id);
      // The chat is somebody else's by now, and the link to their page is not for it.
      if (payload.recipient_id !== null && named?.chat_id !== chatId) return gone;
      const reader = named ?? readers[0];
      const filled = withUrl(content, row, { id: payload.recipient_id, ...reader }, links);
      return {
        ...readNow(row),
        chatId,
        recipientId: payload.recipient_id,
        content: isPrivate(chatId) ? withStop(filled, row.stop_labels, reader) : filled,
      };
    },
  });
}

const readNow = ({ id }: SingleJobRow) => ({ jobId: id, readAtMs: performance.now() });
const isPrivate = (chatId: string) => !chatId.startsWith('-');

interface Addressed {
  readonly id: string | null;
  readonly link_version?: number | null;
}

/** The intake lets the variable in for recipients only; one that is gone since has a link that opens nothing. */
function withUrl<Content extends TelegramContent | PushContent>(
  content: Content,
  { project_id: projectId }: SingleJobRow,
  { id, link_version: linkVersion }: Addressed,
  links: WantedDeps['links'],
): Content {
  if (id === null || !hasPreferencesUrl(content)) return content;
  return withPreferencesUrl(
    content,
    links.urlOf({ projectId, recipientId: id, linkVersion: linkVersion ?? 0 }),
  );
}

/** Only where a recipient is known, since their row is where the press is written down. */
function withStop(
  content: TelegramContent,
  labels: StopLabels | null,
  reader: Reader | undefined,
): TelegramContent {
  if (labels === null || reader === undefined) return content;
  const text = labels[reader.locale ?? LOCALE_DEFAULT] ?? labels[LOCALE_DEFAULT];
  if (text === undefined) return content;
  return { ...content, buttons: [...(content.buttons ?? []), [{ text, callback_data: STOP_DATA }]] };
}

export function pushJobs(pool: pg.Pool, encryption: Encryption, { now, links }: WantedDeps) {
  return singleJobs<PushRow, PushWork>(pool, {
    kind: 'push',
    columns: `b.content, b.state broadcast_state, ${categoryColumns(TOKEN_HASH)}, r.id recipient, r.push_token_encrypted, p.opted_out_at,
      p.categories_off, p.quiet_from, p.quiet_to, p.time_zone, p.link_version`,
    joins: `left join broadcast b on b.id = j.subject_id
      left join recipient r on r.id = (j.payload -> 'to' ->> 'recipient_id')::uuid and r.project_id = j.project_id
      left join message_preference p on p.recipient_id = r.id`,
    work: (row) => {
      if (row.broadcast_state === 'cancelled') return cancelled;
      const held = heldBack(row, row.recipient === null ? [] : [preferencesOf(row)], now());
      if (held) return held;
      const payload = jobs.push.payload.safeParse(row.payload).data;
      const content = PushContent.safeParse(row.content).data;
      if (!payload || !content) return null;
      const to = deviceOf(encryption, row, payload.to);
      if (to === null || 'settled' in to) return to;
      const { recipient: recipientId } = row;
      const filled = withUrl(content, row, { id: recipientId, link_version: row.link_version }, links);
      // A token that the project gave is its own to forget.
      return {
        ...readNow(row),
        to,
        recipientId: payload.to.by === 'recipient' ? recipientId : null,
        content: filled,
      };
    },
  });
}

const unregistered = { settled: 'rejected', reason: 'token-unregistered' satisfies JobReason } as const;

function deviceOf(
  encryption: Encryption,
  row: PushRow,
  to: (typeof jobs.push.payload)['_output']['to'],
): PushTarget | typeof unregistered | null {
  switch (to.by) {
    case 'topic':
      return { topic: to.topic };
    case 'token': {
      const token = openPushToken(encryption, Buffer.from(to.token_encrypted, 'base64'), row.id);
      return token === null ? null : deviceTarget(token);
    }
    case 'recipient': {
      if (!row.recipient || !row.push_token_encrypted) return unregistered;
      const token = openPushToken(encryption, row.push_token_encrypted, row.recipient);
      return token === null ? null : deviceTarget(token);
    }
  }
}

/** Forgets a token that its provider called dead. */
export const deadTokens = (pool: pg.Pool, encryption: Encryption) => ({
  forgetPushToken: (recipientId: string, token: string) =>
    forgetPushToken({ pool, encryption }, recipientId, token),
});
