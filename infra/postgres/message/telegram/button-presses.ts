import type pg from 'pg';
import type { ButtonPresses } from '../../../../domain/telegram/button.ts';

/** Which project a pressed button is told to: the one whose message it stands under. */
export function buttonPresses(pool: pg.Pool): ButtonPresses {
  return {
    tell: async ({ queryId, userId, under }, now) => {
      if (!under) return false;
      const { rowCount } = await pool.query(tellPressed, [
        String(under.messageId),
        String(under.chatId),
        under.data,
        queryId,
        userId,
        now,
      ]);
      return rowCount === 1;
    },
  };
}

/**
 * By chat and message id, as the attempt has them: ids of messages repeat between chats. Told only of a button that the message has,
 * since a client may send whatever it likes; once the words of a message are gone with retention, what it had cannot be told any
 * more. An update comes at least once: the query's id keeps it to one event.
 */
export const tellPressed = `
with sent as materialized (
  select j.id, j.project_id, j.mode, j.subject_id, j.request_id, j.payload ->> 'recipient_id' recipient_id
  from attempt a join job j on j.id = a.job_id join broadcast b on b.id = j.subject_id
  where a.provider = 'telegram-bot' and a.provider_reference = $1 and a.outcome = 'completed' and j.kind = 'telegram-message'
    and (j.chat_id = $2::bigint or j.chat_id in (select chat_id from telegram_chat where migrated_to = $2::bigint))
    and exists (select from jsonb_path_query(b.content, '$.buttons[*][*].callback_data') d where d #>> '{}' = $3)
  order by a.opened_at desc limit 1)
select case when webhook_is_wanted(project_id, mode, 'telegram.callback', null) and not exists (
    select from webhook_event e where e.project_id = sent.project_id and e.mode = sent.mode and e.happened_at > $6::timestamptz - interval '2 days'
      and e.subject_id = sent.id and e.type = 'telegram.callback' and e.data ->> 'id' = $4)
  then webhook_emit(project_id, mode, 'telegram.callback', id, $6::timestamptz, jsonb_build_object('id', $4::text, 'data', $3::text,
    'chat_id', $2::bigint, 'message_id', $1::bigint, 'user_id', $5::bigint, 'recipient_id', recipient_id, 'job_id', id,
    'broadcast_id', subject_id, 'pressed_at', $6::timestamptz), null, request_id)::text end
from sent`;
