import { z } from 'zod';
import { providerChoices } from '../../domain/job/job.ts';
import { phoneFault, type PhoneReading, readPhone, readTelegramPhone } from '../../domain/shared/phone.ts';
import type { ReasonFacts } from '../../domain/shared/reason.ts';
import { explainStored } from '../../domain/reasons.ts';
import { Problem } from './problem.ts';
import { isOurTime, notOurTime } from '../../domain/shared/refine.ts';

/** Of Postgres' integer, by which lines are counted and numbered: above it a query fails. */
export const INT_MAX = 2_147_483_647;

/** Longer than any number with its spaces and dashes. */
const PHONE_TEXT_MAX = 32;

const phoneField = (read: (text: string) => PhoneReading) =>
  z
    .string()
    .max(PHONE_TEXT_MAX)
    .transform((text, ctx) => {
      const reading = read(text);
      if (reading.ok) return reading.phone.e164;
      ctx.addIssue({ code: 'custom', message: phoneFault(reading) });
      return z.NEVER;
    });

/** A phone number as people write it, read into E.164. */
export const PhoneField = phoneField(phoneIn).meta({
  description:
    'In international form: a plus (or 00), the country code, the number. Spaces, dashes and brackets are ignored; an extension is refused.',
  example: '+998901234567',
});

/** The same as Telegram's contacts hold it. */
export const TelegramPhoneField = phoneField(readTelegramPhone).meta({
  description:
    'In international form; as Telegram’s contacts hold it, without the plus, too. An extension is refused.',
  example: '+998901234567',
});

/** The plus of a number in a query is a space once decoded, and most callers forget to write %2B. */
export function phoneIn(text: string): PhoneReading {
  return readPhone(text.replace(/^ /, '+'));
}

/**
 * A URL that a customer wants to be called at.
 *
 * @throws Problem 400 that names the field.
 */
export function checkUrl(
  fault: (url: string) => string | null,
  url: string | undefined,
  pointer: string,
): void {
  const detail = url === undefined ? null : fault(url);
  if (detail !== null)
    throw new Problem(400, 'invalid-request', 'The request does not fit the schema.', {
      errors: [{ pointer, detail }],
    });
}

/** A calendar day, UTC. */
export const Day = z.iso.date().refine((text) => isOurTime(new Date(text)), notOurTime);

/** RFC 3339 with any offset, as callers may write times; read into a Date. */
export const TimeField = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text))
  .refine(isOurTime, notOurTime)
  .meta({ example: '2026-01-15T10:00:00Z' });

/** Why an attempt went by this provider, where a channel has several. */
export const Chosen = z.enum(providerChoices).nullable().meta({
  description:
    'Why this provider of several: `listed`, the first of its route; `measured`, by what is measured of deliveries; `trial`, one of the few sends with which each cheap provider is measured; `failover`, after another one of the same send; `resend`, because an earlier send went by another. Null where there is no choice.',
  example: 'listed',
});

/** A reason with its meaning, as every object of ours tells it. */
export const reasonShape = {
  reason: z.string().nullable().meta({
    description: 'Why it ended as it did: a code of `/docs/problems`. Null where there is nothing to say.',
    example: 'budget-spent',
  }),
  reason_detail: z.string().nullable().meta({
    description: 'What `reason` means, with what is known of this case.',
    example: "The project's budget for paid messages is spent for today (UTC).",
  }),
  next_step: z
    .string()
    .nullable()
    .meta({ description: 'What to do about it.', example: 'Raise sms_daily_budget_micros.' }),
};

/** A code of another version has no meaning here. */
export function reasonBody(reason: string | null, facts?: ReasonFacts) {
  const explained = explainStored(reason, facts);
  return {
    reason,
    reason_detail: explained?.meaning ?? null,
    next_step: explained?.nextStep ?? null,
  };
}
