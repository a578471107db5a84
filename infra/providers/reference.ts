import { z } from 'zod';

/** 256: the longest that is known, FCM's name of a message, has about 90; it stands in the attempt and in its events. */
const REFERENCE_CHARS_MAX = 256;
const VISIBLE_ASCII = /^[\x21-\x7e]+$/;

const Given = z.union([z.string().min(1), z.int()]).transform(String);

/** A provider's own id of a message, as text or as a number. Whatever else it sent would be refused by Postgres, or be read wrongly by people. */
export const Reference = Given.pipe(z.string().max(REFERENCE_CHARS_MAX).regex(VISIBLE_ASCII));

/** Of a message that was taken: one that is no reference is left out, since a second message for want of an id would be paid for. */
export const TakenReference = Given.transform((given) => Reference.safeParse(given).data ?? null);
