import type { Locale } from './locale.ts';

/**
 * How the message of a code is worded where its purpose does more than confirm, or where a document words it. `{code}`,
 * `{project}` and `{minutes}` are filled in; a project's own template comes first.
 */
export type CodeTexts = Readonly<Record<Locale, string>>;
