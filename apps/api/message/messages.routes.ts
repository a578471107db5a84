import { z } from 'zod';
import {
  type BroadcastAccepted,
  type BroadcastAnswer,
  type BroadcastIntake,
  type BroadcastKind,
  broadcastKinds,
  type BroadcastOrder,
  type Broadcasts,
  broadcastStates,
  type BroadcastView,
  LIFE_SECONDS_DEFAULT,
  type MessageTarget,
  type OrderCategory,
  PushSend,
  TelegramSend,
  timesFault,
} from '../../../domain/message/broadcast/broadcast.ts';
import { priorities } from '../../../domain/job/priority.ts';
import { priorityFault, priorityFor } from '../../../domain/message/broadcast/priority.ts';
import { installationAddress } from '../../../domain/push/address.ts';
import { PushContent } from '../../../domain/message/push/message.ts';
import { TelegramContent } from '../../../domain/telegram/message.ts';
import { categoryOf } from '../../../domain/message/preferences/category.ts';
import { hasPreferencesUrl } from '../../../domain/message/preferences/url-variable.ts';
import { stopLabelsOf } from '../../../domain/message/preferences/words.ts';
import type { Caller } from '../../../domain/project/caller.ts';
import { Time } from '../../../domain/shared/time.ts';
import type { BodyLimits } from '../../http/body.ts';
import { pageBody, pageOrder, pageQuery, pageSchema } from '../../http/page.ts';
import { Problem } from '../../http/problem.ts';
import { idempotencyOf } from '../../http/idempotency.ts';
import { type Answer, defineRoute, type Route, type RouteRequest } from '../../http/route.ts';
import { ById } from '../../http/by-id.ts';

export interface MessageDeps {
  /** Channels that have a provider in this installation. */
  readonly providers: ReadonlySet<string>;
  readonly intake: BroadcastIntake;
  readonly broadcasts: Broadcasts;
}

/** Ten thousand recipients by their ids, which are two parts each, and the content. */
const bodyLimits: BodyLimits = { bytes: 1_048_576, parts: 22_000 };

export function messageRoutes(deps: MessageDeps): Route[] {
  const { broadcasts } = deps;
  return [
    telegramRoute(deps),
    pushRoute(deps),
    listRoute(broadcasts),
    findRoute(broadcasts),
    ...(['pause', 'resume', 'cancel'] as const).map((command) => commandRoute(broadcasts, command)),
  ];
}

const Accepted = z
  .object({
    id: z.uuid().meta({ description: 'The message, to one or to many.' }),
    named: z.int().meta({ description: 'Entries of `to`.' }),
    duplicates: z
      .int()
      .meta({ description: 'Entries that named the chat, device or topic of another one: it is told once.' }),
    unreachable: z
      .int()
      .meta({ description: 'Entries whose recipient has no address for this kind of message.' }),
    total: z.int().meta({ description: 'Recipients that are told, each once: the rest of `named`.' }),
    job_id: z.uuid().nullable().meta({ description: 'The job of a message to one; null for many.' }),
    status_url: z.string(),
  })
  .meta({ id: 'MessageAccepted' });

const accepted = {
  202: { description: 'Committed; each recipient has a job of its own.', schema: Accepted },
};
const words =
  'One content to one recipient or to as many as 10 000: one job each, one commit. Messages of several projects share the queue evenly. A chat, device or topic that `to` names twice, by whatever name, is told once. A single message never waits for a broadcast of its own project (`priority`). Each recipient’s preferences are asked as it is sent (`category`): quiet hours put it off until they end, within ten minutes after. With `{preferences_url}` in a text each recipient gets the address of their own preferences page. With `dedupe_key` a message of the project that was sent before is not sent again: the first answer comes back.';

const telegramRoute = (deps: MessageDeps) =>
  defineRoute({
    method: 'post',
    path: '/telegram/send',
    tag: 'Messages',
    summary: 'Send a Telegram message',
    description: words,
    scope: 'messages',
    testKeys: 'apart',
    body: TelegramSend,
    bodyLimits,
    idempotent: true,
    answers: accepted,
    problems: [404, 409, 413, 422],
    handle: (request) => {
      const targets = [request.body.to]
        .flat()
        .map((to): MessageTarget =>
          'chat_id' in to
            ? { by: 'chat', chatId: String(to.chat_id) }
            : { by: 'recipient', recipientId: to.recipient_id },
        );
      return accept(deps, request, 'telegram-message', TelegramContent.strip().parse(request.body), targets);
    },
  });

