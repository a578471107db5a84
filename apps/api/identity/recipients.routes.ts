import { z } from 'zod';
import { Locale } from '../../../domain/shared/locale.ts';
import { InstallationId, installationAddress, PushToken } from '../../../domain/push/address.ts';
import type { RecipientPut, Recipients } from '../../../domain/identity/recipient/port.ts';
import { RecipientId, type RecipientView } from '../../../domain/identity/recipient/recipient.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../http/page.ts';
import { Problem } from '../../http/problem.ts';
import { ChatId } from '../../../domain/telegram/chat.ts';
import { PhoneField } from '../../http/fields.ts';
import { defineRoute, type Route } from '../../http/route.ts';
import { onceValid } from '../../../domain/shared/refine.ts';
import { Time } from '../../../domain/shared/time.ts';

const Handle = z
  .string()
  .min(1)
  .max(128)
  .meta({ description: 'Your own name for this person.', example: 'user-4711' });
const PutBody = z
  .strictObject({
    handle: Handle.nullable().optional(),
    phone: PhoneField.nullable().optional(),
    telegram_chat_id: ChatId.nullable().optional().meta({ example: 123_456_789 }),
    push_token: PushToken.nullable()
      .optional()
      .meta({ description: 'FCM registration token of your app. Stored encrypted, never returned.' }),
    installation_id: InstallationId.optional().meta({
      description: 'Its Firebase installation id, in place of the token that Google is giving up.',
    }),
    locale: Locale.nullable().optional(),
  })
  .refine(({ handle, phone }) => handle || phone, {
    ...onceValid,
    error: 'expected a handle or a phone, by which to find the recipient',
  })
  .refine(({ push_token, installation_id }) => !push_token || installation_id === undefined, {
    ...onceValid,
    error: 'expected push_token or installation_id, and not both',
    path: ['installation_id'],
  })
  .meta({ description: 'A field that is absent stays as it is; null takes it away.' });

const RecipientBody = z
  .object({
    id: z.uuid(),
    handle: z.string().nullable(),
    phone: z.string().nullable(),
    telegram_chat_id: z.int().nullable(),
    telegram_blocked_at: Time.nullable().meta({ description: 'The person blocked the bot.' }),
    has_push_token: z.boolean(),
    locale: Locale.nullable(),
    created_at: Time,
    updated_at: Time,
  })
  .meta({ id: 'Recipient' });

export function recipientRoutes(recipients: Recipients): Route[] {
  return [
    listRecipients(recipients),
    putRecipient(recipients),
    getRecipient(recipients),
    eraseRecipient(recipients),
  ];
}

const putRecipient = (recipients: Recipients) =>
  defineRoute({
    method: 'put',
    path: '/recipients',
    tag: 'Recipients',
    summary: 'Makes or changes the recipient of this handle or phone',
    description:
      'A phone, a chat and a push token belong to one handle: naming one that another handle has is 409 `recipient-conflict`, and changes nothing. Its `recipient_id` and `handle` say who has it. ' +
      'Where it changed hands (numbers are recycled), first take it away from that recipient (`{"handle": "alice", "phone": null}`) or erase that one, then repeat the request: the new recipient gets neither the chat nor the push token of the old one. ' +
      'A recipient whose handle is taken away (`"handle": null`) loses its chat and push token with it. Handles that begin with `telegram:` are Navbat’s own, for people who registered by their chat: they keep that chat.',
    scope: 'recipients',
    testKeys: 'refused',
    body: PutBody,
    answers: {
      200: { description: 'It was known, and is now as returned.', schema: RecipientBody },
      201: { description: 'It is new.', schema: RecipientBody },
    },
    problems: [409],
    async handle({ body, caller, now }) {
      const { telegram_chat_id: telegramChatId, push_token, installation_id, ...plain } = body;
      const pushToken = installation_id === undefined ? push_token : installationAddress(installation_id);
      const result = await recipients.put(caller.projectId, { ...plain, telegramChatId, pushToken }, now);
      if (result.put === 'conflict') throw conflict(result);
      return { status: result.put === 'created' ? 201 : 200, body: recipientBody(result.recipient) };
    },
  });

