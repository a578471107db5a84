import { z } from 'zod';
import type { Page, PageOrder } from '../../shared/page.ts';
import type { JobId } from '../../shared/ids.ts';
import type { Caller } from '../../project/caller.ts';
import { type Priority, priorities } from '../../job/priority.ts';
import { NORMAL_RECIPIENTS_MAX, URGENT_PER_MINUTE_MAX } from './priority.ts';
import { isOurTime, notOurTime, onceValid } from '../../shared/refine.ts';
import { InstallationId } from '../../push/address.ts';
import { PushContent } from '../push/message.ts';
import { ChatId } from '../../telegram/chat.ts';
import { TelegramContent, textFault } from '../../telegram/message.ts';
import { CategoryName } from '../preferences/category.ts';
import { withSamplePushUrl, withSampleUrl } from '../preferences/url-variable.ts';
import { PAYLOAD_BYTES_MAX, payloadBytes } from '../../push/payload.ts';
import type { StopLabels } from '../preferences/words.ts';

/** One content to one or many: a bound that one commit takes in well under a second. */
export const RECIPIENTS_MAX = 10_000;
/** How far ahead a message may be ordered, and how long it may wait for its turn. */
const SEND_AHEAD_DAYS_MAX = 30;
export const LIFE_SECONDS_DEFAULT = 86_400;

export const broadcastKinds = ['telegram-message', 'push'] as const;
export type BroadcastKind = (typeof broadcastKinds)[number];
export const broadcastStates = ['sending', 'paused', 'cancelled', 'finished'] as const;
export type BroadcastState = (typeof broadcastStates)[number];

export const BroadcastId = z.uuid().brand<'BroadcastId'>();
export type BroadcastId = z.infer<typeof BroadcastId>;

const TimeText = z.iso.datetime({ offset: true }).refine((text) => isOurTime(new Date(text)), notOurTime);

/** When, until when, before what, and how a repeat is known. */
const ordering = {
  send_at: TimeText.optional().meta({ description: 'Not before then; at most 30 days ahead.' }),
  expires_at: TimeText.optional().meta({
    description: 'Not after then; a day after `send_at` where absent.',
  }),
  priority: z
    .enum(priorities)
    .optional()
    .meta({
      description: `What goes first among this project's own messages of the kind; other projects are not held up. \`normal\` where \`to\` names one recipient, \`bulk\` where it names more. \`urgent\`: one recipient, and ${URGENT_PER_MINUTE_MAX} a minute for the project. \`normal\`: up to ${NORMAL_RECIPIENTS_MAX} recipients.`,
    }),
  dedupe_key: z
    .string()
    .regex(/^[\x21-\x7e]{1,128}$/, 'expected 1 to 128 visible characters')
    .optional()
    .meta({ description: 'A message of the project with the same key, however old, is not sent again.' }),
  category: CategoryName.optional().meta({
    description:
      'One of `message_categories` of the project, the first where absent: people switch it on and off. A topic is sent to whoever subscribed in your app, whatever they switched off.',
  }),
  critical: z.boolean().optional().meta({
    description:
      'Passes quiet hours and a category that is switched off, never an opt-out. For a key with the scope `critical`, and for no category of marketing. Each is audited.',
  }),
};

const TELEGRAM_TO =
  '{"chat_id": integer, above 0 for a person and below 0 for a group} or {"recipient_id": UUID}';

/** Whom a message is for: a chat, or a recipient of the project by its id. */
const TelegramTo = z.union(
  [z.strictObject({ chat_id: ChatId }), z.strictObject({ recipient_id: z.uuid() })],
  {
    error: `expected ${TELEGRAM_TO}`,
  },
);
const PushTo = z.union(
  [
    z.strictObject({ token: z.string().min(1).max(4_096) }),
    z.strictObject({ installation_id: InstallationId }),
    z.strictObject({ recipient_id: z.uuid() }),
    z.strictObject({
      topic: z.string().regex(/^[A-Za-z0-9-_.~%]{1,900}$/, 'expected 1 to 900 of A-Z a-z 0-9 - _ . ~ %'),
    }),
  ],
  { error: 'expected one of {"token"}, {"installation_id"}, {"recipient_id": UUID} and {"topic"}' },
);

/** So many are read at a time; after the first of these parts with a wrong one no more are. */
const READ_TOGETHER = 500;

/** To explain a wrong item costs ten times what it takes to read a right one, and of ten thousand nobody is told but the first. */
const manyOf = <T extends z.ZodType>(to: T) => {
  const part = z.array(to);
  const upToFaults = (given: unknown): unknown => {
    if (!Array.isArray(given) || given.length > RECIPIENTS_MAX) return given;
    for (let end = READ_TOGETHER; end < given.length; end += READ_TOGETHER)
      if (!part.safeParse(given.slice(end - READ_TOGETHER, end)).success) return given.slice(0, end);
    return given;
  };
  return z.preprocess(upToFaults, z.array(to).min(1).max(RECIPIENTS_MAX));
};

const toOneOrMany = <T extends z.ZodType>(to: T, forms: string) =>
  z.union([to, manyOf(to)], {
    error: `expected ${forms}, or an array of 1 to ${RECIPIENTS_MAX} of them`,
  });

