import { z } from 'zod';
import { type Appeal, type AppealedDay, appealStates, appealUntil } from '../../../domain/earn/day/appeal.ts';
import { explainDay, dayStates } from '../../../domain/earn/traffic/explain.ts';
import { reasonSentence, stateSentence } from '../../../domain/earn/traffic/words.ts';
import type { Locale } from '../../../domain/shared/locale.ts';
import { DayBody, dayBody } from './day-body.ts';
import { bytesField } from './fields.ts';

export const AppealBody = z
  .object({
    state: z.enum(appealStates).meta({
      description:
        '`open`: staff have not answered; `upheld`: the day stays unpaid; `overturned`: it is paid.',
    }),
    text: z.string().nullable().meta({ description: 'What the person wrote; null once it was forgotten.' }),
    asked_at: z.date().meta({ description: 'When.' }),
    answer: z.string().nullable().meta({ description: 'What staff answered; null while it is open.' }),
    ended_at: z.date().nullable().meta({ description: 'When staff answered; null while it is open.' }),
  })
  .meta({ id: 'TrafficAppeal' });

export const appealBody = ({ state, text, askedAt, answer, endedAt }: Appeal) => ({
  state,
  text,
  asked_at: askedAt,
  answer,
  ended_at: endedAt,
});

/** Where each byte of a day went, and what its person said of it. */
export const ExplainedDayBody = DayBody.extend({
  state: z.enum(dayStates).meta({
    description:
      '`open`: it is paid with the close of the day; `paid`; `review`: a person decides; `unpaid`; `taken-back`: it was paid, and is no more.',
  }),
  says: z.string().meta({ description: 'The same as a sentence, in the language of the person.' }),
  paid_bytes: bytesField('What of `bytes` is paid, at once or with the close of the day'),
  unpaid: z
    .array(
      z.object({
        reason: z.string().meta({ description: 'The code of why.', example: 'counterpart-lower' }),
        bytes: bytesField('So much'),
        sentence: z.string().meta({ description: 'Why, in the language of the person.' }),
      }),
    )
    .meta({ description: 'By reason; together exactly `bytes` less `paid_bytes`.' }),
  closed_at: z.date().nullable().meta({ description: 'When the day was closed; null while it is open.' }),
  appeal: AppealBody.nullable().meta({ description: 'What the person said of it; null where nothing.' }),
  appeal_until: z.date().nullable().meta({
    description: 'Until when it can be appealed; null where it is paid, was appealed, or is too long ago.',
  }),
}).meta({ id: 'ExplainedDay' });

export function explainedDayBody({ day, appeal }: AppealedDay, locale: Locale, now: Date) {
  const { state, paidBytes, unpaid } = explainDay(day);
  return {
    ...dayBody(day),
    state,
    says: stateSentence(state, locale),
    paid_bytes: Number(paidBytes),
    unpaid: unpaid.map(({ reason, bytes }) => ({
      reason,
      bytes: Number(bytes),
      sentence: reasonSentence(reason, locale),
    })),
    closed_at: day.closedAt,
    appeal: appeal && appealBody(appeal),
    appeal_until: appealUntil({ day: day.day, state, appeal }, now),
  };
}
