import { z } from 'zod';

/** An event that a context emits: its `events.ts` lists them, and the registry `domain/events.ts` joins the lists. */
export interface EventDefinition {
  /** When it is sent, in words for who chooses among them. */
  readonly meaning: string;
  /** What `data` of its body holds. A test holds the triggers that write events to it, and to nothing beside it. */
  readonly data: z.ZodObject;
}

/** Members that several events have. */
export const MaskedRecipient = z
  .string()
  .nullable()
  .meta({ description: 'Masked.', example: '+998•••••••67' });
export const EndReason = z.string().nullable().meta({
  description: 'Why it ended as it did: a code of `/docs/problems`. Null where there is nothing to say.',
  example: 'budget-spent',
});
export const count = (description: string) => z.int().min(0).meta({ description });
