import type pg from 'pg';
import type { BroadcastState } from '../../../../domain/message/broadcast/broadcast.ts';
import { jobs } from '../../../../domain/jobs.ts';
import { deviceTarget } from '../../../../domain/push/address.ts';
import { PushContent } from '../../../../domain/message/push/message.ts';
import { TelegramContent } from '../../../../domain/telegram/message.ts';
import type { PushWork, TelegramWork } from '../../../../domain/message/broadcast/work.ts';
import type { Encryption } from '../../../process/crypto.ts';
import { forgetPushToken, openPushToken } from '../../identity/recipient/push-tokens.ts';
import { type SingleJobRow, singleJobs } from '../../job/single.ts';
import type { ChatReason, JobReason } from '../../../../domain/reasons.ts';

interface BroadcastColumns extends SingleJobRow {
  readonly content: unknown;
  readonly broadcast_state: BroadcastState | null;
}
interface TelegramRow extends BroadcastColumns {
  /** The supergroup that the chat has become. */
  readonly migrated_to: string | null;
  readonly closed_reason: ChatReason | null;
}
interface PushRow extends BroadcastColumns {
  readonly recipient: string | null;
  readonly push_token_encrypted: Buffer | null;
}

const cancelled = { settled: 'cancelled', reason: 'broadcast-cancelled' satisfies JobReason } as const;

/** A chat that Telegram has closed is not asked again: each call would cost a slot and lower the bot's standing. */
export function telegramJobs(pool: pg.Pool) {
  return singleJobs<TelegramRow, TelegramWork>(pool, {
    kind: 'telegram-message',
    columns:
      'b.content, b.state broadcast_state, c.migrated_to::text migrated_to, coalesce(m.closed_reason, c.closed_reason) closed_reason',
    joins: `left join broadcast b on b.id = j.subject_id left join telegram_chat c on c.chat_id = j.chat_id
      left join telegram_chat m on m.chat_id = c.migrated_to`,
    work: (row) => {
      if (row.broadcast_state === 'cancelled') return cancelled;
      if (row.closed_reason !== null) return { settled: 'rejected', reason: row.closed_reason };
      const payload = jobs['telegram-message'].payload.safeParse(row.payload).data;
      const content = TelegramContent.safeParse(row.content).data;
      return payload && content
        ? { chatId: row.migrated_to ?? payload.chat_id, recipientId: payload.recipient_id, content }
        : null;
    },
  });
}

export function pushJobs(pool: pg.Pool, encryption: Encryption) {
  return singleJobs<PushRow, PushWork>(pool, {
    kind: 'push',
    columns: 'b.content, b.state broadcast_state, r.id recipient, r.push_token_encrypted',
    joins: `left join broadcast b on b.id = j.subject_id
      left join recipient r on r.id = (j.payload -> 'to' ->> 'recipient_id')::uuid and r.project_id = j.project_id`,
    work: (row) => {
      if (row.broadcast_state === 'cancelled') return cancelled;
      const payload = jobs.push.payload.safeParse(row.payload).data;
      const content = PushContent.safeParse(row.content).data;
      if (!payload || !content) return null;
      const { to } = payload;
      if (to.by === 'topic') return { to: { topic: to.topic }, recipientId: null, content };
      if (to.by === 'token') {
        const token = openPushToken(encryption, Buffer.from(to.token_encrypted, 'base64'), row.id);
        return token === null ? null : { to: deviceTarget(token), recipientId: null, content };
      }
      if (!row.recipient || !row.push_token_encrypted)
        return { settled: 'rejected', reason: 'token-unregistered' satisfies JobReason };
      const token = openPushToken(encryption, row.push_token_encrypted, row.recipient);
      return token === null ? null : { to: deviceTarget(token), recipientId: row.recipient, content };
    },
  });
}

/** Forgets a token that its provider called dead. */
export const deadTokens = (pool: pg.Pool, encryption: Encryption) => ({
  forgetPushToken: (recipientId: string, token: string) =>
    forgetPushToken({ pool, encryption }, recipientId, token),
});
