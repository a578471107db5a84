/** What a table says of a provider's word: `constructor` is none of its own. */
export const known = <Meaning>(
  table: Readonly<Record<string | number, Meaning>>,
  word: string | number,
): Meaning | undefined => (Object.hasOwn(table, word) ? table[word] : undefined);
