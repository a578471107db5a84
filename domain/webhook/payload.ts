import { z } from 'zod';
import { broadcastStates } from '../message/broadcast/broadcast.ts';
import { finalStates } from '../job/job.ts';
import { Channel } from '../verify/channel.ts';
import { type VerificationState, VerificationState as AnyState } from '../verify/verification.ts';
import { keyModes } from '../project/key.ts';
import { Time } from '../shared/time.ts';
import { disabledReasons } from './endpoint.ts';
import type { EventType } from './event.ts';

const Masked = z.string().nullable().meta({ description: 'Masked.', example: '+998•••••••67' });
const Reason = z.string().nullable().meta({
  description: 'Why it ended as it did: a code of `/docs/problems`. Null where there is nothing to say.',
  example: 'budget-spent',
});

const verificationShape = {
  id: z.uuid().meta({ description: 'The verification: `GET /otp/{id}`.' }),
  state: AnyState,
  purpose: z.string(),
  mode: z.enum(keyModes),
  channels: z.array(Channel),
  to: Masked,
  metadata: z.record(z.string(), z.string()).nullable().meta({ description: 'As its send gave it.' }),
  created_at: Time,
  closed_at: Time.nullable(),
};

const closedAs = (state: Exclude<VerificationState, 'live'>) =>
  z.object({ ...verificationShape, state: z.literal(state), closed_at: Time });

/** Its state may be another by then: a code can arrive after its verification was closed. */
const codeEnded = z.object({
  ...verificationShape,
  job_id: z.uuid(),
  job_state: z.enum(finalStates).meta({ description: 'How the job of the send ended.' }),
  reason: Reason,
});

const messageEnded = z.object({
  id: z.uuid().meta({ description: 'Its job: `GET /jobs/{id}`.' }),
  kind: z.enum(['telegram-message', 'push']),
  broadcast_id: z.uuid().meta({ description: 'What it is a part of: `GET /broadcasts/{id}`.' }),
  state: z.enum(finalStates),
  reason: Reason,
  to: Masked,
  accepted_at: Time,
  finished_at: Time,
});

const count = (description: string) => z.int().min(0).meta({ description });

/** What `data` holds, for each type. Tests hold the triggers that write events to it, and to nothing beside it. */
export const eventData = {
  'verification.approved': closedAs('approved'),
  'verification.denied': closedAs('denied'),
  'verification.expired': closedAs('expired'),
  'verification.cancelled': closedAs('cancelled'),
  'verification.spent': closedAs('spent'),
  'verification.delivered': codeEnded,
  'verification.failed': codeEnded,
  'message.sent': messageEnded,
  'message.failed': messageEnded,
  'broadcast.finished': z.object({
    id: z.uuid().meta({ description: 'The broadcast: `GET /broadcasts/{id}`.' }),
    kind: z.enum(['telegram-message', 'push']),
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
  'telegram.callback': z.object({
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
  'telegram.chat_migrated': z.object({
    from_chat_id: z.int().meta({ description: 'The id of the group.' }),
    to_chat_id: z.int().meta({ description: 'The id of the supergroup, which takes its place.' }),
    recipient_id: z.uuid().nullable().meta({ description: 'Your recipient who has the new id now.' }),
    migrated_at: Time.meta({ description: 'When we heard of it.' }),
  }),
  'budget.half_spent': z.object({
    day: z.iso.date().meta({ description: 'The UTC day.' }),
    budget_micros: count('`sms_daily_budget_micros` as it was then, in 10^-6 USD.'),
    spent_micros: count('Of it, what is spent.'),
    publishable_spent_micros: count('Of that, for requests with publishable keys.'),
  }),
  'endpoint.disabled': z.object({
    id: z.uuid().meta({ description: 'The endpoint: `GET /webhooks/endpoints/{id}`.' }),
    host: z.string().meta({ description: 'Of its URL.', example: 'example.com' }),
    reason: z.enum(disabledReasons).exclude(['owner']).meta({
      description: '`gone`: it answered 410. `failing`: five days without a success.',
    }),
    failing_since: Time.nullable().meta({ description: 'The first failure since the last success.' }),
    disabled_at: Time,
  }),
  test: z.object({
    id: z.uuid().meta({ description: 'The endpoint that it was sent to.' }),
    text: z.string(),
  }),
} as const satisfies Record<EventType, z.ZodObject>;

/** The whole body of an event of one type. */
export const eventPayload = (type: EventType) =>
  z.object({
    type: z.literal(type),
    timestamp: Time.meta({ description: 'When it happened.' }),
    mode: z.enum(keyModes).meta({ description: 'Of the key that asked for what it tells of.' }),
    data: eventData[type],
  });
