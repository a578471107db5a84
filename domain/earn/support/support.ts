import { z } from 'zod';
import { Locale } from '../../shared/locale.ts';
import type { Page, PageOrder } from '../../shared/page.ts';
import { hiddenLetter, VISIBLE_LINE } from '../../shared/visible-line.ts';
import { readsAsCardNumber } from '../../pay/list/card-number.ts';
import type { StaffMember } from '../../staff/port.ts';

/** Of one person, not closed: who waits for three answers is helped by those, not by a fourth request. */
export const OPEN_REQUESTS_MAX = 3;
/** Of one person in 24 hours, new requests and replies together: a long conversation, and no flood. */
export const MESSAGES_A_DAY_MAX = 30;
/** Of one request, which is read in one answer: a longer conversation is another request. */
export const MESSAGES_MAX = 100;
const SUBJECT_CHARS_MAX = 120;
/** With the words around it, it is one Telegram message. */
const TEXT_CHARS_MAX = 2_000;

export const SupportId = z.uuid().brand<'SupportId'>();
export type SupportId = z.infer<typeof SupportId>;

const noCard = { error: 'expected no number of a card: support needs none, and none is kept' };

export const SupportSubject = z
  .string()
  .min(1)
  .max(SUBJECT_CHARS_MAX)
  .regex(VISIBLE_LINE, 'expected one line of visible text')
  .refine((text) => !readsAsCardNumber(text), noCard)
  .meta({ description: 'What it is about, in one line.', example: 'Unpaid megabytes' });

export const SupportText = z
  .string()
  .min(1)
  .max(TEXT_CHARS_MAX)
  .refine((text) => text.trim() !== '' && hiddenLetter(text) === null, {
    error: 'expected text that is seen; its lines end with a line feed',
  })
  .refine((text) => !readsAsCardNumber(text), noCard)
  .meta({
    description: `Up to ${TEXT_CHARS_MAX} characters, in several lines where needed. No number of a card is taken.`,
    example: 'Why was I not paid for 40 MB of yesterday?',
  });

/** `open`: staff are to answer. `answered`: the person may reply, which opens it again. `closed`: a reply opens that again, too. */
export const supportStates = ['open', 'answered', 'closed'] as const;
export type SupportState = (typeof supportStates)[number];

export interface SupportRequest {
  readonly id: SupportId;
  readonly personId: string;
  readonly subject: string;
  readonly locale: Locale;
  readonly state: SupportState;
  readonly messages: number;
  readonly createdAt: Date;
  /** Since when it is in this state. */
  readonly stateAt: Date;
}

export interface SupportMessage {
  readonly text: string;
  readonly at: Date;
  /** E-mail of the member of staff; null: the person wrote it. */
  readonly by: string | null;
}

/** A request with all that was said, the oldest first. */
export interface SupportThread extends SupportRequest {
  readonly thread: readonly SupportMessage[];
}

export interface SupportOrder {
  readonly personId: string;
  readonly subject: string;
  readonly text: string;
  /** Null: that of the person's recipient, or else the default. */
  readonly locale: Locale | null;
}

export type SupportRefusal =
  | 'unknown-request'
  | 'support-open-limit'
  | 'support-day-limit'
  | 'support-full'
  | 'card-number';

export type SupportDone =
  | { readonly ok: true; readonly request: SupportRequest }
  | { readonly ok: false; readonly reason: SupportRefusal };

/** What a person does with their own requests. */
export interface PersonSupport {
  /** The same words again, while that request is not closed, are the same request. */
  readonly open: (order: SupportOrder) => Promise<SupportDone>;
  /** Newest first. */
  readonly list: (personId: string, order: PageOrder) => Promise<Page<SupportRequest>>;
  readonly read: (personId: string, id: SupportId) => Promise<SupportThread | null>;
  /** Opens it again, where it was answered or closed. */
  readonly reply: (personId: string, id: SupportId, text: string) => Promise<SupportDone>;
  /** Twice: the second changes nothing. */
  readonly close: (personId: string, id: SupportId) => Promise<SupportDone>;
}

export interface StaffAnswer {
  readonly id: SupportId;
  readonly text: string;
  readonly closes: boolean;
  readonly by: StaffMember;
}

export type SupportAnswered =
  /** `reached`: the person has a chat, where they are told. Else they find the answer in their list alone. */
  | { readonly ok: true; readonly request: SupportRequest; readonly reached: boolean }
  | { readonly ok: false; readonly reason: SupportRefusal };

/** What staff do. Each change leaves a row of the audit, in its commit. */
export interface StaffSupport {
  /** Oldest first: who has waited longest is next. */
  readonly list: (state: SupportState, order: PageOrder) => Promise<Page<SupportRequest>>;
  readonly read: (id: SupportId) => Promise<SupportThread | null>;
  readonly answer: (answer: StaffAnswer) => Promise<SupportAnswered>;
  readonly close: (id: SupportId, by: StaffMember) => Promise<SupportDone>;
}
