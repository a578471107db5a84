import { z } from 'zod';

/** What is wrong with a text that Postgres would refuse, and with it the whole batch that it stands in; else null. */
export function badText(text: string): string | null {
  if (text.includes('\0')) return 'may not hold the character U+0000';
  if (!text.isWellFormed()) return 'may not hold half of a surrogate pair';
  return null;
}

/** A text from outside that Postgres takes. */
export const StorableText = z.string().refine((text) => badText(text) === null);
