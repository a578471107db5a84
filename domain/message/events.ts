import { z } from 'zod';
import { finalStates } from '../job/job.ts';
import { count, EndReason, type EventDefinition, MaskedRecipient } from '../shared/event.ts';
import { Time } from '../shared/time.ts';
import { broadcastKinds, broadcastStates } from './broadcast/broadcast.ts';
import { changers } from './preferences/preferences.ts';

const messageEnded = z.object({
  id: z.uuid().meta({ description: 'Its job: `GET /jobs/{id}`.' }),
  kind: z.enum(broadcastKinds),
  broadcast_id: z.uuid().meta({ description: 'What it is a part of: `GET /broadcasts/{id}`.' }),
  state: z.enum(finalStates),
  reason: EndReason,
  to: MaskedRecipient,
  accepted_at: Time,
  finished_at: Time,
});

export const messageEvents = {
  'message.sent': { meaning: 'A message or a push reached its provider.', data: messageEnded },
  'message.failed': {
    meaning: 'A message or a push could not be sent; `reason` says why.',
    data: messageEnded,
  },
  'broadcast.finished': {
    meaning: 'Nothing of a message to one or to many waits any more.',
    data: z.object({
      id: z.uuid().meta({ description: 'The broadcast: `GET /broadcasts/{id}`.' }),
      kind: z.enum(broadcastKinds),
      state: z.enum(broadcastStates),
      total: count('Its recipients.'),
      sent: count('Of them, those whose message reached its provider.'),
      failed: count('Of them, those to whom it could not be sent.'),
      blocked: count('Of them, those who do not take messages.'),
      cancelled: count('Of them, those whose message was cancelled.'),
      waiting: count('Of them, those whose message is not settled.'),
      created_at: Time,
      finished_at: Time,
    }),
  },
  'preferences.changed': {
    meaning:
      'What a person wants of your messages and pushes was changed, by them or by you: the body says how it is now.',
    data: z.object({
      recipient_id: z.uuid().meta({ description: 'Your recipient: `GET /recipients/{id}/preferences`.' }),
      opted_out: z.boolean().meta({ description: 'They want no message and no push at all.' }),
      categories_off: z.array(z.string()).meta({ description: 'Categories that are switched off.' }),
      quiet_hours: z
        .object({ from: z.string(), to: z.string() })
        .nullable()
        .meta({ description: 'By the clock where they are.' }),
      time_zone: z.string().nullable().meta({ description: 'IANA name; null where they named none.' }),
      changed_by: z.enum(changers).meta({
        description: 'Your key, their page, the one click of a mail program, or the bot.',
      }),
      changed_at: Time,
    }),
  },
  /** Somebody pressed a button under a message: what they pressed, where, and who. */
  'telegram.callback': {
    meaning:
      'Somebody pressed a button under your message: data (as their client sent it), chat_id, message_id, user_id, recipient_id, job_id and broadcast_id say what, where and who.',
    data: z.object({
      id: z.string().meta({ description: 'Of the press: the same in each update of Telegram about it.' }),
      data: z.string().meta({ description: 'As the client sent it: treat it as input.' }),
      chat_id: z.int(),
      message_id: z.int().meta({ description: 'The message under which the button is.' }),
      user_id: z.int().meta({ description: 'Who pressed, as Telegram knows them.' }),
      recipient_id: z.uuid().nullable(),
      job_id: z.uuid(),
      broadcast_id: z.uuid().meta({ description: 'Whose message it is: `GET /broadcasts/{id}`.' }),
      pressed_at: Time.meta({ description: 'When we heard of it.' }),
    }),
  },
  /** A group that the project sends to became a supergroup: its old and its new id. */
  'telegram.chat_migrated': {
    meaning:
      'A group that you send to became a supergroup: from_chat_id is its old id, to_chat_id the new one, which your recipient (recipient_id) has now.',
    data: z.object({
      from_chat_id: z.int().meta({ description: 'The id of the group.' }),
      to_chat_id: z.int().meta({ description: 'The id of the supergroup, which takes its place.' }),
      recipient_id: z.uuid().nullable().meta({ description: 'Your recipient who has the new id now.' }),
      migrated_at: Time.meta({ description: 'When we heard of it.' }),
    }),
  },
} as const satisfies Record<string, EventDefinition>;
