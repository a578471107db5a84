/** What is wrong with a text that Postgres would refuse, and with it the whole batch that it stands in; else null. */
export function badText(text: string): string | null {
  if (text.includes('\0')) return 'may not hold the character U+0000';
  if (!text.isWellFormed()) return 'may not hold half of a surrogate pair';
  return null;
}

/** Looks for such a text anywhere in a parsed JSON document, whose depth is bounded, names of members too. */
export function findBadText(value: unknown, pointer = ''): { pointer: string; detail: string } | null {
  if (typeof value === 'string') return fault(pointer, badText(value));
  if (typeof value !== 'object' || value === null) return null;
  for (const [name, item] of Object.entries(value)) {
    const badName = badText(name);
    // The name itself can't stand in the answer, so its parent does.
    if (badName) return { pointer, detail: `a member's name ${badName}` };
    const found = findBadText(item, `${pointer}/${escapePointer(name)}`);
    if (found) return found;
  }
  return null;
}

/** RFC 6901 §3. */
export function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

const fault = (pointer: string, detail: string | null) => (detail === null ? null : { pointer, detail });