/** Body of `POST /telegram/send`. */
export const TelegramSend = TelegramContent.extend({
  to: toOneOrMany(TelegramTo, TELEGRAM_TO),
  ...ordering,
}).refine((body) => textFault(withSampleUrl(body)) === null, {
  ...onceValid,
  // Read twice where it is wrong: an error has no other way to say why.
  error: ({ input }) =>
    textFault(withSampleUrl(TelegramContent.pick({ text: true, format: true }).strip().parse(input))) ?? '',
  path: ['text'],
});
export type TelegramSend = z.infer<typeof TelegramSend>;

/** Body of `POST /push/send`. */
export const PushSend = PushContent.safeExtend({
  to: toOneOrMany(PushTo, '{"token"}, {"installation_id"}, {"recipient_id": UUID} or {"topic"}'),
  ...ordering,
}).refine((body) => payloadBytes(withSamplePushUrl(body)) <= PAYLOAD_BYTES_MAX, {
  ...onceValid,
  error: `expected at most ${PAYLOAD_BYTES_MAX} bytes of notification and data with {preferences_url} filled in, as JSON in UTF-8`,
  path: ['data'],
});
export type PushSend = z.infer<typeof PushSend>;

export type MessageTarget =
  | { readonly by: 'chat'; readonly chatId: string }
  | { readonly by: 'recipient'; readonly recipientId: string }
  | { readonly by: 'token'; readonly token: string }
  | { readonly by: 'topic'; readonly topic: string };

export interface BroadcastOrder {
  readonly caller: Pick<Caller, 'projectId' | 'slug' | 'mode'>;
  readonly kind: BroadcastKind;
  readonly priority: Priority;
  readonly content: TelegramContent | PushContent;
  readonly targets: readonly MessageTarget[];
  readonly sendAt: Date;
  readonly expiresAt: Date;
  readonly dedupeKey: string | null;
  readonly idempotency: { readonly key: string; readonly bodyHash: string } | null;
  readonly requestId: string;
  /** By which people's preferences hold it back; null for what Navbat itself tells a person of their account. */
  readonly category: OrderCategory | null;
}

export interface OrderCategory {
  readonly name: string;
  /** Who passes what people switched off; null for nobody. */
  readonly criticalBy: { readonly keyId: string } | null;
  /** Of the button that switches the category off; null for none. */
  readonly stopLabels: StopLabels | null;
}

export interface BroadcastAnswer {
  readonly id: BroadcastId;
  /** Entries of `to`. */
  readonly named: number;
  /** Of those, the ones that named a destination once more: it is told once. */
  readonly duplicates: number;
  /** Recipients that are told: a job each. Whoever is named and is neither told nor a duplicate has no address of this kind. */
  readonly total: number;
  /** The job of a message to one; null for many. */
  readonly jobId: JobId | null;
}

export type BroadcastAccepted =
  | ({ readonly kind: 'accepted'; readonly replayed: boolean } & BroadcastAnswer)
  | { readonly kind: 'unknown-recipient'; readonly recipientId: string; readonly replayed: boolean }
  | { readonly kind: 'unreachable'; readonly replayed: boolean }
  | { readonly kind: 'too-many-urgent'; readonly retryAfterSeconds: number; readonly replayed: boolean }
  | { readonly kind: 'key-reused'; readonly replayed: boolean };

/** Takes a message to one or to many: the broadcast and all its jobs in one commit. */
export interface BroadcastIntake {
  accept(order: BroadcastOrder): Promise<BroadcastAccepted>;
}

export interface BroadcastView {
  readonly id: BroadcastId;
  readonly kind: BroadcastKind;
  readonly state: BroadcastState;
  readonly priority: Priority;
  readonly named: number;
  readonly duplicates: number;
  readonly total: number;
  /** Each recipient counts once: the five make the total. */
  readonly progress: {
    readonly sent: number;
    readonly failed: number;
    /** Their chat or device is closed or gone for good. */
    readonly blocked: number;
    readonly cancelled: number;
    readonly waiting: number;
  };
  readonly sendAt: Date;
  readonly expiresAt: Date;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

/** A project as a key sees it: what was made by keys of the other mode is not there. */
type OwnMode = Pick<Caller, 'projectId' | 'mode'>;

export interface Broadcasts {
  find(project: OwnMode, id: string): Promise<BroadcastView | null>;
  list(project: OwnMode, kind: BroadcastKind | undefined, order: PageOrder): Promise<Page<BroadcastView>>;
  /** `refused`: it is finished or cancelled. */
  command(
    project: OwnMode,
    id: string,
    command: 'pause' | 'resume' | 'cancel',
    now: Date,
  ): Promise<'done' | 'refused' | 'unknown'>;
}

/** @returns what is wrong with the two times, or null. */
export function timesFault(
  sendAt: Date,
  expiresAt: Date,
  now: Date,
): { field: 'send_at' | 'expires_at'; detail: string } | null {
  if (sendAt.getTime() > now.getTime() + SEND_AHEAD_DAYS_MAX * 86_400_000)
    return { field: 'send_at', detail: `expected a time at most ${SEND_AHEAD_DAYS_MAX} days ahead` };
  if (expiresAt <= sendAt || expiresAt <= now)
    return { field: 'expires_at', detail: 'expected a time after send_at, and not past' };
  return null;
}