const listRecipients = (recipients: Recipients) =>
  defineRoute({
    method: 'get',
    path: '/recipients',
    tag: 'Recipients',
    summary: "The project's recipients, newest first",
    scope: 'recipients',
    testKeys: 'refused',
    query: z.object({ handle: Handle.optional(), phone: PhoneField.optional(), ...pageQuery }),
    answers: { 200: { description: 'A page of recipients.', schema: pageSchema(RecipientBody) } },
    async handle({ query, caller }) {
      const { limit, cursor, ...filter } = query;
      return {
        status: 200,
        body: pageBody(
          await recipients.list(caller.projectId, filter, pageOrder({ limit, cursor })),
          recipientBody,
        ),
      };
    },
  });

const getRecipient = (recipients: Recipients) =>
  defineRoute({
    method: 'get',
    path: '/recipients/{id}',
    tag: 'Recipients',
    summary: 'One recipient',
    scope: 'recipients',
    testKeys: 'refused',
    params: z.object({ id: RecipientId }),
    answers: { 200: { description: 'The recipient.', schema: RecipientBody } },
    problems: [404],
    async handle({ params, caller }) {
      const recipient = await recipients.find(caller.projectId, params.id);
      if (!recipient) throw notFound();
      return { status: 200, body: recipientBody(recipient) };
    },
  });

const eraseRecipient = (recipients: Recipients) =>
  defineRoute({
    method: 'delete',
    path: '/recipients/{id}',
    tag: 'Recipients',
    summary: 'Erases a recipient',
    description:
      "Removes the recipient, and the person's number, client data and metadata from this project's closed verifications. " +
      'A code that is still on its way keeps its number until it closes and retention takes it. ' +
      'If they had opted out of your messages, a keyed hash of their chat and push token stays, so that the wish holds.',
    scope: 'recipients',
    testKeys: 'refused',
    params: z.object({ id: RecipientId }),
    answers: { 204: { description: 'It is gone.', schema: z.undefined() } },
    problems: [404],
    async handle({ params, caller }) {
      if (!(await recipients.erase(caller.projectId, params.id))) throw notFound();
      return { status: 204, body: undefined };
    },
  });

type PutConflict = Extract<RecipientPut, { put: 'conflict' }>;

function conflict({ field, holder }: PutConflict): Problem {
  const detail = conflictDetail({ put: 'conflict', field, holder });
  return new Problem(409, 'recipient-conflict', detail, {
    errors: [{ pointer: `/${field}`, detail: holder ? 'belongs to another recipient' : 'cannot be given' }],
    extra: { recipient_id: holder?.id ?? null, handle: holder?.handle ?? null },
  });
}

function conflictDetail({ field, holder }: PutConflict): string {
  if (field === 'handle')
    return 'Handles that begin with telegram: are Navbat’s own, for people who registered by their chat. Choose another one.';
  if (!holder) return 'Other requests kept changing this recipient. Repeat the request.';
  const named = holder.handle === null ? `it has no handle` : `handle ${JSON.stringify(holder.handle)}`;
  const has = `${whatIsHeld[field]} belongs to recipient ${holder.id} (${named}), which is another one.`;
  const release =
    holder.handle === null
      ? ''
      : `take it away with PUT /recipients ${JSON.stringify({ handle: holder.handle, [field]: null })}, or `;
  return `${has} If it changed hands, ${release}erase that recipient with DELETE /recipients/${holder.id}; then repeat this request.`;
}

const whatIsHeld = {
  phone: 'The phone',
  telegram_chat_id: 'The Telegram chat',
  push_token: 'The push token',
} as const;

const notFound = () => new Problem(404, 'not-found', 'This project has no such recipient.');

function recipientBody(recipient: RecipientView) {
  return {
    id: recipient.id,
    handle: recipient.handle,
    phone: recipient.phone,
    telegram_chat_id: recipient.telegramChatId,
    telegram_blocked_at: recipient.telegramBlockedAt,
    has_push_token: recipient.hasPushToken,
    locale: recipient.locale,
    created_at: recipient.createdAt,
    updated_at: recipient.updatedAt,
  };
}