const pushRoute = (deps: MessageDeps) =>
  defineRoute({
    method: 'post',
    path: '/push/send',
    tag: 'Messages',
    summary: 'Send a push',
    description: `${words} A device that its provider calls gone is forgotten.`,
    scope: 'messages',
    testKeys: 'apart',
    body: PushSend,
    bodyLimits,
    idempotent: true,
    answers: accepted,
    problems: [404, 409, 413, 422],
    handle: (request) => {
      const targets = [request.body.to].flat().map((to): MessageTarget => {
        if ('token' in to) return { by: 'token', token: to.token };
        if ('installation_id' in to) return { by: 'token', token: installationAddress(to.installation_id) };
        return 'topic' in to
          ? { by: 'topic', topic: to.topic }
          : { by: 'recipient', recipientId: to.recipient_id };
      });
      return accept(deps, request, 'push', PushContent.strip().parse(request.body), targets);
    },
  });

type Ordering = Pick<
  z.infer<typeof TelegramSend>,
  'send_at' | 'expires_at' | 'dedupe_key' | 'priority' | 'category' | 'critical'
>;

async function accept(
  { intake, providers }: MessageDeps,
  request: RouteRequest<unknown, unknown, Ordering>,
  kind: BroadcastKind,
  content: BroadcastOrder['content'],
  targets: readonly MessageTarget[],
): Promise<Answer> {
  const { caller, requestId, body, now } = request;
  if (!providers.has(kind === 'push' ? 'push' : 'telegram'))
    throw new Problem(422, 'no-channel', 'This installation has no provider for this kind of message.');
  const { sendAt, expiresAt, priority } = orderTimes(body, targets.length, now);
  const category = orderCategory(caller, body);
  if (hasPreferencesUrl(content) && targets.some(({ by }) => by !== 'recipient'))
    throw badField({
      field: 'to',
      detail: 'expected recipient_id alone, as the content has {preferences_url}',
    });
  const idempotency = idempotencyOf(request, [kind, body]);
  const dedupeKey = body.dedupe_key ?? null;
  const answer = await intake.accept({
    caller,
    kind,
    priority,
    content,
    targets,
    sendAt,
    expiresAt,
    dedupeKey,
    idempotency,
    requestId,
    category,
  });
  return answerOf(answer);
}

/** When, until when and before what. */
function orderTimes(body: Ordering, recipients: number, now: Date) {
  const sendAt = body.send_at ? new Date(body.send_at) : now;
  const priority = body.priority ?? priorityFor(recipients);
  const misuse = priorityFault(priority, recipients);
  if (misuse !== null) throw badField({ field: 'priority', detail: misuse });
  const lifeMs = LIFE_SECONDS_DEFAULT * 1_000;
  const expiresAt = body.expires_at
    ? new Date(body.expires_at)
    : new Date(Math.max(sendAt.getTime(), now.getTime()) + lifeMs);
  const fault = timesFault(sendAt, expiresAt, now);
  if (fault) throw badField(fault);
  return { sendAt, expiresAt, priority };
}

/** What passes people's wishes must never be what they wished to be spared: a category of marketing. */
function orderCategory(
  { settings, scopes, keyId }: Caller,
  { category: name, critical }: Pick<Ordering, 'category' | 'critical'>,
): OrderCategory {
  const category = categoryOf(settings.message_categories, name);
  if (category === null) {
    const known = settings.message_categories.map((one) => one.name).join(', ');
    throw badField({
      field: 'category',
      detail: `expected one of the project's message_categories: ${known}`,
    });
  }
  if (critical && !scopes.includes('critical'))
    throw new Problem(403, 'insufficient-scope', 'This key does not have the scope critical.');
  if (critical && category.marketing)
    throw badField({
      field: 'critical',
      detail: `expected false, as ${category.name} is a category of marketing`,
    });
  return {
    name: category.name,
    criticalBy: critical ? { keyId } : null,
    stopLabels: stopLabelsOf(category),
  };
}

const badField = ({ field, detail }: { field: string; detail: string }) =>
  new Problem(400, 'invalid-request', 'The request does not fit the schema.', {
    errors: [{ pointer: `/${field}`, detail }],
  });

function answerOf(answer: BroadcastAccepted): Answer {
  const headers = answer.replayed ? { 'Idempotent-Replayed': 'true' } : {};
  switch (answer.kind) {
    case 'accepted': {
      const statusUrl = `/broadcasts/${answer.id}`;
      const body = acceptedBody(answer, statusUrl);
      return { status: 202, body, headers: { Location: statusUrl, ...headers } };
    }
    case 'unknown-recipient':
      throw new Problem(404, 'unknown-recipient', `The project has no recipient ${answer.recipientId}.`);
    case 'unreachable':
      throw new Problem(422, 'no-channel', 'No recipient of it has an address for this kind of message.');
    case 'too-many-urgent':
      throw new Problem(
        429,
        'too-many-urgent',
        'The project has sent too many urgent messages in a minute.',
        {
          headers: { 'Retry-After': String(answer.retryAfterSeconds) },
        },
      );
    case 'key-reused':
      throw new Problem(422, 'idempotency-key-reused', 'This Idempotency-Key was used with another body.', {
        errors: [{ pointer: 'Idempotency-Key', detail: 'expected a new key for a new request' }],
      });
  }
}

