import { z } from 'zod';
import {
  MESSAGES_MAX,
  type SupportMessage,
  type SupportRequest,
  supportStates,
  type SupportThread,
} from '../../../../domain/earn/support/support.ts';
import { Locale } from '../../../../domain/shared/locale.ts';

export const SupportBody = z
  .object({
    id: z.uuid(),
    subject: z.string().meta({ description: 'What it is about, in one line.' }),
    locale: Locale,
    state: z.enum(supportStates).meta({
      description: '`open`: support is to answer; `answered`; `closed`. A reply opens it again.',
    }),
    messages: z.int().meta({ description: `How much was said: ${MESSAGES_MAX} at the most.` }),
    created_at: z.date(),
    state_at: z.date().meta({ description: 'Since when it is in this state.' }),
  })
  .meta({ id: 'SupportRequest' });

export const supportBody = (one: SupportRequest) => ({
  id: one.id,
  subject: one.subject,
  locale: one.locale,
  state: one.state,
  messages: one.messages,
  created_at: one.createdAt,
  state_at: one.stateAt,
});

/** `by`: what staff are shown of who answered; null: nothing. */
export const threadShape = (by: z.ZodObject | null) => ({
  thread: z
    .array(
      z.object({
        from: z.enum(['person', 'support']).meta({ description: 'Who wrote it.' }),
        text: z.string().meta({ description: 'As it was written.' }),
        at: z.date().meta({ description: 'When.' }),
        ...by?.shape,
      }),
    )
    .max(MESSAGES_MAX)
    .meta({ description: 'All that was said, the oldest first.' }),
});

export const threadOf = ({ thread }: SupportThread, more: (message: SupportMessage) => object) =>
  thread.map((message) => ({
    from: message.by === null ? 'person' : 'support',
    text: message.text,
    at: message.at,
    ...more(message),
  }));