/** An answer that was stored by an earlier version names as many as it tells. */
function acceptedBody({ id, named, duplicates, total, jobId }: BroadcastAnswer, statusUrl: string) {
  const counted = { named: named ?? total, duplicates: duplicates ?? 0 };
  const unreachable = counted.named - counted.duplicates - total;
  return { id, ...counted, unreachable, total, job_id: jobId, status_url: statusUrl };
}

/** The counts of the event `broadcast.finished` too. */
const Progress = z
  .object({
    sent: z.int().meta({ description: 'Taken by Telegram or by the push service.' }),
    failed: z
      .int()
      .meta({ description: 'Given up, expired, or refused for a reason that is not the address.' }),
    blocked: z.int().meta({
      description:
        'The chat or device is closed to you or gone, or its person switched such messages off: it will not take the next one either.',
    }),
    cancelled: z.int().meta({ description: 'Stopped by a cancellation before they went out.' }),
    waiting: z.int().meta({ description: 'Not settled yet.' }),
  })
  .meta({ description: 'Each recipient counts once: the five make `total`.' });

const BroadcastBody = z
  .object({
    id: z.uuid(),
    kind: z.enum(broadcastKinds),
    state: z.enum(broadcastStates),
    priority: z.enum(priorities),
    named: z.int().meta({ description: 'Entries of `to`.' }),
    duplicates: z.int().meta({ description: 'Entries that named the destination of another one.' }),
    total: z.int().meta({ description: 'Recipients that are told, each once.' }),
    progress: Progress,
    send_at: Time,
    expires_at: Time,
    created_at: Time,
    finished_at: Time.nullable().meta({
      description:
        'When the last recipient was settled, of a cancelled message too: then `waiting` is 0, and `broadcast.finished` is sent, once.',
    }),
  })
  .meta({ id: 'Broadcast' });

const bodyOf = (view: BroadcastView) => ({
  id: view.id,
  kind: view.kind,
  state: view.state,
  priority: view.priority,
  named: view.named,
  duplicates: view.duplicates,
  total: view.total,
  progress: view.progress,
  send_at: view.sendAt.toISOString(),
  expires_at: view.expiresAt.toISOString(),
  created_at: view.createdAt.toISOString(),
  finished_at: view.finishedAt?.toISOString() ?? null,
});

const unknown = () => new Problem(404, 'not-found', 'The project has no such message.');
const listRoute = (broadcasts: Broadcasts) =>
  defineRoute({
    method: 'get',
    path: '/broadcasts',
    tag: 'Messages',
    summary: 'Messages and their progress, newest first',
    scope: 'messages',
    testKeys: 'apart',
    query: z.object({ kind: z.enum(broadcastKinds).optional(), ...pageQuery }),
    answers: { 200: { description: 'A page of them.', schema: pageSchema(BroadcastBody) } },
    async handle({ query, caller }) {
      const page = await broadcasts.list(caller, query.kind, pageOrder(query));
      return { status: 200, body: pageBody(page, bodyOf) };
    },
  });

const findRoute = (broadcasts: Broadcasts) =>
  defineRoute({
    method: 'get',
    path: '/broadcasts/{id}',
    tag: 'Messages',
    summary: 'A message and its progress',
    scope: 'messages',
    testKeys: 'apart',
    params: ById,
    answers: {
      200: { description: 'Sent, failed, blocked, cancelled and waiting recipients.', schema: BroadcastBody },
    },
    problems: [404],
    async handle({ params, caller }) {
      const view = await broadcasts.find(caller, params.id);
      if (!view) throw unknown();
      return { status: 200, body: bodyOf(view) };
    },
  });

const commandWords = {
  pause: ['Pause a message', 'What is in hand already, about a second of it, still goes out.'],
  resume: ['Resume a message', 'The recipients that wait get their turn again.'],
  cancel: [
    'Cancel a message',
    'The recipients that wait are not sent to; what is in hand already, about a second of it, may still go out, and is counted before `broadcast.finished` is sent. Repeating it changes nothing.',
  ],
} as const;

const commandRoute = (broadcasts: Broadcasts, command: keyof typeof commandWords) =>
  defineRoute({
    method: 'post',
    path: `/broadcasts/{id}/${command}`,
    tag: 'Messages',
    summary: commandWords[command][0],
    description: commandWords[command][1],
    scope: 'messages',
    testKeys: 'apart',
    params: ById,
    body: z.strictObject({}).optional(),
    answers: { 200: { description: 'Done.', schema: BroadcastBody } },
    problems: [404, 409],
    async handle({ params, caller, now }) {
      const done = await broadcasts.command(caller, params.id, command, now);
      const view = done === 'unknown' ? null : await broadcasts.find(caller, params.id);
      if (!view) throw unknown();
      if (done === 'refused') throw new Problem(409, 'already-finished', `This message is ${view.state}.`);
      return { status: 200, body: bodyOf(view) };
    },
  });
